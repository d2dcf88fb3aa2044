"""The append-only log of every run: `append`, `read`, `follow`. The log is the truth; a wake-up is a hint."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

import structlog
from django.db import connection, transaction

from extraction.errors import LeaseLost
from extraction.events import SETTLING
from extraction.seal import Unopened
from streaming.bell import Bell
from streaming.measures import Measures
from streaming.models import Event, Run, Step
from streaming.snapshot import snapshot_from
from streaming.tail import Growth, Tail, Window
from streaming.wire import Cursor, Entry, Item, Reset

P = ParamSpec("P")
T = TypeVar("T")

FIELD = "extraction_field"
PAGE_ENTRIES = 500
KEEPALIVE_SECONDS = 15.0
_DATA = Event._meta.get_field("data")
logger = structlog.get_logger()


class Database(Protocol):
    """Runs a function of the database on a thread of its own; may call it again after a dead connection."""

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...


# Takes what has just been written to a run's log elsewhere. Must neither wait nor fail.
Committed = Callable[[str, Sequence[Entry]], None]


class UnknownRun(Exception):
    """There is no such run."""


@dataclass(frozen=True)
class Telling:
    """An event on its way into the log: `data` is JSON text."""

    type: str
    timestamp: float
    data: str


@dataclass(frozen=True)
class Batch:
    """What one writer adds to one log in one go: events, columns of the run that change with them, finished steps.

    `after` is where the writer believes the log to end. It makes the statement safe to repeat: a second time it finds
    the log already grown.
    """

    run_id: str
    lease: int
    after: int
    events: Sequence[Telling] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends_at(self) -> int:
        return self.after + len(self.events)


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
        self, write: Database, read: Database, bell: Bell, measures: Measures, committed: Committed | None = None
    ) -> None:
        """`committed` hears of what this process has written."""
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

    def queued(self) -> int:
        """Runs whose events wait for the next transaction."""
        return len(self._due)

    async def _commit(self, batches: Mapping[Writer, Batch]) -> None:
        try:
            epochs = await self._write(_insert, list(batches.values()))
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
        for (writer, batch), epoch in zip(batches.items(), epochs, strict=True):
            if epoch is None:
                writer.refused(LeaseLost())
                continue
            if batch.events:
                entries = _entries(batch, epoch)
                self.tail.committed(batch.run_id, entries, bool(batch.changes.get("closed")))
                if self._committed:
                    self._committed(batch.run_id, entries)
                grown[batch.run_id] = batch.ends_at
            writer.written_to_log(batch)
        if grown:
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
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True


# ---------------------------------------------------------------- statements (each runs on a database thread)


def _insert(batches: Sequence[Batch]) -> list[int | None]:
    """Write all batches in one transaction. For each the log's epoch, or None when its writer has lost the lease."""
    now = time.time()
    rows: list[tuple[Any, ...]] = []
    epochs: list[int | None] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for batch in batches:
            key = _key(batch.run_id)
            cursor.execute(
                "UPDATE streaming_run SET last_sequence = %s, touched_at = %s"
                " WHERE id = %s AND lease = %s AND last_sequence = %s AND closed = %s RETURNING epoch",
                [batch.ends_at, now, key, batch.lease, batch.after, False],
            )
            if not (row := cursor.fetchone()):
                epochs.append(_epoch_if_written_before(batch))
                continue
            epochs.append(row[0])
            if batch.changes:
                Run.objects.filter(pk=batch.run_id).update(**batch.changes)
            for name, result in batch.steps.items():
                Step.objects.create(run_id=batch.run_id, name=name, result=result, finished_at=now)
            rows += [
                (key, sequence, event.type, event.timestamp, _DATA.get_db_prep_save(event.data, connection))
                for sequence, event in enumerate(batch.events, batch.after + 1)
            ]
        if rows:
            cursor.executemany(
                "INSERT INTO streaming_event (run_id, sequence, type, timestamp, data) VALUES (%s, %s, %s, %s, %s)",
                rows,
            )
    return epochs


def _epoch_if_written_before(batch: Batch) -> int | None:
    """The connection may have died after the commit: then the log already ends where this batch ends."""
    if not batch.events:
        return None
    last = batch.events[-1]
    return (
        Run.objects.filter(
            pk=batch.run_id,
            lease=batch.lease,
            last_sequence=batch.ends_at,
            events__sequence=batch.ends_at,
            events__type=last.type,
            events__timestamp=last.timestamp,
        )
        .values_list("epoch", flat=True)
        .first()
    )


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
    for run in Run.objects.filter(pk__in=list(here)).only("id", "epoch", "last_sequence", "closed"):
        run_id = str(run.id)
        grown = run.last_sequence > here[run_id]
        try:
            entries = _page(run_id, here[run_id], PAGE_ENTRIES).entries if grown else ()
        except Unopened:
            entries = ()  # its own followers hear of it when they read; the others' runs are not held up
        found[run_id] = Growth(entries, run.last_sequence, run.closed and len(entries) < PAGE_ENTRIES)
    return found


def _run(run_id: str) -> Run:
    try:
        return Run.objects.defer("email", "corrections").get(pk=run_id)  # a follower holds the row, not the mail
    except Run.DoesNotExist:
        raise UnknownRun from None


def _entry(run: Run, sequence: int, kind: str, timestamp: float, data: str) -> Entry:
    return Entry(str(run.id), run.epoch, sequence, kind, timestamp, data)


def _entries(batch: Batch, epoch: int) -> list[Entry]:
    return [
        Entry(batch.run_id, epoch, sequence, event.type, event.timestamp, event.data)
        for sequence, event in enumerate(batch.events, batch.after + 1)
    ]


def _key(run_id: str) -> Any:
    return Run._meta.pk.get_db_prep_value(run_id, connection)
