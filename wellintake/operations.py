"""Health and metrics of this process."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from django.db import connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from streaming.addresses import FEATURES
from streaming.models import Run
from streaming.problems import Problem, not_signed_in
from streaming.responses import json_response, problem_response
from wellintake import __version__
from wellintake.wiring import Parts

CHECK_SECONDS = 2.0
ESSENTIAL = ("database", "engine")


class Operations:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @method_decorator(require_safe)
    async def health(self, request: HttpRequest) -> HttpResponse:
        """Whether it works, and what of it does not. `?probe=live` touches nothing."""
        if request.GET.get("probe") == "live":
            return json_response({"status": "alive"})
        checks = await self._checks()
        bad = {name for name, result in checks.items() if result not in ("ok", "off", "configured")}
        status = "unhealthy" if bad & set(ESSENTIAL) or self._parts.live.draining else "degraded" if bad else "healthy"
        body = {
            "status": status,
            "timestamp": round(time.time(), 3),
            "version": __version__,
            "active_connections": len(self._parts.live),
            "signalr_configured": False,
            "features": FEATURES,
            "checks": checks,
        }
        return json_response(body, 503 if status == "unhealthy" else 200)

    async def _checks(self) -> dict[str, str]:
        parts = self._parts
        names = ("database", "channel_layer")
        found = await asyncio.gather(_outcome(parts.read(_select_one)), _outcome(parts.bell.ring({})))
        return {
            **dict(zip(names, found, strict=True)),
            "model": "configured" if parts.tools.model else "off",
            "crm": "ok",
            "engine": "ok" if parts.engine.working else "failed",
        }

    @method_decorator(require_safe)
    async def metrics(self, request: HttpRequest) -> HttpResponse:
        """Live figures as JSON, for holders of a key."""
        if getattr(request, "caller", None) is None:
            return problem_response(request, not_signed_in())
        parts = self._parts
        measures = parts.log.measures
        try:
            states = await parts.read(_runs_by_state)
        except Exception:  # noqa: BLE001
            return problem_response(request, Problem(503, "database_away", "The database is away.", retry_after=5))
        body: dict[str, Any] = {
            "timestamp": round(time.time(), 3),
            "active_connections": len(parts.live),
            "connections": [connection.view() for connection in parts.live.connections()],
            "total_queued_events": parts.log.queued(),
            "runs": states,
            "performance": measures.view(),
            "model": {"tokens": measures.tokens, "cost": measures.cost},
            "crm": {"target": parts.crm.target},
        }
        return json_response(body)


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
