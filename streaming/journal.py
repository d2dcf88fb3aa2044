"""The pen of the one worker that owns a run: what it tells goes to the log, each field and each step once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from extraction.events import Event, ExtractionField, ExtractionToken
from streaming.batches import Batch, Telling
from streaming.log import Log
from streaming.wire import Cursor, Entry

T = TypeVar("T")


class RunJournal:
    """Keeps the promise of `extraction.ports.Journal` with a lease on the run's log.

    `end` is where the log ends; `entries` are what it holds, without its tokens, `steps` the results of finished steps.
    """

    def __init__(
        self,
        log: Log,
        run_id: str,
        lease: int,
        end: Cursor,
        attempt: int,
        entries: Iterable[Entry],
        steps: Mapping[str, str],
    ) -> None:
        self.attempt = attempt
        self._log = log
        self._run_id = run_id
        self._lease = lease
        self._epoch, self._end = end.epoch, end.sequence
        self._steps = dict(steps)
        self._values = dict(map(_field_told, (entry for entry in entries if entry.type == "extraction_field")))
        self._told = _told_of_now(entry.type for entry in entries)
        self._pending: list[tuple[Event, float]] = []
        self._finished: dict[str, str] = {}
        self._changes: dict[str, Any] = {}
        self._in_flight = False
        self._error: BaseException | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    # ------------------------------------------------------------ telling

    def tell(self, *events: Event) -> None:
        """Put events at the end of the log; raises `LeaseLost` once somebody else owns the run."""
        self._raise()
        now = time.time()
        news = [(event, now) for given in events if (event := self._unless_told(given))]
        if news:
            self._pending += news
            self._told.update(event.type for event, _ in news)
            self._due()

    def change(self, **columns: Any) -> None:
        """Columns of the run that change in the same transaction as what is told next or was told last."""
        self._changes |= columns
        self._due()

    async def written(self) -> None:
        """Wait until everything told so far is in the log; raises `LeaseLost` or what the database raised."""
        await self._idle.wait()
        self._raise()

    async def step(
        self,
        name: str,
        work: Callable[[], Awaitable[T]],
        kind: type[T],
        tells: Callable[[T], Iterable[Event]] = lambda result: (),
    ) -> T:
        adapter: TypeAdapter[T] = TypeAdapter(kind)
        if name in self._steps:
            return adapter.validate_json(self._steps[name])
        self._raise()  # who has lost the run does no more work for it
        result = await work()
        self._steps[name] = self._finished[name] = adapter.dump_json(result).decode()
        self.tell(*tells(result))
        self._due()
        await self.written()
        return result

    def told(self, kind: str) -> bool:
        return kind in self._told

    def done(self, name: str) -> bool:
        return name in self._steps

    def _unless_told(self, event: Event) -> Event | None:
        """A value that the log already holds is not told again; a new one says whose it replaces."""
        if not isinstance(event, ExtractionField):
            return event
        place = (event.person, event.record, event.field)
        before = self._values.get(place)
        if before and before[0] == event.value:
            return None
        self._values[place] = (event.value, event.origin)
        return event.model_copy(update={"supersedes": before[1]}) if before else event

    # ------------------------------------------------------------ the log's side (see `log.Writer`)

    def take(self) -> Batch | None:
        if self._in_flight or not (self._pending or self._finished or self._changes) or self._error:
            return None
        self._in_flight = True
        batch = Batch(
            self._run_id,
            self._epoch,
            self._lease,
            self._end,
            _tellings(self._pending),
            self._changes,
            self._finished,
        )
        self._pending, self._finished, self._changes = [], {}, {}
        return batch

    def written_to_log(self, batch: Batch) -> None:
        self._end = batch.ends_at
        self._in_flight = False
        if self._pending or self._finished or self._changes:
            self._due()
        else:
            self._idle.set()

    def refused(self, error: BaseException) -> None:
        self._error = error
        self._in_flight = False
        self._idle.set()

    def _due(self) -> None:
        if self._error:
            return  # nothing of this pen will be written any more
        self._idle.clear()
        self._log.append(self)

    def _raise(self) -> None:
        if self._error:
            raise self._error


def _told_of_now(kinds: Iterable[str]) -> set[str]:
    """What the log holds, without saves that are over: the next one, or a follow-up, tells its own."""
    told: set[str] = set()
    for kind in kinds:
        told.add(kind)
        if kind in ("complete", "undo_complete"):
            told -= {"zoho_start", "zoho_complete", "undo_start", "undo_complete"}
    return told


def _tellings(events: Iterable[tuple[Event, float]]) -> list[Telling]:
    """Tokens that arrived together become one event; everything else stays in its order."""
    tellings: list[Telling] = []
    tokens: list[str] = []
    tokens_at = 0.0

    def close_tokens() -> None:
        if tokens:
            tellings.append(_telling(ExtractionToken(token="".join(tokens)), tokens_at))
            tokens.clear()

    for event, at in events:
        if isinstance(event, ExtractionToken):
            tokens_at = tokens_at if tokens else at
            tokens.append(event.token)
        else:
            close_tokens()
            tellings.append(_telling(event, at))
    close_tokens()
    return tellings


def _telling(event: Event, at: float) -> Telling:
    return Telling(event.type, at, event.model_dump_json())


def _field_told(entry: Entry) -> tuple[tuple[int, str, str], tuple[Any, Any]]:
    data = orjson.loads(entry.data)
    return (data["person"], data["record"], data["field"]), (data["value"], data["origin"])
