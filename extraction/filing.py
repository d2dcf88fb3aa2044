"""`Save`: the write to the CRM and its taking back, as recorded steps, so that what was cut anywhere goes on there."""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from extraction.errors import CrmRejected
from extraction.events import UndoComplete, UndoProgress, UndoStart, ZohoComplete, ZohoProgress, ZohoStart
from extraction.letter import Letter
from extraction.ports import Crm, Journal, Stored, Undone
from extraction.records import Account, File, Filing, Record, Step

When = Literal["now", "before"]


@dataclass(frozen=True)
class Saved:
    """One record that the CRM confirmed, and the key it was asked under."""

    module: Step
    person: int
    key: str
    stored: Stored

    def view(self) -> dict[str, Any]:
        stored = self.stored
        return {
            "module": self.module,
            "id": stored.id,
            "url": stored.url,
            "action": stored.action,
            "person": self.person,
        }


@dataclass(frozen=True)
class Save:
    """All records of one mail's people. `key` names the mail for good: with it the CRM recognises what a cut attempt,
    or another run of the same mail, has written already. `number` counts the saves of one run: one that was taken back
    may be followed by another. `followup` are facts of the first person's firm that came after the save."""

    filings: Sequence[Filing]
    letter: Letter
    key: str
    journal: Journal
    crm: Crm
    number: int = 1
    followup: Mapping[str, str] | None = None

    async def write(self) -> tuple[Saved, ...]:
        """Raises `CrmError`, `LeaseLost`."""
        if not self.journal.told("zoho_start"):
            self.journal.tell(ZohoStart(message="Saving", target=self.crm.target))
        saved = [record async for record, _ in self._records()]
        if not self.journal.told("zoho_complete"):
            self.journal.tell(ZohoComplete(records=[record.view() for record in saved]))
        return tuple(saved)

    async def take_back(self, by: str) -> None:
        """Delete what was created, restore what was changed, last things first. Raises `CrmError`, `LeaseLost`."""
        if not self.journal.told("undo_start"):
            self.journal.tell(UndoStart(message="Taking the save back", target=self.crm.target, by=by))
        written = _once([record async for record in self._written()])
        undone = [(record, await self._take_back(record)) for record in reversed(written)]
        self.journal.tell(UndoComplete(records=[_undone_view(record, outcome) for record, outcome in undone]))

    # ------------------------------------------------------------ writing

    async def _records(self) -> AsyncIterator[tuple[Saved, When]]:
        """Every record, and whether it was written now or before."""
        for filing in self.filings:
            async for record in self._of_person(filing):
                yield record
        first = self.filings[0] if self.filings else None
        if self.followup and first and first.account:
            facts = replace(Account(first.account.company_name), **self.followup)  # type: ignore[arg-type]
            yield await self._write(facts, first.person, f"{first.person}.account.followup")

    async def _of_person(self, filing: Filing) -> AsyncIterator[tuple[Saved, When]]:
        def write(record: Record, number: str = "") -> Awaitable[tuple[Saved, When]]:
            return self._write(record, filing.person, f"{filing.person}.{record.step}{number}")

        account_id = None
        if filing.account:
            yield (account := await write(filing.account))
            account_id = account[0].stored.id
        yield (contact := await write(replace(filing.contact, account_id=account_id)))
        yield (deal := await write(replace(filing.deal, account_id=account_id, contact_id=contact[0].stored.id)))
        deal_id = deal[0].stored.id
        yield await write(replace(filing.note, deal_id=deal_id))
        for file in filing.files:
            content = self.letter.files[file.number].content
            yield await write(replace(file, deal_id=deal_id, content=content), f".{file.number}")

    async def _write(self, record: Record, person: int, place: str) -> tuple[Saved, When]:
        name, key = self._step("save", place), f"{self.key}.{place}"
        when: When = "before" if self.journal.done(name) else "now"

        async def work() -> Saved:
            return Saved(record.step, person, key, await self.crm.upsert(record, key))

        return await self.journal.step(name, work, Saved, lambda saved: [_progress(record, saved)]), when

    def _step(self, doing: Literal["save", "undo"], place: str) -> str:
        return f"{doing}{self.number}:{place}"

    # ------------------------------------------------------------ taking back

    async def _written(self) -> AsyncIterator[Saved]:
        """What is known to be stored. Of the record that a save failed at nobody knows whether it is: it is written
        once more, which gives the same one, to be taken back with the others."""
        try:
            async for record, when in self._records():
                yield record
                if when == "now":
                    return
        except CrmRejected:
            return  # it was refused: nothing is stored of it

    async def _take_back(self, record: Saved) -> Undone:
        place = record.key.removeprefix(f"{self.key}.")
        return await self.journal.step(
            self._step("undo", place),
            lambda: self.crm.undo(record.module, record.stored),
            Undone,
            lambda undone: [_undo_progress(record, undone)],
        )


def _once(saved: Sequence[Saved]) -> list[Saved]:
    """Each record once: two people of one firm share its account, which is taken back to what it was before both. Of
    what was skipped there is none."""
    known: dict[tuple[str, str], Saved] = {}
    for record in (_as_ours(one) for one in saved if one.stored.action != "skipped"):
        place = record.module, record.stored.id
        earlier = known.get(place)
        known[place] = replace(earlier, stored=_both(earlier.stored, record.stored)) if earlier else record
    return list(known.values())


def _as_ours(saved: Saved) -> Saved:
    """Deals, notes and files are found by this mail's key alone: what was `reused` of them, a cut attempt has made."""
    if saved.module in ("account", "contact") or saved.stored.action != "reused":
        return saved
    return replace(saved, stored=replace(saved.stored, action="created"))


def _both(first: Stored, second: Stored) -> Stored:
    """What two writes to one record come to."""
    if second.action != "updated":
        return first
    if first.action == "created":
        return replace(first, modified_at=second.modified_at)
    return replace(second, before={**(second.before or {}), **(first.before or {})})


# ---------------------------------------------------------------- how it is told


def _progress(record: Record, saved: Saved) -> ZohoProgress:
    what = record.filename if isinstance(record, File) else record.step.capitalize()
    return ZohoProgress(
        step=saved.module,
        person=saved.person,
        action=saved.stored.action,
        id=saved.stored.id,
        url=saved.stored.url,
        message=f"{what} {saved.stored.action}" + (f": {saved.stored.remark}" if saved.stored.remark else ""),
    )


def _undo_progress(saved: Saved, undone: Undone) -> UndoProgress:
    what = f"{saved.module.capitalize()} {undone.outcome}"
    return UndoProgress(
        step=saved.module,
        person=saved.person,
        outcome=undone.outcome,
        reason=undone.reason,
        id=saved.stored.id,
        url=saved.stored.url if undone.outcome != "deleted" else None,
        message=f"{what}: {undone.reason}" if undone.reason else what,
    )


def _undone_view(saved: Saved, undone: Undone) -> dict[str, Any]:
    told = _undo_progress(saved, undone).model_dump(include={"id", "url", "outcome", "reason", "person"})
    return {"module": saved.module} | told
