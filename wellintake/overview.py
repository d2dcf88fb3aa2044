"""How things stand, over all processes: what the live page shows, and what its charts remember of the last hour."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import structlog
from django.db import DatabaseError
from django.db.models import Count, Q, Sum

from streaming.measures import KINDS, Kind, percentiles
from streaming.models import Run
from streaming.pulse import Heard
from wellintake.models import LivePoint
from wellintake.operations import Operations
from wellintake.wiring import Parts

SLOT_SECONDS = 10
HISTORY_SECONDS = 3600
FRESH_SECONDS = 0.9
SHOWN_CONNECTIONS = 200
# What the product promises, in milliseconds at the 95th percentile.
TARGETS: dict[Kind, float] = {
    "first_field_ms": 500,
    "first_token_ms": 200,
    "field_ms": 500,
    "total_ms": 3000,
    "ws_latency_ms": 50,
}
# What it means when a check is not well. The rest of the sentence is the check's own word.
SENTENCES = {
    "database": "The database does not answer: runs are neither accepted nor read.",
    "channel_layer": "Wake-ups between processes are away: readers see other processes' events with seconds of delay.",
    "model": "The model is left alone for a while, runs go on by the rules",
    "crm": "The CRM does not answer: saves wait and are tried again.",
    "engine": "Nobody works on runs: they are accepted and wait",
    "background": "Background work has ended; restart this process",
}
logger = structlog.get_logger()


class Overview:
    def __init__(self, parts: Parts, operations: Operations) -> None:
        self._parts = parts
        self._operations = operations
        self._lock = asyncio.Lock()
        self._made_at = 0.0
        self._snapshot: dict[str, Any] = {}

    async def snapshot(self) -> dict[str, Any]:
        """Everything the live page shows, made at most once a second whatever the number of watchers."""
        await self._parts.pulse.look()
        async with self._lock:
            if time.monotonic() - self._made_at > FRESH_SECONDS:
                self._snapshot = await self._made()
                self._made_at = time.monotonic()
        return self._snapshot

    async def history(self) -> list[dict[str, Any]]:
        """Points of the last hour, ten seconds apart, oldest first."""
        return await self._parts.read(_points, time.time() - HISTORY_SECONDS)

    async def keep_history(self) -> None:
        """Keep a point every ten seconds; of all processes the first one does it. Runs as long as the process."""
        while True:
            await asyncio.sleep(SLOT_SECONDS - time.time() % SLOT_SECONDS)
            try:
                await self._parts.write(_keep_point, int(time.time() // SLOT_SECONDS), _point(await self._made()))
            except DatabaseError as error:
                logger.warning("history_not_kept", kind=type(error).__name__)

    async def _made(self) -> dict[str, Any]:
        heard = self._parts.pulse.processes()
        living = [one for one in heard.values() if one.alive]
        checks = await self._operations.checks()
        runs = await self._parts.read(_runs) if checks["database"] == "ok" else None
        by_transport = _sum(one.last["by_transport"] for one in living)
        connections = list(chain.from_iterable(one.last["connections"] for one in living))
        return {
            "at": round(time.time(), 3),
            "problems": [_sentence(name, word) for name, word in checks.items() if word not in FINE],
            "checks": checks,
            "processes": [_process(name, one) for name, one in sorted(heard.items())],
            "connections": {"total": sum(by_transport.values()), "by_transport": by_transport},
            "open": sorted(connections, key=lambda one: -one["connected_at"])[:SHOWN_CONNECTIONS],
            "slow_readers": sum(one.last["slow"] for one in living),
            "queued_events": sum(one.last["queued_events"] for one in living),
            "events_per_second": round(sum(one.rate("events") for one in living), 1),
            "performance": _performance(living),
            "crm": _crm(living),
            **(runs or {"runs": None, "queue": None, "hour": None}),
        }


FINE = ("ok", "off", "configured")


def _sentence(check: str, word: str) -> str:
    told = SENTENCES.get(check, check)
    return told if told.endswith(".") else f"{told} ({word})."


def _process(name: str, one: Heard) -> dict[str, Any]:
    told = one.last
    return {
        "name": name,
        "work": told["work"],
        "since": told["started_at"],
        "alive": one.alive,
        "connections": sum(told["by_transport"].values()),
        "events_per_second": round(one.rate("events"), 1) if one.alive else 0.0,
    }


def _performance(living: Iterable[Heard]) -> dict[str, Any]:
    living = list(living)
    found: dict[str, Any] = {}
    for kind in KINDS:
        samples = list(chain.from_iterable(one.last["samples"][kind] for one in living))
        shares = percentiles(samples)
        p95 = shares["p95"]
        found[kind] = {
            **shares,
            "count": sum(one.last["counts"][kind] for one in living),
            "target": TARGETS[kind],
            "met": None if p95 is None else p95 <= TARGETS[kind],
        }
    return found


def _crm(living: Iterable[Heard]) -> dict[str, Any]:
    calls = [one.last["crm"] for one in living]
    left = [one["credits_left"] for one in calls if one["credits_left"] is not None]
    return {
        "calls": sum(one["calls"] for one in calls),
        "by_status": _sum(one["by_status"] for one in calls),
        "retries": sum(one["retries"] for one in calls),
        "credits_left": min(left, default=None),
    }


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _point(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    performance = snapshot["performance"]
    return {
        "connections": snapshot["connections"]["total"],
        "events_per_second": snapshot["events_per_second"],
        "first_field_p95": performance["first_field_ms"]["p95"],
        "total_p95": performance["total_ms"]["p95"],
        "waiting": snapshot["queue"]["depth"] if snapshot["queue"] else None,
    }


# ---------------------------------------------------------------- statements (each runs on a database thread)

WAITING = (Run.State.QUEUED, Run.State.SAVING, Run.State.UNDOING)


def _runs() -> dict[str, Any]:
    """Open runs, and those of the last hour: both are few among millions, and have an index."""
    now = time.time()
    states = dict(Run.objects.filter(closed=False).order_by().values_list("state").annotate(Count("id")))
    waiting = Run.objects.filter(closed=False, state__in=WAITING)
    oldest = waiting.order_by("touched_at").values_list("touched_at", flat=True).first()
    hour = Run.objects.filter(created_at__gt=now - HISTORY_SECONDS).aggregate(
        started=Count("id"),
        saved=Count("id", filter=Q(state=Run.State.COMPLETE, saving_at__isnull=False)),
        failed=Count("id", filter=Q(state=Run.State.FAILED)),
        model_failures=Count("id", filter=~Q(model_failure="")),
        input_tokens=Sum("input_tokens", default=0),
        output_tokens=Sum("output_tokens", default=0),
        cost=Sum("cost"),
    )
    depth = sum(states.get(state, 0) for state in WAITING)
    age = round(max(0.0, now - oldest), 1) if oldest else 0.0
    return {"runs": states, "queue": {"depth": depth, "oldest_seconds": age}, "hour": hour}


def _keep_point(slot: int, data: dict[str, Any]) -> None:
    LivePoint.objects.bulk_create([LivePoint(slot=slot, data=data)], ignore_conflicts=True)
    LivePoint.objects.filter(slot__lt=slot - HISTORY_SECONDS // SLOT_SECONDS).delete()


def _points(since: float) -> list[dict[str, Any]]:
    points = LivePoint.objects.filter(slot__gt=since // SLOT_SECONDS).order_by("slot")
    return [{"at": slot * SLOT_SECONDS, **data} for slot, data in points.values_list("slot", "data")]
