"""How things stand, over all processes: what the live page shows, and what its charts remember of the last hour."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog

from streaming.pulse import Heard
from wellintake.figures import added, against_targets, connections_of, crm_of, performance_of
from wellintake.models import LivePoint
from wellintake.operations import FINE, HISTORY_SECONDS, Operations, runs_now
from wellintake.wiring import Parts

SLOT_SECONDS = 10
FRESH_SECONDS = 0.9
SHOWN_CONNECTIONS = 200
# What it means when a check is not well. The rest of the sentence is the check's own word.
SENTENCES = {
    "database": "The database does not answer: runs are neither accepted nor read.",
    "channel_layer": "Wake-ups between processes are away: readers see other processes' events with seconds of delay.",
    "model": "The model is left alone for a while, runs go on by the rules",
    "crm": "The CRM does not answer: saves wait and are tried again.",
    "signalr": "Azure SignalR does not answer, clients connect to our own sockets",
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
            except Exception as error:  # noqa: BLE001  (a chart's missing point must not end a server's health)
                logger.warning("history_not_kept", kind=type(error).__name__)

    async def _made(self) -> dict[str, Any]:
        heard = self._parts.pulse.processes()
        living = [one for one in heard.values() if one.alive]
        checks = await self._operations.checks()
        runs = await self._parts.read(runs_now) if checks["database"] == "ok" else None
        by_transport = added(one.last["by_transport"] for one in living)
        return {
            "at": round(time.time(), 3),
            "problems": [_sentence(name, word) for name, word in checks.items() if word not in FINE],
            "checks": checks,
            "processes": [_process(name, one) for name, one in sorted(heard.items())],
            "connections": {"total": sum(by_transport.values()), "by_transport": by_transport},
            "open": connections_of(living)[:SHOWN_CONNECTIONS],
            "slow_readers": sum(one.last["slow"] for one in living),
            "queued_events": sum(one.last["queued_events"] for one in living),
            "events_per_second": round(sum(one.rate("events") for one in living), 1),
            "performance": against_targets(performance_of(living)),
            "crm": crm_of(living),
            **(runs or {"runs": None, "queue": None, "hour": None}),
        }


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


def _keep_point(slot: int, data: dict[str, Any]) -> None:
    LivePoint.objects.bulk_create([LivePoint(slot=slot, data=data)], ignore_conflicts=True)
    LivePoint.objects.filter(slot__lt=slot - HISTORY_SECONDS // SLOT_SECONDS).delete()


def _points(since: float) -> list[dict[str, Any]]:
    points = LivePoint.objects.filter(slot__gt=since // SLOT_SECONDS).order_by("slot")
    return [{"at": slot * SLOT_SECONDS, **data} for slot, data in points.values_list("slot", "data")]
