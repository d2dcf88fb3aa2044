"""Wake-ups between processes, over the channel layer.

A hint says "this run's log has grown to there" and nothing else. It may be lost, doubled or late: whoever hears it
reads the log, and whoever doesn't looks again a few seconds later.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

import structlog
from channels.layers import BaseChannelLayer

GROUP = "wellintake.bell"
AWAY_SECONDS = 1.0
REJOIN_SECONDS = 3600  # layers forget members of a group after a day
logger = structlog.get_logger()


class Bell:
    def __init__(self, layer: BaseChannelLayer) -> None:
        self._layer = layer

    async def ring(self, grown: Mapping[str, int]) -> None:
        """Tell every process: run id → last sequence. Never fails: the log is already written."""
        try:
            await self.reach(grown)
        except Exception as error:  # noqa: BLE001  (a lost hint costs seconds; a failed append would cost the run)
            logger.warning("bell_silent", kind=type(error).__name__)

    async def reach(self, grown: Mapping[str, int]) -> None:
        """As `ring`, but raises what the layer raises."""
        await self._layer.group_send(GROUP, {"type": "grown", "runs": dict(grown)})

    async def hear(self) -> AsyncIterator[Mapping[str, int]]:
        """All hints, as long as somebody listens. While the layer is away there are none."""
        channel = None
        while True:
            try:
                channel = channel or await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                async with asyncio.timeout(REJOIN_SECONDS):
                    while True:
                        message = await self._layer.receive(channel)
                        yield message["runs"]
            except TimeoutError:
                continue
            except Exception as error:  # noqa: BLE001  (the log is looked at every few seconds all the same)
                logger.warning("bell_not_heard", kind=type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)
