"""The job: take a run over, do what its state asks for, end it in the log. At most one worker owns a run at a time."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import Error as DatabaseError

from extraction.corrections import corrected
from extraction.errors import IntakeError, LeaseLost, MemoryUnavailable
from extraction.events import Complete, Failed, ReviewReady
from extraction.filing import Save, Saved
from extraction.letter import Letter
from extraction.memory import lessons_from, rules_in
from extraction.pipeline import Intake, Tools, intake, with_facts
from extraction.ports import Crm, Journal, LanguageModel
from extraction.records import missing_for, records_from
from extraction.seal import Unopened
from extraction.types import Corrections, Email, Extraction
from streaming.bugs import place_of
from streaming.engine import LEASE_SECONDS
from streaming.journal import RunJournal
from streaming.log import Database
from streaming.models import Run
from streaming.runs import OPEN, Runs, State, journal_of, open_run, touch

# `extraction.pipeline.intake`, or the same steps called in another way.
Pipeline = Callable[[Email, Journal, Tools], Awaitable[Intake]]

MOST_ATTEMPTS = 20
HEARTBEAT_SECONDS = 1.0
REVIEW_SECONDS = 30 * 86_400
logger = structlog.get_logger()


class RunFailed(IntakeError):
    """The run was opened again and again and never came to an end."""

    code = "too_many_attempts"
    message = "This mail could not be processed after many attempts."


class RunWorker:
    def __init__(
        self,
        runs: Runs,
        crm: Crm,
        write: Database,
        intake: Pipeline = intake,
        page_of: Callable[[str], str | None] = lambda run_id: None,
    ) -> None:
        """`page_of` is where people read about a run: the CRM's note leads there."""
        self._runs = runs
        self._log = runs.log
        self._tools = runs.tools
        self._crm = crm
        self._write = write
        self._intake = intake
        self._page_of = page_of
        self._leases: dict[str, int] = {}

    async def process(self, run_id: str) -> None:
        """One job. Returns when the run has settled, is somebody else's, or could not be written to (the sweep will
        come back to it)."""
        while before := self._runs.working.get(run_id):
            await asyncio.wait({before})  # a save may follow review so closely that extraction still tidies up
        self._runs.working[run_id] = work = asyncio.create_task(self._take(run_id))
        try:
            await asyncio.wait({work})
        finally:
            if not work.done():  # the process is stopping: another one goes on from the last finished step
                work.cancel()
            if self._runs.working.get(run_id) is work:
                del self._runs.working[run_id]
                self._leases.pop(run_id, None)

    async def _take(self, run_id: str) -> None:
        try:
            opened = await self._write(open_run, run_id, OPEN, None)
        except DatabaseError as error:
            logger.error("run_not_opened", run_id=run_id, kind=type(error).__name__)
            return
        except Unopened as error:  # it stays as it is: who has the key, now or later, goes on with it
            logger.error("mail_sealed", run_id=run_id, key=error.key_id)
            return
        if opened:
            self._leases[run_id] = opened.run.lease
            await self._settle(opened.run, journal_of(self._log, opened))

    async def sweep(self) -> None:
        await self._runs.resubmit_left_behind(LEASE_SECONDS)

    async def heartbeat(self) -> None:
        """Keep the leases of the runs that are being worked on here; runs as long as the process."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                if self._leases:
                    await self._write(touch, dict(self._leases))
            except DatabaseError as error:
                logger.warning("heartbeat_failed", kind=type(error).__name__)

    # ------------------------------------------------------------ one run

    async def _settle(self, run: Run, journal: RunJournal) -> None:
        """Do the work and put its end into the log, whatever it is. Nobody is left waiting for a bug."""
        try:
            if run.attempts > MOST_ATTEMPTS:
                raise RunFailed
            extracting = run.state not in (State.SAVING, State.UNDOING)
            await self._work(run, journal)
            await journal.written()
            if extracting:
                self._log.measures.finished(await self._timings(run))
        except asyncio.CancelledError:
            return
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001
            cause = next(_causes(error))
            if isinstance(cause, LeaseLost):
                return
            if isinstance(cause, DatabaseError):
                logger.error("run_not_written", run_id=str(run.id), kind=type(cause).__name__)
                return
            await self._fail(run, journal, cause)

    async def _fail(self, run: Run, journal: RunJournal, cause: BaseException) -> None:
        known = cause if isinstance(cause, IntakeError) else IntakeError()
        # The type and place of a bug, never its text: that may quote the mail.
        logger.error(
            "run_failed", run_id=str(run.id), code=known.code, kind=type(cause).__name__, where=place_of(cause)
        )
        try:
            journal.change(state=State.FAILED, closed=not known.retryable, error_code=known.code, **first_outcome(run))
            journal.tell(
                Failed(
                    code=known.code,
                    message=known.message,
                    retryable=known.retryable,
                    correlation_id=run.correlation_id,
                )
            )
            await journal.written()
        except (LeaseLost, DatabaseError) as error:
            logger.error("failure_not_written", run_id=str(run.id), kind=type(error).__name__)

    async def _work(self, run: Run, journal: RunJournal) -> None:
        email = Email.model_validate_json(run.email)
        if run.state == State.QUEUED:
            journal.change(state=State.EXTRACTING)
        tools = replace(self._tools, model=self._model_for(run), tenant=run.tenant)
        found = await self._intake(email, journal, tools.for_user(email))
        journal.change(**account_of(found.extraction))
        if self._tools.memory and (rules := rules_in(found.extraction)) and run.state != State.SAVING:
            await _best_effort(self._tools.memory.used(rules, str(run.id)), run)
        if run.state == State.UNDOING:
            await self._undo(run, email, journal, found)
        elif found.extraction.intent == "none":
            await self._complete(run, journal, found.extraction, "nothing_to_file")
        elif run.mode == "preview":
            await self._complete(run, journal, found.extraction, "preview")
        elif run.state == State.SAVING or (run.mode == "auto" and _may_be_saved_unseen(email, found)):
            await self._save(run, email, journal, found)
        else:
            self._review(run, journal, found.extraction, email.user_corrections or Corrections(), found.letter)

    def _model_for(self, run: Run) -> LanguageModel | None:
        if run.engine == "patterns":
            return None
        # A name that the settings have lost since the run was accepted gives the server's choice.
        return self._tools.model_named(run.model) or self._tools.model

    def _review(self, run: Run, journal: RunJournal, whole: Extraction, given: Corrections, letter: Letter) -> None:
        filings = records_from(whole, given, letter, self._page_of(str(run.id)))
        expires_at = time.time() + REVIEW_SECONDS
        journal.change(state=State.REVIEW, expires_at=expires_at, attempts=0, error_code=None, **first_outcome(run))
        journal.tell(
            ReviewReady(
                draft=[filing.view() for filing in filings],
                expires_at=datetime.fromtimestamp(expires_at, UTC).isoformat(),
            )
        )

    async def _save(self, run: Run, email: Email, journal: RunJournal, found: Intake) -> None:
        final, corrections = self._decided(run, email, found)
        saving_at = run.saving_at or time.time()
        journal.change(state=State.SAVING, saving_at=saving_at, saved_at=saving_at)
        await journal.written()  # from here on a cancel is refused: nothing is half-written
        saved = await self._save_of(run, journal, final, corrections, found.letter).write()
        if run.corrections:
            await self._learn(run, found.extraction, corrections)
        await self._complete(run, journal, with_facts(final, run.followup or {}), "saved", saved)

    async def _undo(self, run: Run, email: Email, journal: RunJournal, found: Intake) -> None:
        """Back to review, with what the user had decided: what was saved by mistake is corrected and saved again."""
        final, corrections = self._decided(run, email, found)
        await self._save_of(run, journal, final, corrections, found.letter).take_back(run.undoing_by)
        journal.change(undone=run.undone + 1, undoing_by="", saving_at=None, followup=None)
        self._review(run, journal, final, corrections, found.letter)

    def _decided(self, run: Run, email: Email, found: Intake) -> tuple[Extraction, Corrections]:
        tools = self._tools.for_user(email)
        given = email.user_corrections or Corrections()
        corrections = Corrections.model_validate_json(run.corrections) if run.corrections else given
        return corrected(found.extraction, corrections, tools.own, tools.today()), corrections

    def _save_of(
        self, run: Run, journal: RunJournal, final: Extraction, corrections: Corrections, letter: Letter
    ) -> Save:
        filings = records_from(final, corrections, letter, self._page_of(str(run.id)))
        return Save(filings, letter, filing_key(run), journal, self._crm, run.undone + 1, run.followup)

    async def _learn(self, run: Run, found: Extraction, corrections: Corrections) -> None:
        """What the user changed and saved is remembered; what was only edited, or given along unseen, is not."""
        lessons = lessons_from(found, corrections, self._tools.own)
        if self._tools.memory and lessons:
            await _best_effort(self._tools.memory.learn(run.tenant, lessons, run.saved_by, str(run.id)), run)

    async def _complete(
        self, run: Run, journal: RunJournal, whole: Extraction, status: str, saved: tuple[Saved, ...] = ()
    ) -> None:
        await journal.written()
        timings = await self._timings(run)
        journal.change(state=State.COMPLETE, closed=True, error_code=None, **first_outcome(run))
        journal.tell(
            Complete.model_validate(
                {
                    "status": status,
                    "result": result_view(whole),
                    "records": [record.view() for record in saved],
                    "timings": timings,
                    "usage": whole.usage,
                }
            )
        )

    async def _timings(self, run: Run) -> dict[str, float]:
        _, state = await self._log.snapshot(str(run.id))
        timings: dict[str, float] = state["timings"]
        return timings | {"total": round((time.time() - run.created_at) * 1000, 1)}


async def _best_effort(remembering: Coroutine[Any, Any, None], run: Run) -> None:
    """What is not remembered costs somebody an edit; it is no reason to fail what was asked for."""
    try:
        await remembering
    except MemoryUnavailable as error:
        cause = error.__cause__ or error
        logger.warning("not_remembered", run_id=str(run.id), kind=type(cause).__name__)


def _may_be_saved_unseen(email: Email, found: Intake) -> bool:
    """Mode auto saves what is complete and new; everything else is for the user's eye."""
    given = email.user_corrections or Corrections()
    people = [person for person in found.extraction.people if not given.for_person(person.index).skip]
    complete = bool(people) and not any(missing_for(person) for person in people)
    new = not any(match.module == "deal" for match in found.matches.found)
    return complete and (new or email.allow_duplicate or given.allow_duplicate)


def account_of(whole: Extraction) -> dict[str, object]:
    """Columns of a run that say who was asked, how that ended and what it took."""
    failures = (issue.code for issue in whole.issues if issue.code.startswith("model_"))
    usage = whole.usage.model_dump(include={"input_tokens", "cached_tokens", "output_tokens", "cost"})
    return {
        "model_used": whole.model or "",
        "model_failure": next(failures, ""),
        "prompt_version": whole.prompt_version or "",
        **usage,
    }


def first_outcome(run: Run) -> dict[str, object]:
    """Columns of a run that say how long whoever handed it in has waited for its first outcome."""
    return {} if run.seconds is not None else {"seconds": round(time.time() - run.created_at, 3)}


def filing_key(run: Run) -> str:
    """What a mail is filed under: the same message of a tenant, however often, is one set of records."""
    return hashlib.sha256(f"{run.tenant}\n{run.message_id or run.id}".encode()).hexdigest()[:32]


def result_view(whole: Extraction) -> dict[str, object]:
    """The result of a run as clients see it in `complete`."""
    return {
        "intent": whole.intent,
        "language": whole.language,
        "engine": whole.engine,
        "model": whole.model,
        "prompt_version": whole.prompt_version,
        "source": whole.source,
        "source_detail": whole.source_detail,
        "people": [person.view() for person in whole.people],
        "deal_names": [person.text("deal", "deal_name") for person in whole.people],
        "issues": [issue.model_dump() for issue in whole.issues],
        "reason": whole.reason,
    }


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What really happened, out of a task group's bundle: a lost lease first, it explains the rest."""
    leaves = list(_leaves(error))
    yield from sorted(leaves, key=lambda leaf: not isinstance(leaf, LeaseLost))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
