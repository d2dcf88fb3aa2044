"""What one process adds to its logs in one go: the shapes, and the transaction that writes them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest

from streaming.models import Event, Run, Step

_TEXT = "extraction_token"
_DATA = Event._meta.get_field("data")  # sealed, where the settings say so
ROUNDING = 1e-6  # seconds; numbers reach the database as text
# Where a run's log really ends: tokens do not move `last_sequence`.
END = Greatest(
    "last_sequence",
    Coalesce(Subquery(Event.objects.filter(run=OuterRef("pk")).order_by("-sequence").values("sequence")[:1]), 0),
)
logger = structlog.get_logger()


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
    epoch: int
    lease: int
    after: int
    events: Sequence[Telling] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends_at(self) -> int:
        return self.after + len(self.events)

    @property
    def is_only_text(self) -> bool:
        """Nothing but what the model says."""
        return not self.changes and not self.steps and all(event.type == _TEXT for event in self.events)


# Each is one statement with one parameter, however many runs and events: between two statements the thread lets go of
# Python's lock, and gets it back when the event loop pauses for breath. `->>` and these casts both databases know.
_MOVE = """
UPDATE streaming_run SET last_sequence = CAST(new.value->>2 AS integer)
  FROM {elements}(%s) AS new
 WHERE streaming_run.id = {id} AND streaming_run.lease = CAST(new.value->>1 AS integer) AND NOT streaming_run.closed
"""
_ADD = """
INSERT INTO streaming_event (run_id, sequence, type, timestamp, data)
SELECT run.id, CAST(new.value->>2 AS integer), new.value->>3, CAST(new.value->>4 AS double precision), new.value->>5
  FROM {elements}(%s) AS new
  JOIN streaming_run AS run
    ON run.id = {id} AND run.lease = CAST(new.value->>1 AS integer) AND NOT run.closed
{hold}
"""
_SPELLED = {
    # SQLite's transactions are the only writers from their first moment on.
    "sqlite": {"elements": "json_each", "id": "new.value->>0", "hold": ""},
    # Whoever takes the run over waits for us, or we see that it has.
    "postgresql": {
        "elements": "json_array_elements",
        "id": "CAST(new.value->>0 AS uuid)",
        "hold": "FOR SHARE OF run",
    },
}


class _NotAll(Exception):
    """Some writer has lost its lease, or has written before."""


def insert(batches: Sequence[Batch]) -> list[bool]:
    """Write all batches in one transaction. For each whether its writer still had the lease. May be called again.

    Tokens do not touch the run's row, which holds the mail and would be written anew for each: their own key, run and
    sequence, is what keeps a log without a gap and without doubles.
    """
    try:
        _insert(batches)
    except (_NotAll, IntegrityError):
        return [_insert_alone(batch) for batch in batches]
    return [True] * len(batches)


def _insert_alone(batch: Batch) -> bool:
    try:
        _insert([batch])
    except (_NotAll, IntegrityError) as error:
        is_written = _was_written_before(batch)
        if not is_written and isinstance(error, IntegrityError):  # no lost lease, which is nobody's fault
            logger.error("batch_contradicts_the_log", run_id=batch.run_id)
        return is_written
    return True


@transaction.atomic
def _insert(batches: Sequence[Batch]) -> None:
    moving = [batch for batch in batches if not batch.is_only_text]
    if moving:
        moves = [(_key(batch.run_id), batch.lease, batch.ends_at) for batch in moving]
        _execute(_MOVE, moves)
    events = [
        (
            _key(batch.run_id),
            batch.lease,
            sequence,
            event.type,
            event.timestamp,
            _DATA.get_db_prep_save(event.data, connection),
        )
        for batch in batches
        for sequence, event in enumerate(batch.events, batch.after + 1)
    ]
    if events:
        _execute(_ADD, events)
    for batch in moving:
        if batch.changes:
            Run.objects.filter(pk=batch.run_id).update(**batch.changes)
        for name, result in batch.steps.items():
            Step.objects.create(run_id=batch.run_id, name=name, result=result, finished_at=time.time())


def _execute(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Raises `_NotAll` unless every row has done its work."""
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**_SPELLED[connection.vendor]), [orjson.dumps(rows).decode()])
        if cursor.rowcount != len(rows):
            raise _NotAll


def _was_written_before(batch: Batch) -> bool:
    """The connection may have died after the commit: then the log already holds what this batch ends with."""
    if not batch.events:
        return False
    last = batch.events[-1]
    return Run.objects.filter(
        pk=batch.run_id,
        lease=batch.lease,
        events__sequence=batch.ends_at,
        events__type=last.type,
        events__timestamp__range=(last.timestamp - ROUNDING, last.timestamp + ROUNDING),
    ).exists()


def _sealed(data: str) -> str:
    return str(_DATA.get_db_prep_save(data, connection))


def _key(run_id: str) -> str:
    return str(Run._meta.pk.get_db_prep_value(run_id, connection))
