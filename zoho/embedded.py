"""A CRM in our own tables, shown in the admin: the whole product without an account anywhere."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, assert_never

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.urls import reverse

from extraction import records
from extraction.errors import CrmRejected, CrmUnavailable
from extraction.ports import Match, Stored, Undone
from extraction.types import Person
from zoho.models import Account, Attachment, Contact, CrmRecord, Deal, KnownRecord, Note, new_key

P = ParamSpec("P")
T = TypeVar("T")

DUPLICATE_SECONDS = 30 * 86_400
CLOSED_STAGES = ("Closed Won", "Closed Lost")
MODELS: Mapping[records.Step, type[CrmRecord]] = {
    "account": Account,
    "contact": Contact,
    "deal": Deal,
    "note": Note,
    "attachment": Attachment,
}
NOT_OURS = Undone("kept", "It was in the CRM before.")
CHANGED = Undone("kept", "Somebody has changed it since.")
NEEDED = Undone("kept", "Other records belong to it.")
GONE = Undone("kept", "It is no longer in the CRM.")


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
        return await self._ask(_find, person, self._base_url)

    async def upsert(self, record: records.Record, key: str) -> Stored:
        return await self._ask(_upsert, record, key, self._base_url)

    async def undo(self, step: records.Step, stored: Stored) -> Undone:
        return await self._ask(_undo, step, stored)

    async def _ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In the words of the port. Raises `CrmError`."""
        try:
            return await self._database(function, *args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            raise CrmUnavailable from error
        except DatabaseError as error:
            raise CrmRejected from error


def _find(person: Person, base_url: str) -> list[Match]:
    email = person.text("contact", "email")
    contact = email and _contacts_at(email).first()
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


# ---------------------------------------------------------------- writing


def _upsert(record: records.Record, key: str, base_url: str) -> Stored:
    """Of two saves at once that mean the same record, the slower one is refused by a constraint and then finds
    what the other one wrote."""
    try:
        return _write(record, key, base_url)
    except IntegrityError:
        return _write(record, key, base_url)


@transaction.atomic
def _write(record: records.Record, key: str, base_url: str) -> Stored:
    rows = MODELS[record.step]._default_manager
    if held := _held(record, key):
        stored = _filled(held, record, key, base_url)
        # Nobody heard the answer to a cut attempt: what it created is given again as what it is.
        ours = held.key == key and stored.action == "reused" and held.modified_at == held.created_at
        return replace(stored, action="created") if ours else stored
    now = time.time()
    free = new_key() if rows.filter(key=key).exists() else key
    created = rows.create(key=free, created_at=now, modified_at=now, **_values_of(record))
    return Stored(str(created.pk), _url(created, base_url), "created", modified_at=str(now))


def _values_of(record: records.Record) -> dict[str, Any]:
    elsewhere = ("step", "number", "chosen", "owner_email", "figures")
    return {name: value for name, value in asdict(record).items() if name not in elsewhere}


def _held(record: records.Record, key: str) -> CrmRecord | None:
    """The firm of that name, the person with that address, whatever mail they come from; else what the key has written.
    The same mail with a corrected name or address means another firm, another person: the key's first one stays."""
    match record:
        case records.Account(company_name=name):
            accounts = Account.objects.alias(known_by=Lower("company_name"))
            return accounts.select_for_update().filter(known_by=Lower(Value(name))).first()
        case records.Contact(email=str(email)):
            unaddressed = Contact.objects.select_for_update().filter(key=key, email=None)
            return _contacts_at(email).select_for_update().first() or unaddressed.first()
        case _:
            return MODELS[record.step]._default_manager.select_for_update().filter(key=key).first()


def _contacts_at(email: str) -> QuerySet[Contact]:
    return Contact.objects.alias(known_by=Lower("email")).filter(known_by=Lower(Value(email)))


def _filled(row: CrmRecord, record: records.Record, key: str, base_url: str) -> Stored:
    """Fill what is empty and what the user chose; whatever else somebody entered stays."""
    reused = Stored(str(row.pk), _url(row, base_url), "reused", modified_at=str(row.modified_at))
    if not (isinstance(row, KnownRecord) and isinstance(record, records.Account | records.Contact)):
        return reused
    news = {
        name: value
        for name, value in _values_of(record).items()
        if value and (not (held := getattr(row, name)) or (name in record.chosen and held != value))
    }
    if news:
        now = time.time()
        filling: dict[str, Any] = {"key": key, "before": {name: getattr(row, name) for name in news}, "at": str(now)}
        type(row)._default_manager.filter(pk=row.pk).update(**news, filling=filling, modified_at=now)
    elif row.filling and row.filling["key"] == key:
        filling = row.filling
    else:
        return reused
    return replace(reused, action="updated", before=filling["before"], modified_at=filling["at"])


# ---------------------------------------------------------------- taking back


@transaction.atomic
def _undo(step: records.Step, stored: Stored) -> Undone:
    row = MODELS[step]._default_manager.select_for_update().filter(pk=stored.id).first()
    match stored.action:
        case "reused" | "skipped":
            return NOT_OURS
        case "created":
            return _delete(row, stored) if row else Undone("deleted")
        case "updated":
            return _restore(row, stored) if isinstance(row, KnownRecord) else GONE
        case _:
            assert_never(stored.action)


def _delete(row: CrmRecord, stored: Stored) -> Undone:
    if str(row.modified_at) != stored.modified_at:
        return CHANGED
    if any(getattr(row, str(other.get_accessor_name())).exists() for other in row._meta.related_objects):
        return NEEDED
    row.delete()
    return Undone("deleted")


def _restore(row: KnownRecord, stored: Stored) -> Undone:
    before = stored.before or {}
    if all(getattr(row, name) == value for name, value in before.items()):
        return Undone("restored")
    if str(row.modified_at) != stored.modified_at:
        return CHANGED
    type(row)._default_manager.filter(pk=row.pk).update(**before, filling=None, modified_at=time.time())
    return Undone("restored")
