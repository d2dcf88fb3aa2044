"""How fast one client may talk on one socket: what it says faster waits its turn, and it alone."""

import asyncio
import time
from collections.abc import Callable

FLOOD_BURSTS = 2


class Pace:
    """`burst` messages at once, then `a_second`. While one waits, uvicorn reads no more from that connection; Daphne
    does, and keeps it all, so that whoever goes on for long is `flooding`."""

    def __init__(self, a_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._waits = 0
        self._at = clock()

    def due(self) -> float:
        """One more message: for how many seconds it has to wait."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second) - 1
        self._at = now
        seconds = max(0.0, -self._left / self._a_second)
        self._waits = self._waits + 1 if seconds else 0
        return seconds

    @property
    def flooding(self) -> bool:
        """So many in a row had to wait that it has never paused."""
        return self._waits > FLOOD_BURSTS * self._burst

    async def turn(self) -> None:
        if seconds := self.due():
            await asyncio.sleep(seconds)
