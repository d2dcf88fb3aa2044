"""Health and metrics."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse

from extraction.breaker import Breaker
from streaming.addresses import FEATURES
from streaming.models import Run
from streaming.problems import Problem
from streaming.requests import caller_of, endpoint
from streaming.responses import json_response
from wellintake import __version__
from wellintake.figures import added, connections_of, crm_of, performance_of
from wellintake.prometheus import CONTENT_TYPE, Exposition
from wellintake.wiring import Parts

CHECK_SECONDS = 2.0
FINE = ("ok", "off", "configured")
HISTORY_SECONDS = 3600
WAITING = (Run.State.QUEUED, Run.State.SAVING, Run.State.UNDOING)
ESSENTIAL = {"database", "background"}


class Operations:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @endpoint("GET", "HEAD")
    async def health(self, request: HttpRequest) -> HttpResponse:
        """Whether it works, and what of it does not. `?probe=live` touches nothing."""
        if request.GET.get("probe") == "live":
            return json_response({"status": "alive"})
        checks = await self.checks()
        bad = {name for name, result in checks.items() if result not in FINE}
        # Without a worker elsewhere, runs are accepted all the same and wait for one.
        essential = ESSENTIAL | ({"engine"} if self._parts.works else set())
        status = "unhealthy" if bad & essential or self._parts.live.draining else "degraded" if bad else "healthy"
        body = {
            "status": status,
            "timestamp": round(time.time(), 3),
            "version": __version__,
            "active_connections": len(self._parts.live),
            "signalr_configured": self._parts.azure is not None,
            "features": FEATURES,
            "checks": checks,
        }
        return json_response(body, 503 if status == "unhealthy" else 200)

    async def checks(self) -> dict[str, str]:
        """A word for each thing that it needs: `ok`, `off`, `configured`, or what is wrong."""
        parts = self._parts
        names = ("database", "channel_layer")
        found = await asyncio.gather(_outcome(parts.read(_select_one)), _outcome(parts.bell.reach({})))
        return {
            **dict(zip(names, found, strict=True)),
            "model": await self._model_check(),
            "crm": "ok",
            "engine": await self._engine_check(),
            "signalr": self._signalr_check(),
            "background": f"ended: {', '.join(ended)}" if (ended := parts.ended()) else "ok",
        }

    async def _engine_check(self) -> str:
        """Whether somebody works on runs: this process, or at least one elsewhere."""
        if self._parts.works:
            return "ok" if self._parts.engine.working else "failed"
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return "ok" if await self._parts.engine.workers() else "no_worker"
        except Exception:  # noqa: BLE001  (the queue is away; the log of its owner says why)
            return "failed"

    def _signalr_check(self) -> str:
        if not self._parts.azure:
            return "off"
        since = self._parts.azure.service.since
        return "ok" if since is None else f"away since {_iso(since)}"

    async def _model_check(self) -> str:
        """How the model that answers is doing, as far as the last calls say; it is not asked for this."""
        if not self._parts.models:
            return "off"
        try:
            breaker = await self._parts.models[0].circuit.look()
        except DatabaseError:
            return "unknown"
        if breaker.since is None:
            return "configured"
        return f"{breaker.code.removeprefix('model_')} since {_iso(breaker.since)}"

    @endpoint("GET", "HEAD")
    async def metrics(self, request: HttpRequest) -> HttpResponse:
        """Live figures as JSON, over all processes: those of others are up to ten seconds old."""
        caller_of(request).require("metrics")
        parts = self._parts
        try:
            states = await parts.read(_runs_by_state)
            now = await parts.read(runs_now)
            model = await self._model_figures()
        except Exception:  # noqa: BLE001
            raise Problem(503, "database_away", "The database is away.", retry_after=5) from None
        await parts.pulse.look()
        living, at = parts.pulse.living(), time.time()
        body: dict[str, Any] = {
            "timestamp": round(at, 3),
            "active_connections": sum(added(one.last["by_transport"] for one in living).values()),
            "connections": [_connection(one, at) for one in connections_of(living)],
            "total_queued_events": sum(one.last["queued_events"] for one in living),
            "runs": states,
            "queue": now["queue"],
            "performance": performance_of(living),
            "model": model,
            "crm": {"target": parts.crm.target, **crm_of(living)},
        }
        return json_response(body)

    @endpoint("GET", "HEAD")
    async def prometheus(self, request: HttpRequest) -> HttpResponse:
        """The figures of this process for Prometheus, for holders of a key."""
        caller_of(request).require("metrics")
        try:
            facts = await self.facts()
        except Exception:  # noqa: BLE001
            raise Problem(503, "database_away", "The database is away.", retry_after=5) from None
        return HttpResponse(Exposition(self._parts, facts).text(), content_type=CONTENT_TYPE)

    async def facts(self) -> dict[str, Any]:
        """What is the same in every process: runs, queue, checks. Raises what the database raises."""
        return {**await self._parts.read(runs_now), "checks": await self.checks()}

    async def _model_figures(self) -> dict[str, Any]:
        figures = await self._parts.read(_model_account)
        breakers = {model.name: _view(await model.circuit.look()) for model in self._parts.models}
        return figures | {"currency": self._parts.env.openai_currency, "breakers": breakers}


def _connection(told: dict[str, Any], now: float) -> dict[str, Any]:
    names = ("id", "transport", "connected_at", "last_ping", "runs")
    return {name: told[name] for name in names} | {"duration_seconds": round(now - told["connected_at"], 1)}


def _view(breaker: Breaker) -> dict[str, Any]:
    return {
        "state": breaker.state,
        "code": breaker.code or None,
        "failures_in_a_row": breaker.failures,
        "since": breaker.since,
        "until": breaker.until if breaker.since else None,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


async def _outcome(check: Awaitable[Any]) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check
    except Exception:  # noqa: BLE001  (whatever it is, it is not well; the log of its owner says why)
        return "failed"
    return "ok"


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _runs_by_state() -> dict[str, int]:
    counts = dict.fromkeys(Run.State.values, 0)
    return counts | dict(Run.objects.values_list("state").annotate(Count("id")))


def _model_account() -> dict[str, Any]:
    """What the runs that are kept have asked and taken. A run that met an open breaker asked nobody."""
    asked = Run.objects.exclude(model_used="")
    failures = asked.exclude(model_failure="").values_list("model_failure").annotate(Count("id"))
    sums = asked.aggregate(
        input=Sum("input_tokens", default=0),
        cached=Sum("cached_tokens", default=0),
        output=Sum("output_tokens", default=0),
        cost=Sum("cost"),
    )
    return {
        "calls": asked.count(),
        "failures": dict(failures),
        "not_asked": Run.objects.filter(model_used="").exclude(model_failure="").count(),
        "cost": sums.pop("cost"),
        "tokens": sums,
    }


def runs_now() -> dict[str, Any]:
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
