"""How fast one client may talk on one socket: what it says faster waits its turn, and it alone."""

import asyncio
import time
from collections.abc import Callable


class Pace:
    """`burst` messages at once, then `a_second`. While one waits the server reads no more from that connection."""

    def __init__(self, a_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at = clock()

    def due(self) -> float:
        """One more message: for how many seconds it has to wait."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second) - 1
        self._at = now
        return max(0.0, -self._left / self._a_second)

    async def turn(self) -> None:
        if seconds := self.due():
            await asyncio.sleep(seconds)
