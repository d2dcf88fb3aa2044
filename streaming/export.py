"""What leaves for analytics: closed runs' events, by default without a word of the mail.

What may be told of each event is listed by name: a field that is added to an event stays here until somebody lists it.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.db.models import QuerySet

from streaming.models import Event, Run

RUNS_AT_ONCE = 200
EVENTS_AT_ONCE = 500

# By event: fields that hold no words of the mail, and nothing of what research or the CRM say about people and firms.
PLAIN: Mapping[str, tuple[str, ...]] = {
    "extraction_start": ("engine", "model", "prompt_version", "language", "attempt"),
    "extraction_token": (),
    "extraction_field": ("person", "record", "field", "confidence", "origin", "supersedes"),
    "research_start": (),
    "research_result": ("status", "elapsed"),
    "validation_start": (),
    "validation_result": ("intent", "engine", "model", "usage"),
    "duplicate_found": ("person", "module"),
    "review_ready": ("expires_at",),
    "zoho_start": ("target",),
    "zoho_progress": ("step", "person", "action"),
    "zoho_complete": (),
    "undo_start": ("target",),
    "undo_progress": ("step", "person", "outcome"),
    "undo_complete": (),
    "complete": ("status", "timings", "usage"),
    "error": ("code", "retryable", "correlation_id"),
    "cancelled": (),
}


def closed_runs(since: float = 0.0, until: float | None = None) -> Iterator[Run]:
    """Runs that were accepted in that time (epoch seconds) and are over, oldest first, a few at once: nobody has to
    hold them all, and no transaction stays open meanwhile."""
    chosen = Run.objects.filter(closed=True, created_at__gte=since, created_at__lt=until or time.time())
    some = list(_few(chosen))
    while some:
        yield from some
        some = list(_few(chosen.filter(pk__gt=some[-1].pk)))  # ids rise with time


def lines_of(run: Run, *, mail_text: bool, after: int = 0) -> Iterator[tuple[int, bytes]]:
    """A run's events behind that one: sequence, and the event as JSON. Read a few at once."""
    about = {"run_id": str(run.pk), "tenant": run.tenant, "mode": run.mode}
    while some := list(Event.objects.filter(run=run, sequence__gt=after).order_by("sequence")[:EVENTS_AT_ONCE]):
        for event in some:
            told = {"type": event.type, "sequence": event.sequence, "timestamp": event.timestamp}
            yield event.sequence, orjson.dumps({**about, **told, "data": _data_of(event, mail_text)})
        after = some[-1].sequence


def _few(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.only("tenant", "mode").order_by("pk")[:RUNS_AT_ONCE]  # a run's mail is large, and not told


def _data_of(event: Event, mail_text: bool) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(event.data)
    return data if mail_text else {name: data[name] for name in PLAIN[event.type] if name in data}
