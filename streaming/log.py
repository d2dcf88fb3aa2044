"""The append-only log of every run: `append`, `read`, `follow`. The log is the truth; a wake-up is a hint."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

import structlog

from extraction.errors import LeaseLost
from extraction.events import SETTLING
from extraction.seal import Unopened
from streaming.batches import END, Batch, insert
from streaming.bell import Bell
from streaming.measures import Measures
from streaming.models import Event, Run
from streaming.snapshot import snapshot_from
from streaming.tail import Growth, Tail, Window
from streaming.wire import Cursor, Entry, Item, Reset

P = ParamSpec("P")
T = TypeVar("T")

FIELD = "extraction_field"
PAGE_ENTRIES = 500
KEEPALIVE_SECONDS = 15.0
# After a commit the writer lets this much pile up for each run that was in it. At rest that is nothing; under load each
# stream is then read, written and sent as often as its readers notice, and not as often as the model says a syllable.
REST_SECONDS_PER_RUN = 0.0002
MOST_REST_SECONDS = 0.02
logger = structlog.get_logger()


class Database(Protocol):
    """Runs a function of the database on a thread of its own; may call it again after a dead connection."""

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...


# Takes what has just been written to a run's log elsewhere. Must neither wait nor fail.
Committed = Callable[[str, Sequence[Entry]], None]


class UnknownRun(Exception):
    """There is no such run."""


class Writer(Protocol):
    """Holds what is to be written to one run's log until the next transaction has room for it."""

    def take(self) -> Batch | None:
        """Everything that has piled up since the last time."""

    def written_to_log(self, batch: Batch) -> None:
        """The batch is committed."""

    def refused(self, error: BaseException) -> None:
        """The batch was not written: `LeaseLost`, or the database failed."""


@dataclass(frozen=True)
class Page:
    """A stretch of a log, and how things stand with its run."""

    run: Run
    entries: Sequence[Entry]


class Log:
    def __init__(
        self,
        write: Database,
        read: Database,
        bell: Bell | None,
        measures: Measures,
        committed: Committed | None = None,
    ) -> None:
        """`bell` is None where there is no other process; `committed` hears of what this one has written."""
        self.measures = measures
        self._committed = committed
        self._write = write
        self._read = read
        self._bell = bell
        self.tail = Tail(self._look)
        self._due: dict[Writer, None] = {}
        self._wake = asyncio.Event()

    # ------------------------------------------------------------ writing

    def append(self, writer: Writer) -> None:
        """Have the writer's events written with the next transaction. Whatever piles up during a write, of all runs,
        goes into the one after it: at rest one small insert, under load hundreds of rows at once."""
        self._due[writer] = None
        self._wake.set()

    async def write(self) -> None:
        """The one writer of this process; runs as long as the process."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = self._due, {}
            if batches := _taken(due):
                await self._commit(batches)
                await asyncio.sleep(min(len(batches) * REST_SECONDS_PER_RUN, MOST_REST_SECONDS))

    def queued(self) -> int:
        """Runs whose events wait for the next transaction."""
        return len(self._due)

    async def _commit(self, batches: Mapping[Writer, Batch]) -> None:
        try:
            written = await self._write(insert, list(batches.values()))
        except Exception as error:  # noqa: BLE001  (every run that waits must hear of it)
            logger.error("log_not_written", kind=type(error).__name__, batches=len(batches))
            for writer in batches:
                writer.refused(error)
            return
        self.measures.written(
            event.timestamp for batch in batches.values() for event in batch.events if event.type == FIELD
        )
        self.measures.events += sum(len(batch.events) for batch in batches.values())
        grown = {}
        for (writer, batch), is_written in zip(batches.items(), written, strict=True):
            if not is_written:
                writer.refused(LeaseLost())
                continue
            if batch.events:
                entries = _entries(batch)
                self.tail.committed(batch.run_id, entries, bool(batch.changes.get("closed")))
                if self._committed:
                    self._committed(batch.run_id, entries)
                grown[batch.run_id] = batch.ends_at
            writer.written_to_log(batch)
        if grown and self._bell:
            await self._bell.ring(grown)

    # ------------------------------------------------------------ reading

    async def read(self, run_id: str, after: int = 0, limit: int = PAGE_ENTRIES) -> Page:
        """The entries after a sequence, at most `limit`, with the run's row as of the same moment."""
        return await self._read(_page, run_id, after, limit)

    async def snapshot(self, run_id: str) -> tuple[Run, dict[str, Any]]:
        """The whole state of a run so far, folded from its log."""
        return await self._read(_snapshot, run_id)

    async def follow(
        self,
        run_id: str,
        cursor: Cursor | None = None,
        *,
        keepalive: float = KEEPALIVE_SECONDS,
        until_settled: bool = False,
        seconds: float = math.inf,
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Everything after the cursor, as it comes: subscribe, read, deliver, then wait.

        Yields what arrived together; an empty sequence after `keepalive` seconds of silence. Ends when the log is
        closed, when `seconds` are over, when this process drains, and with `until_settled` behind a settling event
        that nothing follows yet. Raises `UnknownRun`.
        """
        ends_at = time.monotonic() + seconds
        with self.tail.watching(run_id) as (window, news):
            position = cursor.sequence if cursor else 0
            page = await self.read(run_id, position)
            if reset := await self._reset_for(page.run, cursor):
                yield (reset,)
                position = reset.cursor.sequence
                page = await self.read(run_id, position)
            entries: Sequence[Entry] | None = page.entries
            _learn(window, page)
            while not self.tail.stopped and time.monotonic() < ends_at:
                if entries:
                    yield entries
                    position = entries[-1].sequence
                    if until_settled and entries[-1].type in SETTLING and position >= window.grown_to:
                        return
                elif window.closed and position >= window.grown_to:
                    return
                elif position >= window.grown_to:
                    patience = min(keepalive, ends_at - time.monotonic())
                    if not await _heard(news, patience) and patience == keepalive:
                        yield ()
                news.clear()
                entries = window.after(position)
                if not entries and window.grown_to > position:
                    page = await self.read(run_id, position)
                    entries = page.entries
                    _learn(window, page)

    async def _reset_for(self, run: Run, cursor: Cursor | None) -> Reset | None:
        start = cursor.sequence if cursor else 0
        if cursor and cursor.epoch != run.epoch:
            reason = "unknown_epoch"
        elif start > run.last_sequence:
            reason = "beyond_end"
        elif start + 1 < run.first_sequence:
            reason = "trimmed"
        else:
            return None
        run, state = await self.snapshot(str(run.id))
        return Reset(str(run.id), reason, run.first_sequence, Cursor(run.epoch, run.last_sequence), state)

    async def _look(self, here: Mapping[str, int]) -> Mapping[str, Growth]:
        return await self._read(_growth, here)


def _taken(due: Iterable[Writer]) -> dict[Writer, Batch]:
    """What is to be written. A writer that cannot say it is refused; the others' events do not wait for it."""
    batches = {}
    for writer in due:
        try:
            batch = writer.take()
        except Exception as error:  # noqa: BLE001
            logger.error("batch_not_made", kind=type(error).__name__)
            writer.refused(error)
            continue
        if batch:
            batches[writer] = batch
    return batches


def _learn(window: Window, page: Page) -> None:
    """What a read of the database says of the end of the log."""
    window.grown_to = max(page.run.last_sequence, page.entries[-1].sequence if page.entries else 0)
    window.closed = page.run.closed


async def _heard(news: asyncio.Event, seconds: float) -> bool:
    """Whether news came. A plain timer: `asyncio.timeout` costs as much as a token's whole way from here."""
    is_silent = False

    def give_up() -> None:
        nonlocal is_silent
        is_silent = True
        news.set()

    timer = asyncio.get_running_loop().call_later(seconds, give_up)
    try:
        await news.wait()
    finally:
        timer.cancel()
    return not is_silent


# ---------------------------------------------------------------- statements (each runs on a database thread)


def _page(run_id: str, after: int, limit: int) -> Page:
    # No transaction: the row first, then the entries, so that the entries are never older than the row; and under
    # SQLite a reader's BEGIN IMMEDIATE would stand in the writer's way.
    run = _run(run_id)
    rows = Event.objects.filter(run_id=run_id, sequence__gt=after).order_by("sequence")[:limit]
    return Page(run, [_entry(run, *row) for row in rows.values_list("sequence", "type", "timestamp", "data")])


def _snapshot(run_id: str) -> tuple[Run, dict[str, Any]]:
    run = _run(run_id)
    told = Event.objects.filter(run_id=run_id, sequence__lte=run.last_sequence).order_by("sequence")
    rows = told.exclude(type="extraction_token").values_list("sequence", "type", "timestamp", "data")
    first_token = told.filter(type="extraction_token").values_list("timestamp", flat=True).first()
    return run, snapshot_from(run, [_entry(run, *row) for row in rows], first_token)


def _growth(here: Mapping[str, int]) -> Mapping[str, Growth]:
    found = {}
    for run in Run.objects.filter(pk__in=list(here)).only("id", "epoch", "closed").annotate(end=END):
        run_id = str(run.id)
        try:
            entries = _page(run_id, here[run_id], PAGE_ENTRIES).entries if run.end > here[run_id] else ()
        except Unopened:
            entries = ()  # its own followers hear of it when they read; the others' runs are not held up
        found[run_id] = Growth(entries, run.end, run.closed and len(entries) < PAGE_ENTRIES)
    return found


def _run(run_id: str) -> Run:
    try:
        # A follower holds the row, not the mail.
        run = Run.objects.defer("email", "corrections").annotate(end=END).get(pk=run_id)
    except Run.DoesNotExist:
        raise UnknownRun from None
    run.last_sequence = run.end
    return run


def _entry(run: Run, sequence: int, kind: str, timestamp: float, data: str) -> Entry:
    return Entry(str(run.id), run.epoch, sequence, kind, timestamp, data)


def _entries(batch: Batch) -> list[Entry]:
    return [
        Entry(batch.run_id, batch.epoch, sequence, event.type, event.timestamp, event.data)
        for sequence, event in enumerate(batch.events, batch.after + 1)
    ]
