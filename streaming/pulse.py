"""What every process is doing, as each tells the others: once a second while somebody watches, else every ten seconds.

Like a wake-up, a beat may be lost: the figures are for people who look, and never decide anything about a run.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from channels.layers import BaseChannelLayer

from streaming.group import Group

WATCHED_SECONDS = 1.0
IDLE_SECONDS = 10.0
LOOK_SECONDS = 15.0  # one look keeps the others beating quickly for so long
MISSED_BEATS = 3
REMEMBERED_SECONDS = 60.0  # a process that ended without a word is shown for so long
logger = structlog.get_logger()

Figures = Mapping[str, Any]


@dataclass
class Heard:
    """The last two beats of a process: what it counts, and how fast that grows."""

    last: Figures
    before: Figures | None
    at: float

    @property
    def alive(self) -> bool:
        return time.monotonic() - self.at < MISSED_BEATS * float(self.last["every"]) + 1

    def rate(self, name: str) -> float:
        """A second, between the last two beats."""
        if not self.before or (seconds := float(self.last["at"]) - float(self.before["at"])) <= 0:
            return 0.0
        return max(0.0, float(self.last[name] - self.before[name]) / seconds)


class Pulse:
    """`figures()` says what this process is doing; `close(connection_id)` ends a connection if it is one of ours."""

    def __init__(
        self, layer: BaseChannelLayer, name: str, figures: Callable[[], dict[str, Any]], close: Callable[[str], None]
    ) -> None:
        self._group = Group(layer, "wellintake.pulse")
        self._name = name
        self._figures = figures
        self._close = close
        self._heard: dict[str, Heard] = {}
        self._watched_until = 0.0
        self._looked_at = 0.0
        self._quicker = asyncio.Event()

    def processes(self) -> dict[str, Heard]:
        """Everybody heard of lately, by name; this process as it is at this moment."""
        now = time.monotonic()
        self._note(self._name, self._told())
        self._heard = {name: heard for name, heard in self._heard.items() if now - heard.at < REMEMBERED_SECONDS}
        return self._heard

    def living(self) -> list[Heard]:
        return [heard for heard in self.processes().values() if heard.alive]

    async def look(self) -> None:
        """Somebody watches: have every process beat quickly for a while."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS / 3:
            self._looked_at = time.monotonic()
            await self._say(look=True)

    async def end(self, connection_id: str) -> None:
        """Have whoever holds this connection end it; its client comes back with its cursor."""
        await self._say(close=connection_id)

    async def beat(self) -> None:
        """Tell, as long as the process lives."""
        while True:
            watched = time.monotonic() < self._watched_until
            every = WATCHED_SECONDS if watched else IDLE_SECONDS
            await self._say(beat=self._name, figures=self._told() | {"every": every})
            self._quicker.clear()
            try:
                async with asyncio.timeout(every):
                    await self._quicker.wait()
            except TimeoutError:
                continue

    async def hear(self) -> None:
        """Listen, as long as the process lives."""
        async for message in self._group.hear():
            if name := message.get("beat"):
                self._note(name, message["figures"])
            elif connection_id := message.get("close"):
                self._close(connection_id)
            elif message.get("look"):
                if time.monotonic() > self._watched_until:
                    self._quicker.set()
                self._watched_until = time.monotonic() + LOOK_SECONDS

    def _told(self) -> dict[str, Any]:
        return {**self._figures(), "at": time.time(), "every": IDLE_SECONDS}

    def _note(self, name: str, figures: Figures) -> None:
        known = self._heard.get(name)
        before = known.last if known else None
        if known and before and figures["at"] - before["at"] < WATCHED_SECONDS / 2:
            before = known.before  # too close for a rate
        self._heard[name] = Heard(figures, before, time.monotonic())

    async def _say(self, **message: Any) -> None:
        try:
            await self._group.send(**message)
        except Exception as error:  # noqa: BLE001  (health tells that the channel layer is away)
            logger.warning("pulse_not_told", kind=type(error).__name__)
