"""When a deal that Zoho holds is likely the one of the mail, and how a match is shown. Pure."""

import time
from datetime import datetime
from typing import Any

from extraction import records
from extraction.types import Person
from zoho.fieldmap import FieldMap
from zoho.lookup import same
from zoho.payloads import Row, label

CLOSED_STAGES = ("Closed Won", "Closed Lost")


def is_duplicate(deal: Row, person: Person, field_map: FieldMap, days: int) -> bool:
    """An open deal of this contact, not older than `days`, with the same title and company."""

    def held(name: str) -> Any:
        return deal.get(field_map.target("deal", name))

    company = person.text("company", "company_name")
    is_old = moment(deal["Created_Time"]) < time.time() - days * 86_400
    if is_old or held("stage") in CLOSED_STAGES or not same((held("account_id") or {}).get("name"), company):
        return False
    title = person.text("deal", "job_title")
    if field_map.target("deal", "job_title"):
        return same(held("job_title"), title)
    return _is_named(str(held("deal_name") or ""), title, person.text("deal", "deal_name") or company)


def _is_named(name: str, title: str | None, whole: str | None) -> bool:
    """Where Zoho has no field for the title, the deal's name tells it: `Title (Location) - Company`."""
    begun = tuple(f"{title} {mark}".casefold() for mark in ("(", "- ")) if title else ()
    return name.casefold().startswith(begun) or same(name, title or whole)


def shown(step: records.Step, row: Row, field_map: FieldMap) -> dict[str, str]:
    """The record as people read it, by our names."""
    held = {name: _text(row.get(target)) for name, target in field_map.targets(step).items() if name != "owner"}
    return {label(name) if name.endswith("_id") else name: value for name, value in held.items() if value}


def _text(value: Any) -> str | None:
    """A lookup by its name."""
    found = value.get("name") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def moment(time_of_zoho: str) -> float:
    return datetime.fromisoformat(time_of_zoho).timestamp()
