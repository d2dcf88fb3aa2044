"""What Zoho holds already, asked of Zoho, and what was seen of it a moment ago."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zoho.client import ZohoClient
from zoho.errors import ZohoRefused
from zoho.fieldmap import MODULES, FieldMap
from zoho.payloads import Row, says_reference, token_of
from zoho.recently import Recently

SEEN_SECONDS = 60.0
TIMES = ("Created_Time", "Modified_Time")
_ROWS_A_PAGE = "200"


@dataclass(frozen=True)
class Known:
    """By what a record is known, whichever mail it comes from: a firm by its name, a person by the address."""

    step: Literal["account", "contact"]
    name: str

    def __str__(self) -> str:
        return f"{self.step} {self.name.casefold()}"


class Lookup:
    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self._seen: Recently[Row | None] = Recently(SEEN_SECONDS)

    async def find(self, known: Known, field_map: FieldMap) -> Row | None:
        """The record, as it was at most a minute ago."""
        if known in self:
            return self._seen.get(str(known))
        rows = await self._search(MODULES[known.step], _search_for(known, field_map))
        target = field_map.target(known.step, _FIELDS[known.step])
        return self.saw(known, next((row for row in rows if same(row.get(target), known.name)), None))

    def __contains__(self, known: Known) -> bool:
        """Whether the answer comes from memory."""
        return str(known) in self._seen

    def saw(self, known: Known, row: Row | None) -> Row | None:
        return self._seen.put(str(known), row)

    def forget(self, known: Known) -> None:
        self._seen.forget(str(known))

    def forget_all(self) -> None:
        self._seen.clear()

    async def read(self, module: str, record_id: str) -> Row | None:
        try:
            rows = rows_of(await self._client.call("GET", f"/{module}/{record_id}"))
        except ZohoRefused as error:
            if not is_gone(error):
                raise
            return None
        return rows[0] if rows else None

    async def related(self, module: str, record_id: str, others: str, fields: Iterable[str]) -> list[Row]:
        """What hangs on a record, the newest first. Not a search: what was written a second ago is among it."""
        newest = {"sort_by": "Created_Time", "sort_order": "desc"} if others in MODULES.values() else {}
        params = {"fields": ",".join(dict.fromkeys(fields)), "per_page": _ROWS_A_PAGE, **newest}
        return rows_of(await self._client.call("GET", f"/{module}/{record_id}/{others}", params=params))

    async def deals_of(self, contact_id: str, field_map: FieldMap) -> list[Row]:
        return await self.related("Contacts", contact_id, "Deals", (*TIMES, *field_map.targets("deal").values()))

    # ------------------------------------------------------------ what an earlier attempt has written

    async def deal_of(self, key: str, contact_id: str | None, field_map: FieldMap) -> Row | None:
        """By the key field; without one by the reference that stands in the description."""
        if field_map.key_field:
            rows = await self._search("Deals", {"criteria": f"({field_map.key_field}:equals:{token_of(key)})"})
            return next(iter(rows), None)
        rows = await self.deals_of(contact_id, field_map) if contact_id else []
        return _referring(rows, field_map.target("deal", "description_of_reqs"), key)

    async def contact_of(self, key: str, account_id: str | None, field_map: FieldMap) -> Row | None:
        """People without an address are known by the mail they came in only: two of one name are two."""
        target = field_map.target("contact", "reference")
        fields = (*TIMES, target)
        if account_id:
            rows = await self.related("Accounts", account_id, "Contacts", fields)
        else:
            newest = {"sort_by": "Created_Time", "sort_order": "desc", "per_page": _ROWS_A_PAGE}
            rows = rows_of(await self._client.call("GET", "/Contacts", params={"fields": ",".join(fields), **newest}))
        return _referring(rows, target, key)

    async def note_of(self, key: str, deal_id: str | None, field_map: FieldMap) -> Row | None:
        target = field_map.target("note", "content")
        return _referring(await self.related("Deals", str(deal_id), "Notes", (*TIMES, target)), target, key)

    async def _search(self, module: str, params: Mapping[str, str]) -> list[Row]:
        return rows_of(await self._client.call("GET", f"/{module}/search", params=params))


_FIELDS = {"account": "company_name", "contact": "email"}


def _search_for(known: Known, field_map: FieldMap) -> dict[str, str]:
    if known.step == "contact":
        return {"email": known.name}
    return {"criteria": f"({field_map.target('account', 'company_name')}:equals:{_escaped(known.name)})"}


def _escaped(value: str) -> str:
    """For criteria: Zoho reads parentheses, commas and backslashes itself."""
    return "".join(f"\\{letter}" if letter in "(),\\" else letter for letter in value)


def _referring(rows: Iterable[Row], target: str, key: str) -> Row | None:
    return next((row for row in rows if says_reference(row.get(target), key)), None)


def rows_of(answer: Mapping[str, Any] | None) -> list[Row]:
    return list((answer or {}).get("data") or [])


def same(one: Any, other: str | None) -> bool:
    return str(one or "").casefold() == (other or "").casefold()


def is_gone(error: ZohoRefused) -> bool:
    """Whether the record of the call is no longer there."""
    return error.reason in ("INVALID_DATA", "HTTP_404", "RECORD_NOT_FOUND") and error.api_name in (None, "id")
