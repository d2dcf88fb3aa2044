"""A CRM in our own tables, shown in the admin: the whole product without an account anywhere."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, assert_never

from django.db import transaction
from django.urls import reverse

from extraction import records
from extraction.ports import Match, Stored
from extraction.types import Person
from zoho.models import Account, Attachment, Contact, CrmRecord, Deal, Note

P = ParamSpec("P")
T = TypeVar("T")

DUPLICATE_SECONDS = 30 * 86_400
CLOSED_STAGES = ("Closed Won", "Closed Lost")


class Database(Protocol):
    """Runs a function of the database on a thread of its own; may call it again after a dead connection."""

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...


class EmbeddedCrm:
    """Keeps the promise of `extraction.ports.Crm`. `base_url` makes the records' addresses absolute."""

    target: Literal["zoho", "embedded"] = "embedded"

    def __init__(self, database: Database, base_url: str = "") -> None:
        self._database = database
        self._base_url = base_url

    async def find(self, person: Person) -> Sequence[Match]:
        return await self._database(_find, person, self._base_url)

    async def upsert(self, record: records.Record, key: str) -> Stored:
        return await self._database(_upsert, record, key, self._base_url)


def _find(person: Person, base_url: str) -> list[Match]:
    email = person.text("contact", "email")
    contact = email and Contact.objects.filter(email__iexact=email).first()
    if not contact:
        return []
    matches = [_match(contact, "contact", "email", base_url)]
    title, company = person.text("deal", "job_title"), person.text("company", "company_name")
    deals = contact.deals.filter(created_at__gt=time.time() - DUPLICATE_SECONDS).exclude(stage__in=CLOSED_STAGES)
    same = [
        deal
        for deal in deals.select_related("account")
        if _same(deal.job_title, title) and _same(deal.account.company_name if deal.account else None, company)
    ]
    return [*matches, *(_match(deal, "deal", "contact, title and company", base_url) for deal in same)]


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").casefold() == (other or "").casefold()


def _match(row: CrmRecord, module: str, matched_on: str, base_url: str) -> Match:
    shown = {
        field.name: value
        for field in row._meta.concrete_fields
        if isinstance(value := getattr(row, field.attname), str) and field.name != "key"
    }
    return Match(module, str(row.pk), _url(row, base_url), matched_on, shown)


def _url(row: CrmRecord, base_url: str) -> str:
    return base_url + reverse(f"admin:zoho_{row._meta.model_name}_change", args=[row.pk])


@transaction.atomic
def _upsert(record: records.Record, key: str, base_url: str) -> Stored:
    model, values = _row_for(record)
    if known := model.objects.filter(key=key).first():
        return Stored(str(known.pk), _url(known, base_url), "reused")
    if known := _reusable(record):
        return _fill(known, values, base_url)
    created = model.objects.create(key=key, **values)
    return Stored(str(created.pk), _url(created, base_url), "created")


def _row_for(record: records.Record) -> tuple[type[Any], dict[str, Any]]:
    values = {name: value for name, value in asdict(record).items() if name not in ("step", "number")}
    match record:
        case records.Account():
            return Account, values
        case records.Contact():
            return Contact, values
        case records.Deal():
            return Deal, values
        case records.Note():
            return Note, values
        case records.File():
            return Attachment, values
        case _:
            assert_never(record)


def _reusable(record: records.Record) -> CrmRecord | None:
    """The firm of that name, the person with that address: known once, whatever mail they come from."""
    match record:
        case records.Account(company_name=name):
            return Account.objects.filter(company_name__iexact=name).first()
        case records.Contact(email=str(email)):
            return Contact.objects.filter(email__iexact=email).first()
        case _:
            return None


def _fill(row: CrmRecord, values: dict[str, Any], base_url: str) -> Stored:
    """Fill what is empty; what somebody entered stays."""
    news = {name: value for name, value in values.items() if value and not getattr(row, name)}
    if not news:
        return Stored(str(row.pk), _url(row, base_url), "reused")
    before = {name: getattr(row, name) for name in news}
    type(row)._default_manager.filter(pk=row.pk).update(**news, modified_at=time.time())
    return Stored(str(row.pk), _url(row, base_url), "updated", before)
