"""`file()`: the write to the CRM as recorded steps, so that a save that was cut anywhere goes on where it stopped."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from extraction.events import ZohoComplete, ZohoProgress, ZohoStart
from extraction.letter import Letter
from extraction.ports import Crm, Journal, Stored
from extraction.records import File, Filing, Record


@dataclass(frozen=True)
class Saved:
    """One record that the CRM confirmed."""

    module: str
    id: str
    url: str | None
    action: str
    person: int

    def view(self) -> dict[str, Any]:
        return {"module": self.module, "id": self.id, "url": self.url, "action": self.action, "person": self.person}


async def file(filings: Sequence[Filing], letter: Letter, key: str, journal: Journal, crm: Crm) -> tuple[Saved, ...]:
    """Write all records of all people. `key` names the mail for good: with it the CRM recognises what a cut attempt,
    or another run of the same mail, has written already. Raises `CrmError`, `LeaseLost`."""
    if not journal.told("zoho_start"):
        journal.tell(ZohoStart(message="Saving", target=crm.target))
    saved = [record for filing in filings async for record in _file_person(filing, letter, key, journal, crm)]
    if not journal.told("zoho_complete"):
        journal.tell(ZohoComplete(records=[record.view() for record in saved]))
    return tuple(saved)


async def _file_person(filing: Filing, letter: Letter, key: str, journal: Journal, crm: Crm) -> AsyncIterator[Saved]:
    person = filing.person

    async def write(record: Record, number: str = "") -> Saved:
        name = f"{record.step}:{person}{number}"
        stored = await journal.step(
            name,
            lambda: crm.upsert(record, f"{key}:{name}"),
            Stored,
            lambda stored: [_progress(record, person, stored)],
        )
        return Saved(record.step, stored.id, stored.url, stored.action, person)

    account = await write(filing.account) if filing.account else None
    if account:
        yield account
    account_id = account.id if account else None
    contact = await write(replace(filing.contact, account_id=account_id))
    yield contact
    deal = await write(replace(filing.deal, account_id=account_id, contact_id=contact.id))
    yield deal
    yield await write(replace(filing.note, deal_id=deal.id))
    for file in filing.files:
        content = letter.files[file.number].content
        yield await write(replace(file, deal_id=deal.id, content=content), f":{file.number}")


def _progress(record: Record, person: int, stored: Stored) -> ZohoProgress:
    what = record.filename if isinstance(record, File) else record.step.capitalize()
    return ZohoProgress(
        step=record.step,
        person=person,
        action=stored.action,
        id=stored.id,
        url=stored.url,
        message=f"{what} {stored.action}",
    )
