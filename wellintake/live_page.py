"""The live page in the admin: one snapshot a second, over a WebSocket or, where that is cut off, by SSE."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from streaming.models import Run
from streaming.wire import dumps
from wellintake.overview import Overview
from wellintake.staff import put_down
from wellintake.wiring import Parts

EVERY_SECONDS = 1.0
SIGHT_SECONDS = 600.0  # then the page comes back, and its permission is looked at again
MAY_LOOK = "streaming.view_live"
MAY_END = "streaming.end_connection"
logger = structlog.get_logger()


class LivePage:
    def __init__(self, parts: Parts, overview: Overview) -> None:
        self._parts = parts
        self._overview = overview

    def urls(self) -> list[URLPattern]:
        """To stand under `admin/live/`, before the admin's own."""
        page = admin.site.admin_view(require_safe(self.page))
        end = admin.site.admin_view(require_POST(self.end))
        return [
            path("", page, name="live"),
            path("events", self.events, name="live_events"),
            path("end", end, name="live_end"),
        ]

    def page(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(MAY_LOOK):
            raise PermissionDenied
        facts = {"history": async_to_sync(self._overview.history)(), "may_end": request.user.has_perm(MAY_END)}
        context = {**admin.site.each_context(request), "title": "Live", "opts": Run._meta, "facts": facts}
        return TemplateResponse(request, "admin/live.html", context)

    def end(self, request: HttpRequest) -> HttpResponse:
        """End one client's connection; it comes back with its cursor."""
        if not request.user.has_perm(MAY_END):
            raise PermissionDenied
        connection = request.POST.get("connection", "")[:64]
        put_down(request, "end_connection", about=connection)
        async_to_sync(self._parts.pulse.end)(connection)
        return JsonResponse({"asked": True}, status=202)

    async def events(self, request: HttpRequest) -> HttpResponseBase:
        user = await request.auser()
        if not await sync_to_async(_may_look)(user):
            return HttpResponse(status=403)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}
        told = (f"data: {snapshot}\n\n" async for snapshot in self.snapshots())
        return StreamingHttpResponse(told, content_type="text/event-stream", headers=headers)

    async def snapshots(self) -> AsyncIterator[str]:
        """One a second as JSON, for ten minutes or until this process drains."""
        ends_at = time.monotonic() + SIGHT_SECONDS
        while time.monotonic() < ends_at and not self._parts.live.draining:
            yield dumps(await self._overview.snapshot())
            await asyncio.sleep(EVERY_SECONDS)


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """The same over a socket; who it is says the admin's session."""

    channel_layer_alias = None

    def __init__(self, page: LivePage) -> None:
        super().__init__()
        self._page = page
        self._telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        if not await sync_to_async(_may_look)(self.scope["user"]):
            await self.close(4403)
            return
        self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            async for snapshot in self._page.snapshots():
                await self.send(text_data=snapshot)
        except DatabaseError:
            logger.warning("live_page_without_database")
        await self.close(4012)  # the page comes back

    async def disconnect(self, code: int) -> None:
        if self._telling:
            self._telling.cancel()


def _may_look(user: Any) -> bool:
    return bool(user.is_active and user.is_staff and user.has_perm(MAY_LOOK))
