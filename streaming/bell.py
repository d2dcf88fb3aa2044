"""Wake-ups between processes, over the channel layer.

A hint says "this run's log has grown to there" and nothing else. It may be lost, doubled or late: whoever hears it
reads the log, and whoever doesn't looks again a few seconds later.
"""

from collections.abc import AsyncIterator, Mapping

import structlog
from channels.layers import BaseChannelLayer

from streaming.group import Group

logger = structlog.get_logger()


class Bell:
    def __init__(self, layer: BaseChannelLayer) -> None:
        self._group = Group(layer, "wellintake.bell")

    async def ring(self, grown: Mapping[str, int]) -> None:
        """Tell every process: run id → last sequence. Never fails: the log is already written."""
        try:
            await self.reach(grown)
        except Exception as error:  # noqa: BLE001  (a lost hint costs seconds; a failed append would cost the run)
            logger.warning("bell_silent", kind=type(error).__name__)

    async def reach(self, grown: Mapping[str, int]) -> None:
        """As `ring`, but raises what the layer raises."""
        await self._group.send(runs=dict(grown))

    async def hear(self) -> AsyncIterator[Mapping[str, int]]:
        """All hints, as long as somebody listens."""
        async for message in self._group.hear():
            yield message["runs"]
