"""Rows that nobody waits for: written all of a second together, after the fact, and best effort: what a crash or a
database that is away costs are the last seconds of them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

import structlog
from django.db import models

from streaming.log import Database

Row = TypeVar("Row", bound=models.Model)

EVERY_SECONDS = 1.0
MOST = 20_000  # waiting to be written; the oldest are given up first
logger = structlog.get_logger()


class Behind(Generic[Row]):
    def __init__(self, write: Database) -> None:
        self._write = write
        self._new: deque[Row] = deque(maxlen=MOST)

    def tell(self, row: Row) -> None:
        """Never waits: readers are not to."""
        self._new.append(row)

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
        except Exception as error:  # noqa: BLE001  (a missing line must not end a server's health)
            logger.warning("rows_not_kept", of=type(new[0]).__name__, rows=len(new), kind=type(error).__name__)


def _insert(rows: Sequence[models.Model]) -> None:
    type(rows[0])._default_manager.bulk_create(rows)
