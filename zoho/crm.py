"""Zoho behind the port: what is there is found, what is empty is filled, what was cut goes on where it stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal
from weakref import WeakValueDictionary

import stamina

from extraction import records
from extraction.errors import CrmError, CrmRejected
from extraction.ports import Match, Stored, Undone
from extraction.types import Person
from zoho.check import Finding, findings_of
from zoho.client import ZohoClient
from zoho.duplicates import is_duplicate, shown
from zoho.errors import ZohoRefused, ZohoUnavailable
from zoho.fieldmap import MODULES, FieldMap
from zoho.lookup import Known, Lookup, is_gone
from zoho.organisation import KnownOrganisation
from zoho.payloads import Row, label
from zoho.save import Save
from zoho.undo import Undo

ATTEMPTS, FIRST_PAUSE_SECONDS = 5, 0.25
TABS = {"Accounts": "Accounts", "Contacts": "Contacts", "Deals": "Potentials"}


class ZohoCrm:
    """Keeps the promise of `extraction.ports.Crm`. `web_url` is where people see records, `field_map` reads the map.

    What the look for duplicates has seen is believed for a minute, since a save follows it closely: that a record is
    there only after Zoho has said so again, that there is none only where Zoho checks it (`duplicate_check_fields`).
    """

    target: Literal["zoho", "embedded"] = "zoho"

    def __init__(
        self,
        client: ZohoClient,
        field_map: Callable[[], Awaitable[FieldMap]],
        web_url: str,
        duplicate_days: int = 30,
        default_owner_email: str | None = None,
    ) -> None:
        self._field_map = field_map
        self._web_url = web_url
        self._duplicate_days = duplicate_days
        self._organisation = KnownOrganisation(client)
        self._lookup = Lookup(client)
        self._save = Save(client, self._lookup, self._organisation, self._url, default_owner_email)
        self._undo = Undo(client, self._lookup)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # ------------------------------------------------------------ before a save

    async def find(self, person: Person) -> Sequence[Match]:
        field_map = await self._field_map()
        email, company = person.text("contact", "email"), person.text("company", "company_name")
        contact, _, _ = await asyncio.gather(
            self._lookup.find(Known("contact", email), field_map) if email else _nothing(),
            self._lookup.find(Known("account", company), field_map) if company else _nothing(),
            self._warm_up(),
        )
        if contact is None:
            return []
        deals = await self._lookup.deals_of(str(contact["id"]), field_map)
        same = [deal for deal in deals if is_duplicate(deal, person, field_map, self._duplicate_days)]
        return [
            self._match("contact", contact, "email", field_map),
            *(self._match("deal", deal, "contact, title and company", field_map) for deal in same),
        ]

    async def _warm_up(self) -> None:
        """Read early what a save will ask for. Who saves is told when it cannot be read."""
        try:
            await self._organisation.recent()
        except CrmError:
            return

    def _match(self, step: records.Step, row: Row, matched_on: str, field_map: FieldMap) -> Match:
        record_id = str(row["id"])
        return Match(step, record_id, self._url(MODULES[step], record_id), matched_on, shown(step, row, field_map))

    async def check(self) -> list[Finding]:
        """The field map against the organisation as it is now. Raises `CrmError`."""
        return findings_of(await self._organisation.now(), await self._field_map())

    # ------------------------------------------------------------ the save

    async def upsert(self, record: records.Record, key: str) -> Stored:
        field_map = await self._field_map()
        async with self._lock(_identity(record, key)):
            try:
                return await self._until_answered(record, key, field_map)
            except ZohoRefused as error:
                raise _in_our_words(error, record.step, field_map) from error

    async def _until_answered(self, record: records.Record, key: str, field_map: FieldMap) -> Stored:
        """When nobody knows what became of a write, begin again: by looking."""
        async for attempt in stamina.retry_context(
            on=lambda error: isinstance(error, ZohoUnavailable) and error.sent,
            attempts=ATTEMPTS,
            wait_initial=FIRST_PAUSE_SECONDS,
            wait_jitter=FIRST_PAUSE_SECONDS,
        ):
            with attempt:
                return await self._save.of(record, key, field_map)
        raise AssertionError  # stamina raises the last error itself

    # ------------------------------------------------------------ after a save

    async def undo(self, step: records.Step, stored: Stored) -> Undone:
        try:
            return await self._undo.of(step, stored, await self._field_map())
        finally:
            self._save.forget()

    def _url(self, module: str, record_id: str) -> str:
        return f"{self._web_url}/tab/{TABS.get(module, module)}/{record_id}"

    def _lock(self, name: str) -> asyncio.Lock:
        if (lock := self._locks.get(name)) is None:
            self._locks[name] = lock = asyncio.Lock()
        return lock


async def _nothing() -> None:
    """Nothing to look for."""


def _identity(record: records.Record, key: str) -> str:
    """Of two saves at once that mean the same record, the second one sees what the first one has written."""
    match record:
        case records.Account(company_name=name):
            return str(Known("account", name))
        case records.Contact(email=str(email)):
            return str(Known("contact", email))
        case _:
            return key


def _in_our_words(error: ZohoRefused, step: records.Step, field_map: FieldMap) -> CrmRejected:
    """The same refusal with the field by the name that users see, and what to do."""
    if is_gone(error) and (error.api_name or "resource_path_index" in error.details):
        return CrmRejected("The record that this belongs to is no longer in Zoho. Take the save back and save again.")
    ours = error.api_name and step in MODULES and field_map.ours(step, error.api_name)
    if not ours:
        return error
    told = ZohoRefused(error.reason, f"the {step}'s {label(ours)}", error.details)
    return CrmRejected(f"{told.message} Correct it and save again; an administrator can run check_crm.")
