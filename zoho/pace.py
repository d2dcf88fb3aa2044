"""How fast an organisation is asked by this process: so many calls at once, so many a second."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pace:
    """`async with pace.turn(): …` waits for its turn. A second's worth of calls may come at once."""

    def __init__(self, concurrency: int, per_second: float) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._interval = 1 / per_second
        self._burst = max(1.0, per_second) * self._interval
        self._filled_until = 0.0  # when the bucket is full again, as it stands now
        self._paused_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._slots:
            await asyncio.sleep(max(0.0, self._drawn()))
            while (left := self._paused_until - time.monotonic()) > 0:  # noqa: ASYNC110  (others move the time on)
                await asyncio.sleep(left)
            yield

    def pause(self, seconds: float) -> None:
        """Zoho has named a time: until then nobody asks."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def _drawn(self) -> float:
        """Draw from the bucket: in how many seconds what was drawn is there."""
        now = time.monotonic()
        self._filled_until = max(self._filled_until, now) + self._interval
        return self._filled_until - self._burst - now
