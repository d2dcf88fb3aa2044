"""Wake-ups between processes, over the channel layer.

A hint says "this run's log has grown to there" and nothing else. It may be lost, doubled or late: whoever hears it
reads the log, and whoever doesn't looks again a few seconds later.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

import structlog
from channels.layers import BaseChannelLayer

GROUP = "wellintake.bell"
REJOIN_SECONDS = 3600  # layers forget members of a group after a day
logger = structlog.get_logger()


class Bell:
    def __init__(self, layer: BaseChannelLayer) -> None:
        self._layer = layer

    async def ring(self, grown: Mapping[str, int]) -> None:
        """Tell every process: run id → last sequence. Never fails: the log is already written."""
        try:
            await self._layer.group_send(GROUP, {"type": "grown", "runs": dict(grown)})
        except Exception as error:  # noqa: BLE001  (a lost hint costs seconds; a failed append would cost the run)
            logger.warning("bell_silent", kind=type(error).__name__)

    async def hear(self) -> AsyncIterator[Mapping[str, int]]:
        """All hints, as long as somebody listens."""
        channel = await self._layer.new_channel()
        while True:
            await self._layer.group_add(GROUP, channel)
            try:
                async with asyncio.timeout(REJOIN_SECONDS):
                    while True:
                        message = await self._layer.receive(channel)
                        yield message["runs"]
            except TimeoutError:
                continue
