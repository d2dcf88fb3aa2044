"""How much a socket may hold that its client has not read: a slow reader pauses its own reading of the log, no more."""

import asyncio
from collections import deque

WITH_ACKS = 256_000
WITHOUT_ACKS = 8_000_000
PATIENCE_SECONDS = 30.0


class TooSlow(Exception):
    """The client does not keep up: let it go, it can come back with its cursor."""


class Budget:
    """Bytes sent and not yet read, as far as the server can tell: by acks from a client that sends them, else by any
    sign of life since."""

    def __init__(self) -> None:
        self.outstanding = 0
        self._acks = False
        self._sent: dict[str, deque[tuple[int, int]]] = {}
        self._eased = asyncio.Event()

    def expect_acks(self) -> None:
        self._acks = True

    def sent(self, run_id: str, sequence: int, size: int) -> None:
        self._sent.setdefault(run_id, deque()).append((sequence, size))
        self.outstanding += size

    def acknowledged(self, run_id: str, sequence: int) -> None:
        """Everything of that run up to the sequence was read."""
        self._acks = True
        waiting = self._sent.get(run_id, deque())
        while waiting and waiting[0][0] <= sequence:
            self.outstanding -= waiting.popleft()[1]
        self._eased.set()

    def forget(self, run_id: str) -> None:
        """Nobody will acknowledge this run any more: its reader has left it."""
        self.outstanding -= sum(size for _, size in self._sent.pop(run_id, ()))
        self._eased.set()

    def heard(self) -> None:
        """Any frame of a client that does not acknowledge: it is there, and its reading is the network's business."""
        if not self._acks:
            self._sent.clear()
            self.outstanding = 0

    def is_full(self) -> bool:
        return self.outstanding >= (WITH_ACKS if self._acks else WITHOUT_ACKS)

    async def room(self) -> None:
        """Wait until more may be sent; raises `TooSlow` after 30 s, or at once when nobody will ever acknowledge."""
        if not self._acks:
            if self.is_full():
                raise TooSlow
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.is_full():
                    self._eased.clear()
                    await self._eased.wait()
        except TimeoutError:
            raise TooSlow from None
