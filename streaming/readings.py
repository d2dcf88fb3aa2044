"""Who read which run over what, for its page: each time somebody begins or stops to read. Told after the fact, and best
effort: what a crash or a database that is away costs are the last seconds of it."""

import asyncio
from collections import deque

import structlog

from streaming.log import Database
from streaming.models import Reading

EVERY_SECONDS = 1.0
MOST = 20_000  # waiting to be written; the oldest are given up first
logger = structlog.get_logger()


class Readings:
    def __init__(self, write: Database) -> None:
        self._write = write
        self._new: deque[Reading] = deque(maxlen=MOST)

    def tell(self, reading: Reading) -> None:
        """Never waits: readers are not to."""
        self._new.append(reading)

    async def keep(self) -> None:
        """Write what was told, all of a second together; runs as long as the process."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        if not self._new:
            return
        new = list(self._new)
        self._new.clear()
        try:
            await self._write(_insert, new)
        except Exception as error:  # noqa: BLE001  (a page's missing line must not end a server's health)
            logger.warning("readings_not_kept", kind=type(error).__name__)


def _insert(readings: list[Reading]) -> None:
    Reading.objects.bulk_create(readings)
