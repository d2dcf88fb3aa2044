"""A group of the channel layer that every process is in: what one says, all hear, sooner or later or never."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog
from channels.layers import BaseChannelLayer

AWAY_SECONDS = 1.0
REJOIN_SECONDS = 3600  # layers forget members of a group after a day
logger = structlog.get_logger()


class Group:
    def __init__(self, layer: BaseChannelLayer, name: str) -> None:
        self._layer = layer
        self._name = name

    async def send(self, **message: Any) -> None:
        """Raises what the layer raises."""
        await self._layer.group_send(self._name, {"type": "told", **message})

    async def hear(self) -> AsyncIterator[dict[str, Any]]:
        """All messages, as long as somebody listens. While the layer is away there are none."""
        channel = None
        while True:
            try:
                channel = channel or await self._layer.new_channel()
                await self._layer.group_add(self._name, channel)
                async with asyncio.timeout(REJOIN_SECONDS):
                    while True:
                        yield await self._layer.receive(channel)
            except TimeoutError:
                continue
            except Exception as error:  # noqa: BLE001  (whoever listens looks for itself every few seconds)
                logger.warning("group_not_heard", group=self._name, kind=type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)
