"""One record on its way into Zoho: looked for, then filled or written; after a lost answer looked for again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

from extraction import records
from extraction.ports import Stored
from zoho.answers import RecordResult, results_of
from zoho.client import ZohoClient
from zoho.errors import ZohoConflict, ZohoRefused, ZohoUnavailable
from zoho.fieldmap import MODULES, FieldMap
from zoho.lookup import Known, Lookup, is_gone
from zoho.organisation import KnownOrganisation
from zoho.payloads import Payload, Row, Written, holds, news_for, payload_for
from zoho.recently import Recently

T = TypeVar("T")
Look = Callable[[str, str | None, FieldMap], Awaitable[Row | None]]

CHILDREN = {"Accounts": ("Contacts",), "Contacts": ("Deals",), "Deals": ("Notes", "Attachments")}
MOST_BYTES = 20_000_000
MOST_LETTERS = 250  # of an attachment's name
MOST_LOOKS = 5
BARE_SECONDS, UNSURE_SECONDS = 60.0, 600.0


@dataclass(frozen=True)
class _Write:
    """One record on its way: what is to be written, under which key, by which map."""

    record: Written
    key: str
    payload: Payload
    field_map: FieldMap

    @property
    def module(self) -> str:
        return MODULES[self.record.step]

    @property
    def chosen(self) -> frozenset[str]:
        """The fields that the user decided, by Zoho's names."""
        names = self.record.chosen if isinstance(self.record, records.Account | records.Contact) else ()
        return frozenset(self.field_map.target(self.record.step, name) for name in names)


class Save:
    """`url` gives the address of a record, by module and id."""

    def __init__(
        self,
        client: ZohoClient,
        lookup: Lookup,
        organisation: KnownOrganisation,
        url: Callable[[str, str], str],
        default_owner_email: str | None,
    ) -> None:
        self._client = client
        self._lookup = lookup
        self._organisation = organisation
        self._url = url
        self._default_owner_email = default_owner_email
        self._bare: Recently[bool] = Recently(BARE_SECONDS)  # places on records of ours where nothing hangs yet
        self._unsure: Recently[bool] = Recently(UNSURE_SECONDS)  # keys whose write nobody has answered

    async def of(self, record: records.Record, key: str, field_map: FieldMap) -> Stored:
        stored = await self._stored(record, key, field_map)
        found_our_own = stored.action == "reused" and key in self._unsure
        return replace(stored, action="created") if found_our_own else stored

    def forget(self) -> None:
        """Some of what was seen is no longer there."""
        self._lookup.forget_all()
        self._bare.clear()

    async def _stored(self, record: records.Record, key: str, field_map: FieldMap) -> Stored:
        if isinstance(record, records.File):
            return await self._attachment(record, key)
        write = await self._write_of(record, key, field_map)
        match record:
            case records.Account(company_name=name):
                return await self._known_or_new(write, Known("account", name), "company_name")
            case records.Contact(email=str(email)):
                return await self._known_or_new(write, Known("contact", email), "email", record.account_id)
            case records.Contact(account_id=account_id):
                return await self._own(write, account_id, self._lookup.contact_of)
            case records.Deal(contact_id=contact_id):
                checks = (field_map.key_field,) if field_map.key_field else ()
                return await self._own(write, contact_id, self._lookup.deal_of, checks)
            case records.Note(deal_id=deal_id):
                stored = await self._own(write, deal_id, self._lookup.note_of)
                return replace(stored, url=self._url("Deals", str(deal_id)))
            case _:
                assert_never(record)

    async def _write_of(self, record: Written, key: str, field_map: FieldMap) -> _Write:
        organisation, owner = await self._organisation.recent(), None
        if not isinstance(record, records.Note):
            owner = organisation.user_id((record.owner_email, self._default_owner_email))
        return _Write(record, key, payload_for(record, key, field_map, organisation, owner), field_map)

    async def _known_or_new(self, write: _Write, known: Known, check: str, parent: str | None = None) -> Stored:
        sure = known not in self._lookup
        held = await self._lookup.find(known, write.field_map)
        for _ in range(MOST_LOOKS):
            if held is None:
                return await self._created(write, (write.field_map.target(write.record.step, check),), known, parent)
            news = news_for(held, write.payload.values, write.chosen)
            if sure and not news:
                return replace(self._reused(write.module, held), remark=write.payload.remark)
            if news and (filled := await self._filled(write, held, news, known)):
                return filled
            held, sure = self._lookup.saw(known, await self._lookup.read(write.module, str(held["id"]))), True
        raise ZohoConflict

    async def _own(self, write: _Write, parent: str | None, look: Look, checks: Sequence[str] = ()) -> Stored:
        """What is known by the mail it came in only: found by our key, unless nothing can be there yet."""
        if _place(parent, write.module) not in self._bare and (held := await look(write.key, parent, write.field_map)):
            # It is given again as what it was after that write: undo then sees whether somebody has changed it since.
            found = replace(self._reused(write.module, held), modified_at=held["Created_Time"])
            return replace(found, action="created") if held["Modified_Time"] == held["Created_Time"] else found
        return await self._created(write, checks, parent=parent)

    async def _attachment(self, record: records.File, key: str) -> Stored:
        deal_id, name = str(record.deal_id), record.filename[-MOST_LETTERS:]
        url = self._url("Deals", deal_id)
        if len(record.content) > MOST_BYTES:
            why = f"larger than the {MOST_BYTES // 1_000_000} MB that Zoho takes; share it another way"
            return Stored(deal_id, url, "skipped", remark=why)
        if (place := _place(deal_id, "Attachments")) not in self._bare:
            for row in await self._lookup.related("Deals", deal_id, "Attachments", ("File_Name", "Size")):
                if (row.get("File_Name"), str(row.get("Size"))) == (name, str(len(record.content))):
                    return Stored(f"{deal_id}/{row['id']}", url, "created")
        path, file = f"/Deals/{deal_id}/Attachments", (name, record.content, record.content_type)
        answer = await self._answered(self._client.call("POST", path, files={"file": file}), key, place)
        [result] = results_of(answer or {})
        return Stored(f"{deal_id}/{_accepted(result)}", url, "created", modified_at=result.modified_time)

    async def _created(
        self, write: _Write, checks: Sequence[str] = (), known: Known | None = None, parent: str | None = None
    ) -> Stored:
        """Write a record that nobody has found. By `checks` Zoho finds what nobody could find yet."""
        path = f"/{write.module}/upsert" if checks else f"/{write.module}"
        writing = self._client.records("POST", path, [write.payload.values], duplicate_check_fields=checks)
        [result] = await self._answered(writing, write.key, _place(parent, write.module), known)
        record_id = _accepted(result)
        is_new = result.action != "update"
        for others in CHILDREN.get(write.module, ()) if is_new else ():
            self._bare.put(_place(record_id, others), True)
        if known:
            self._lookup.saw(known, {**write.payload.values, "id": record_id, "Modified_Time": result.modified_time})
        return Stored(
            record_id,
            self._url(write.module, record_id),
            "created" if is_new else "reused",
            modified_at=result.modified_time,
            remark=write.payload.remark,
        )

    async def _answered(self, writing: Awaitable[T], key: str, place: str, known: Known | None = None) -> T:
        """When nobody knows what became of a write, it is looked for the next time; what is found is ours."""
        self._bare.forget(place)
        try:
            return await writing
        except (ZohoUnavailable, asyncio.CancelledError) as error:
            if not isinstance(error, ZohoUnavailable) or error.sent:
                self._unsure.put(key, True)
                if known:
                    self._lookup.forget(known)
            raise

    async def _filled(self, write: _Write, held: Row, news: Row, known: Known) -> Stored | None:
        """Fill what is empty; what somebody entered stays. None when the record is no longer as we have seen it."""
        record_id, modified_at = str(held["id"]), held.get("Modified_Time")
        headers = {"If-Unmodified-Since": modified_at} if modified_at else None
        writing = self._client.records("PUT", f"/{write.module}/{record_id}", [news], headers=headers, idempotent=True)
        try:
            [result] = await writing
            _accepted(result)
            now = {**held, **news, "Modified_Time": result.modified_time}
        except ZohoConflict:
            now = await self._lookup.read(write.module, record_id) or {}
            if not holds(now, news):  # else the first of two answers was lost, and it is ours
                return None
        except ZohoRefused as error:
            if not is_gone(error):
                raise
            return None
        self._lookup.saw(known, now)
        step = write.record.step
        return Stored(
            record_id,
            self._url(write.module, record_id),
            "updated",
            before={write.field_map.ours(step, target) or target: held.get(target) for target in news},
            modified_at=now["Modified_Time"],
            remark=write.payload.remark,
        )

    def _reused(self, module: str, row: Row) -> Stored:
        record_id = str(row["id"])
        return Stored(record_id, self._url(module, record_id), "reused", modified_at=row.get("Modified_Time"))


def _place(parent: str | None, module: str) -> str:
    return f"{parent}/{module}"


def _accepted(result: RecordResult) -> str:
    """The id of the record that was stored."""
    if refusal := result.refusal:
        raise refusal
    if result.id is None:
        raise ZohoUnavailable("Zoho's answer does not say which record it is.", sent=True)
    return result.id
