"""What can be done with a run: start, save, cancel, retry, undo, rerun. Each changes the row, then wakes the engine."""

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from pydantic import BaseModel, ConfigDict

from extraction.attachments import Attached, with_attached
from extraction.corrections import corrected
from extraction.errors import LeaseLost, ResearchError
from extraction.events import Cancelled, DuplicateFound
from extraction.followup import Fact, FollowUp, has_firm, news_in
from extraction.identity import message_id_of
from extraction.letter import Letter
from extraction.mime import letter_from
from extraction.pipeline import ATTACHED, Matches, Tools, matches_of
from extraction.records import missing_for, records_from
from extraction.types import Corrections, Email, Engine, Extraction, Mode, Person
from extraction.values import company_domain
from streaming.audit import Deed
from streaming.batches import END
from streaming.callers import Caller, Scope
from streaming.journal import RunJournal
from streaming.log import Database, Log
from streaming.models import Event, Run, Step
from streaming.problems import Problem, no_such_run
from streaming.wire import Cursor, Entry

State = Run.State
OPEN = (State.QUEUED, State.EXTRACTING, State.SAVING, State.UNDOING)
SETTLED = (State.COMPLETE, State.FAILED, State.CANCELLED)


class RerunRequest(BaseModel):
    """How to run a mail again: null takes the server's choice. `model` is one that the settings name."""

    model_config = ConfigDict(extra="forbid")
    engine: Engine | None = None
    model: str | None = None


@dataclass(frozen=True)
class Started:
    """A run that a call was answered with; `replay` when an earlier call had started it."""

    run_id: str
    cursor: Cursor
    replay: bool = False


@dataclass(frozen=True)
class Prospect:
    """What a save would write, of whom, and what the CRM holds of them already."""

    final: Extraction
    people: tuple[Person, ...]
    matches: tuple[DuplicateFound, ...]

    @property
    def deals(self) -> list[DuplicateFound]:
        """The matches that make it a duplicate: a person may be known, a deal may not."""
        return [match for match in self.matches if match.module == "deal"]


_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Wakes whoever processes runs: (run id, state). Best effort; the sweep finds what it misses.
Submit = Callable[[str, str], Awaitable[None]]


class Runs:
    """`tools` are the pipeline's; `limit` is how many runs a caller may have in flight; `saw` hears who looks."""

    def __init__(
        self,
        log: Log,
        write: Database,
        read: Database,
        tools: Tools,
        submit: Submit,
        limit: int,
        saw: Callable[[Run, Caller], None] = lambda run, caller: None,
    ) -> None:
        self.log = log
        self.saw = saw
        self.tools = tools
        self.working: dict[str, asyncio.Task[None]] = {}
        self._write = write
        self._read = read
        self._submit = submit
        self._limit = limit

    # ------------------------------------------------------------ looking

    async def visible(self, run_id: str, caller: Caller | None, scope: Scope = "read") -> Run:
        """The run's row, when the caller may see it; `Problem` 404 otherwise, so that ids cannot be probed, and 403
        without the scope for what is to be done with it."""
        if caller is not None:
            caller.require(scope)
        run = await self._read(_find, run_id) if _RUN_ID.fullmatch(run_id) else None
        if run is None or caller is None or not caller.may_see(run_id, run.tenant):
            raise no_such_run()
        if run.erased_at is not None:
            raise Problem(410, "erased", "This mail and what was made of it have been erased.")
        if scope == "read":
            self.saw(run, caller)
        return run

    async def letter(self, run: Run) -> Letter:
        """The run's mail as it was understood, with its attachments as soon as they have been read."""
        letter = await asyncio.to_thread(letter_from, await self._email(str(run.id)))
        attached = await self._read(_attached_to, str(run.id))
        return with_attached(letter, Attached.model_validate_json(attached)) if attached else letter

    async def _email(self, run_id: str) -> Email:
        return Email.model_validate_json(await self._read(_email_of, run_id))

    async def settled(self, run_id: str, seconds: float) -> tuple[Run, dict[str, Any]]:
        """Wait until nothing is under way, for so long at most, and give the run's row and its whole state."""
        ends_at, cursor = time.monotonic() + seconds, None
        while True:
            left = ends_at - time.monotonic()
            async with aclosing(self.log.follow(run_id, cursor, until_settled=True, seconds=left)) as items:
                async for _ in items:
                    pass
            run, state = await self.log.snapshot(run_id)
            if run.state not in OPEN or self.log.tail.stopped or time.monotonic() >= ends_at:
                return run, state
            cursor = Cursor(run.epoch, run.last_sequence)  # a review that is being saved has settled before

    # ------------------------------------------------------------ changing

    async def start(
        self,
        email: Email,
        caller: Caller,
        mode: Mode = "review",
        key: str | None = None,
        again: RerunRequest | None = None,
        rerun_of: str | None = None,
    ) -> Started:
        """Accept a mail: one transaction, then a wake-up. The same key, or the same message in modes review and auto,
        gives the first run. `again` says how a rerun differs, `rerun_of` from which run."""
        caller.require("intake")
        run = await asyncio.to_thread(_new_run, email, caller, mode, key, again)
        run.rerun_of_id = rerun_of
        started = await self._write(_insert_once, run, self._limit, Deed("rerun" if rerun_of else "start", caller))
        await self._submit_new(started)
        return started

    async def start_all(self, emails: Sequence[Email], caller: Caller, key: str | None = None) -> list[Started]:
        """Accept all of these mails or none: a refusal names the mail at fault."""
        caller.require("intake")
        runs = [
            await asyncio.to_thread(_new_run, email, caller, "review", key and f"{key}#{number}", None)
            for number, email in enumerate(emails)
        ]
        started = await self._write(_insert_all, runs, self._limit, Deed("start", caller))
        for one in started:
            await self._submit_new(one)
        return started

    async def _submit_new(self, started: Started) -> None:
        if not started.replay:
            await self._submit(started.run_id, State.QUEUED)

    async def save(self, run_id: str, caller: Caller, corrections: Corrections) -> State:
        """Approve. A second call changes nothing. Refused when the CRM would refuse it, or when a likely duplicate
        was shown and the user has not said to save all the same."""
        run = await self.visible(run_id, caller, "intake")
        if run.state in (State.SAVING, State.COMPLETE) and run.saving_at:
            return State(run.state)
        if run.state != State.REVIEW:
            raise Problem(409, "not_in_review", f"The run is {run.state}; only a run in review can be saved.")
        await self._check(run, corrections)
        now = time.time()
        saving = {
            "state": State.SAVING,
            "corrections": corrections.model_dump_json(),
            "saving_at": now,
            "saved_at": now,
            "saved_by": (caller.name or caller.subject)[:200],
        }
        if await self._write(_change, run_id, (State.REVIEW,), saving, Deed("save", caller)):
            await self._submit(run_id, State.SAVING)
            return State.SAVING
        return await self.save(run_id, caller, corrections)  # somebody was quicker: answer by what the run is now

    async def prospect(self, run: Run, corrections: Corrections) -> Prospect:
        """What a save with these corrections would write and meet, as of now: the CRM is asked again, since a review
        may have been waiting for days."""
        whole, known = await self._read(_results, str(run.id))
        final = corrected(whole, corrections, self.tools.own, self.tools.today())
        skipped = {given.index for given in corrections.people if given.skip}
        people = tuple(person for person in final.people if person.index not in skipped)
        matches = await matches_of(people, self.tools.crm)
        if matches.issues:  # the CRM is away: what it held when the mail came is the best that is known
            matches = Matches(found=[match for match in known.found if match.person not in skipped])
        return Prospect(final, people, tuple(matches.found))

    async def _check(self, run: Run, corrections: Corrections) -> None:
        """Everything that the save would stumble over is said now, while the user still looks."""
        prospect = await self.prospect(run, corrections)
        errors = [
            {"field": f"people.{person.index}.{name}", "code": "missing", "message": "The CRM needs it."}
            for person in prospect.people
            for name in missing_for(person)
        ]
        if errors:
            names = ", ".join(error["field"] for error in errors)
            raise Problem(422, "requires_input", f"Please fill in: {names}.", errors=errors)
        if not records_from(prospect.final, corrections, await self.letter(run)):
            raise Problem(422, "nothing_to_save", "Everybody is left out; there is nothing to save.")
        allowed = corrections.allow_duplicate or (await self._email(str(run.id))).allow_duplicate
        if (deals := prospect.deals) and not allowed:
            found = [{"field": f"people.{match.person}", "code": "duplicate", "message": match.id} for match in deals]
            raise Problem(409, "duplicate_found", "The CRM already holds this deal; save all the same?", errors=found)

    async def cancel(self, run_id: str, caller: Caller) -> State:
        """Stop a run for good. What is being saved is not stopped half-way: wait, then undo."""
        run = await self.visible(run_id, caller, "intake")
        if run.state == State.CANCELLED:
            return State.CANCELLED
        if run.state in (State.SAVING, State.UNDOING, State.COMPLETE) or run.closed:
            raise Problem(409, "not_cancellable", f"The run is {run.state}; it can't be cancelled any more.")
        journal = await self._take_over(run_id, Deed("cancel", caller))
        if task := self.working.get(run_id):
            task.cancel("cancelled by a user")
        journal.change(state=State.CANCELLED, closed=True)
        journal.tell(Cancelled(by=caller.name or caller.subject))
        try:
            await journal.written()
        except LeaseLost:  # somebody was quicker: another cancel, or the sweep's next worker
            return await self.cancel(run_id, caller)
        return State.CANCELLED

    async def _take_over(self, run_id: str, done: Deed) -> RunJournal:
        """The pen of a run, out of the hands of whoever holds it: their next append is refused."""
        states = (State.QUEUED, State.EXTRACTING, State.REVIEW, State.FAILED)
        opened = await self._write(open_run, run_id, states, None, done)
        if opened is None:
            raise Problem(409, "not_cancellable", "The run can't be cancelled any more.")
        return journal_of(self.log, opened)

    async def retry(self, run_id: str, caller: Caller) -> State:
        """Go on after a retryable failure, from the last finished step."""
        run = await self.visible(run_id, caller, "intake")
        if run.state != State.FAILED or run.closed:
            raise Problem(409, "not_retryable", f"The run is {run.state}; there is nothing to retry.")
        state = State.UNDOING if run.undoing_by else State.SAVING if run.saving_at else State.QUEUED
        await self._resume(run_id, (State.FAILED,), {"state": state}, Deed("retry", caller))
        return state

    async def undo(self, run_id: str, caller: Caller) -> State:
        """Take a save back, also one that failed half-way; the run is in review again afterwards. A second call
        changes nothing."""
        run = await self.visible(run_id, caller, "intake")
        if run.state == State.UNDOING or (run.state == State.REVIEW and run.undone):
            return State(run.state)
        if run.state == State.SAVING:
            raise Problem(409, "still_saving", "The run is being saved; undo it when that has ended.")
        if run.state not in SETTLED or not run.saving_at:
            raise Problem(409, "nothing_to_undo", f"The run is {run.state}; nothing of it has been saved.")
        by = (caller.name or caller.subject)[:200]
        undoing = {"state": State.UNDOING, "undoing_by": by, "closed": False, "exported": False}
        if await self._resume(run_id, SETTLED, undoing, Deed("undo", caller)):
            return State.UNDOING
        return await self.undo(run_id, caller)  # somebody was quicker: answer by what the run is now

    async def followup(self, run: Run) -> dict[Fact, str]:
        """What the firm's web page says that the save did not know: research that was too slow for the run is offered,
        never written unasked."""
        saved = await self._saved(run)
        domain = saved and company_domain(saved.people[0])
        if not (saved and domain and self.tools.research) or run.followup is not None:
            return {}
        try:
            facts = await self.tools.research.find(domain)
        except (TimeoutError, ResearchError):
            return {}
        return news_in(facts or {}, saved)

    async def follow_up(self, run_id: str, caller: Caller, approved: FollowUp) -> State:
        """Add what the user saw and approved to the saved firm, where the CRM holds nothing yet. A second call changes
        nothing."""
        run = await self.visible(run_id, caller, "intake")
        if run.followup is not None and run.state in (State.SAVING, State.COMPLETE):
            if run.followup != approved.company:
                raise Problem(409, "followed_up", "Facts have been added already.")
            return State(run.state)
        if await self._saved(run) is None:
            raise Problem(409, "no_saved_firm", f"The run is {run.state}; facts are added to a firm that it has saved.")
        now = time.time()
        columns = {
            "state": State.SAVING,
            "followup": approved.company,
            "saving_at": now,
            "saved_at": now,
            "closed": False,
            "exported": False,
        }
        if await self._resume(run_id, (State.COMPLETE,), columns, Deed("follow_up", caller)):
            return State.SAVING
        return await self.follow_up(run_id, caller, approved)

    async def _saved(self, run: Run) -> Extraction | None:
        """What was saved, when facts may be added to its first person's firm."""
        if run.state != State.COMPLETE or not run.saving_at:
            return None
        whole, _ = await self._read(_results, str(run.id))
        given = await self._read(_corrections_of, str(run.id))
        corrections = Corrections.model_validate_json(given) if given else None
        corrections = corrections or (await self._email(str(run.id))).user_corrections or Corrections()
        final = corrected(whole, corrections, self.tools.own, self.tools.today())
        return final if has_firm(final, corrections) else None

    async def _resume(self, run_id: str, states: tuple[str, ...], columns: dict[str, Any], done: Deed) -> bool:
        """Have a run that had settled worked on again, if it still is in one of the states."""
        try:
            resumed = await self._write(_change, run_id, states, columns | {"attempts": 0}, done)
        except IntegrityError:
            raise Problem(409, "started_again", "The same mail has been started again since.") from None
        if resumed:
            await self._submit(run_id, columns["state"])
        return resumed

    async def resubmit_left_behind(self, seconds: float) -> None:
        """Hand every open run without a sign of life to the engine again: after a crash, a lost job."""
        for run_id, state in await self._read(left_behind, time.time() - seconds):
            if run_id not in self.working:
                await self._submit(run_id, state)

    async def rerun(self, run_id: str, caller: Caller, request: RerunRequest) -> Started:
        """The same mail once more, as a preview, with another model or engine if asked."""
        run = await self.visible(run_id, caller, "intake")
        if problem := self._objection(request):
            raise problem
        email = (await self._email(str(run.id))).model_copy(update={"dry_run": True, "mode": "preview"})
        return await self.start(email, caller, again=request, rerun_of=run_id)

    def _objection(self, request: RerunRequest) -> Problem | None:
        """A rerun that quietly took another model or engine than was asked for would be a lie."""
        if request.model is not None and self.tools.model_named(request.model) is None:
            return _unfit("model", "unknown_model", "This server knows no such model.")
        if request.model is not None and request.engine == "patterns":
            return _unfit("model", "contradiction", "The engine patterns asks no model.")
        if request.engine == "model" and self.tools.model is None:
            return _unfit("engine", "no_model", "No language model is configured here.")
        return None


def _new_run(email: Email, caller: Caller, mode: Mode, key: str | None, again: RerunRequest | None) -> Run:
    mode = "preview" if email.dry_run else email.mode or mode
    text = email.model_dump_json(exclude_unset=True)
    return Run(
        tenant=caller.tenant,
        owner=caller.subject,
        owner_name=(caller.name or caller.subject)[:200],
        correlation_id=hashlib.sha256(f"{caller.subject}{time.time_ns()}".encode()).hexdigest()[:16],
        mode=mode,
        engine=(again and again.engine) or "",
        model=(again and again.model) or "",
        idempotency_key=key,
        digest=hashlib.sha256(b"%s %s" % (mode.encode(), text.encode())).hexdigest(),
        message_id=message_id_of(email),
        email=text,
    )


def _unfit(field: str, code: str, message: str) -> Problem:
    return Problem(422, code, message, errors=[{"field": field, "code": code, "message": message}])


@dataclass(frozen=True)
class Opened:
    """A run in the hands of one worker: its row with the new lease, its log without tokens, its finished steps."""

    run: Run
    entries: list[Entry]
    steps: dict[str, str]


def journal_of(log: Log, opened: Opened) -> RunJournal:
    run = opened.run
    end = Cursor(run.epoch, run.last_sequence)
    return RunJournal(log, str(run.id), run.lease, end, run.lease, opened.entries, opened.steps)


# ---------------------------------------------------------------- statements (each runs on a database thread)


def open_run(run_id: str, states: tuple[str, ...], state: str | None, done: Deed | None = None) -> Opened | None:
    """Take the lease of a run in one of these states, and move it to `state` if one is given. `done` is somebody's deed
    that this is a part of."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, state__in=states, closed=False).first()
        if run is None:
            return None
        run.last_sequence = Run.objects.values_list(END).get(pk=run_id)[0]
        run.lease += 1
        run.attempts += 1
        run.touched_at = time.time()
        run.state = state or run.state
        run.save(update_fields=["lease", "attempts", "touched_at", "state", "last_sequence"])
        if done:
            done.entry(run_id).save()
        rows = Event.objects.filter(run_id=run_id).exclude(type="extraction_token").order_by("sequence")
        entries = [Entry(run_id, run.epoch, *row) for row in rows.values_list("sequence", "type", "timestamp", "data")]
        steps = dict(Step.objects.filter(run_id=run_id).values_list("name", "result"))
    return Opened(run, entries, steps)


def _find(run_id: str) -> Run | None:
    return Run.objects.defer("email", "corrections").filter(pk=run_id).first()


def _email_of(run_id: str) -> str:
    return Run.objects.values_list("email", flat=True).get(pk=run_id)


def _corrections_of(run_id: str) -> str | None:
    return Run.objects.values_list("corrections", flat=True).get(pk=run_id)


def _attached_to(run_id: str) -> str | None:
    return Step.objects.filter(run_id=run_id, name=ATTACHED).values_list("result", flat=True).first()


@transaction.atomic
def _change(run_id: str, states: tuple[str, ...], columns: dict[str, Any], done: Deed) -> bool:
    # The lease rises, so that whoever holds a pen of the old state (a worker that tidies up, a cancel) is refused.
    columns = columns | {"touched_at": time.time(), "lease": F("lease") + 1}
    runs = Run.objects.filter(pk=run_id, state__in=states)
    # A closed log is written to no more, unless the very change opens it again.
    if not (runs if "closed" in columns else runs.filter(closed=False)).update(**columns):
        return False
    done.entry(run_id).save()
    return True


def _results(run_id: str) -> tuple[Extraction, Matches]:
    steps = dict(Step.objects.filter(run_id=run_id).values_list("name", "result"))
    return Extraction.model_validate_json(steps["validated"]), Matches.model_validate_json(steps["duplicates"])


@transaction.atomic
def _insert_all(runs: Sequence[Run], limit: int, done: Deed) -> list[Started]:
    started = []
    for number, run in enumerate(runs):
        try:
            started.append(_insert_once(run, limit, done))
        except Problem as problem:
            problem.errors = [{"field": f"emails.{number}", "code": problem.code, "message": problem.detail}]
            raise
    return started


def _insert_once(run: Run, limit: int, done: Deed) -> Started:
    try:
        with transaction.atomic():
            if earlier := _earlier(run):
                return earlier
            if Run.objects.filter(tenant=run.tenant, owner=run.owner, state__in=OPEN).count() >= limit:
                raise Problem(429, "too_many_runs", f"You have {limit} runs in flight.", retry_after=5)
            run.save(force_insert=True)
            replace(done, about=run.mode).entry(run.pk).save()
    except IntegrityError:
        # The same key or message was inserted by somebody else between our look and our insert (PostgreSQL), or this
        # very insert was committed before its connection died.
        if earlier := _earlier(run):
            return earlier
        if not Run.objects.filter(pk=run.pk).exists():
            raise
    return Started(str(run.id), Cursor(run.epoch, 0))


def _earlier(run: Run) -> Started | None:
    if run.idempotency_key is not None:
        mine = Run.objects.filter(tenant=run.tenant, owner=run.owner, idempotency_key=run.idempotency_key).first()
        if mine and mine.digest != run.digest:
            detail = "This Idempotency-Key was used with another request."
            raise Problem(409, "idempotency_mismatch", detail)
        if mine:
            return Started(str(mine.id), Cursor(mine.epoch, 0), replay=mine.id != run.id)
    if run.message_id is not None and run.mode != "preview":
        same = Run.objects.filter(tenant=run.tenant, message_id=run.message_id, mode__in=("review", "auto"))
        if earlier := same.exclude(state__in=(State.FAILED, State.CANCELLED)).first():
            return Started(str(earlier.id), Cursor(earlier.epoch, 0), replay=True)
    return None


def touch(live: dict[str, int]) -> None:
    """A sign of life for all runs that this process works on: run id → lease."""
    with connection.cursor() as cursor:
        key = Run._meta.pk.get_db_prep_value
        cursor.executemany(
            "UPDATE streaming_run SET touched_at = %s WHERE id = %s AND lease = %s",
            [(time.time(), key(run_id, connection), lease) for run_id, lease in live.items()],
        )


def left_behind(before: float) -> list[tuple[str, str]]:
    """Open runs without a sign of life since then: (id, state)."""
    rows = Run.objects.filter(state__in=OPEN, closed=False, touched_at__lt=before).values_list("id", "state")
    return [(str(run_id), state) for run_id, state in rows[:1000]]
