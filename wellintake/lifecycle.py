"""Start and end of a process under any ASGI server.

uvicorn tells us by lifespan, Daphne does not: there the first request starts the work, and `runserver` does so as soon
as it listens. At SIGTERM and SIGINT readers hear goodbye first, and only then the server's own handler ends the
connections: Daphne would cut them without a word, and uvicorn with a code that clients take for a crash.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any

import structlog

from streaming.bugs import place_of
from wellintake.wiring import Parts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[Any]]  # ASGI; Django and Channels type it each in their way
logger = structlog.get_logger()


class Lifecycle:
    def __init__(self, applications: dict[str, Application], parts: Parts) -> None:
        self._applications = applications
        self._parts = parts
        self._drains_on_signals = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            await self.start()
        except Exception as error:  # noqa: BLE001  (the next request tries again; until then health says so)
            logger.error("start_failed", kind=type(error).__name__, where=place_of(error))
        if application := self._applications.get(scope["type"]):
            await application(scope, receive, send)

    async def start(self) -> None:
        is_first = not self._drains_on_signals
        if is_first:
            self._drains_on_signals = True
            self._drain_on_signals()
        await self._parts.start()
        if is_first:
            self._parts.settle_down()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._parts.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _drain_on_signals(self) -> None:
        """Stand before the server's handlers. Only the main thread has them; elsewhere nobody sends signals."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def handle(number: int, frame: FrameType | None, before: Any = before) -> None:
                if loop.is_closed():
                    return _pass_on(before, number, frame)
                loop.call_soon_threadsafe(self._drain_then, lambda: _pass_on(before, number, frame))
                return None

            try:
                signal.signal(number, handle)
            except ValueError:
                return

    def _drain_then(self, end: Callable[[], None]) -> None:
        if self._parts.live.draining:
            return end()

        async def drain() -> None:
            try:
                async with asyncio.timeout(3):
                    await self._parts.drain()
                    await asyncio.sleep(0.2)  # streams that end get to send their last bytes
            except TimeoutError:
                logger.warning("drain_timed_out")
            finally:
                end()

        self._draining = asyncio.get_running_loop().create_task(drain())
        return None


def _pass_on(handler: Any, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
