"""Sends what is written to logs on to the service: each run's events to the run's group, one message at a time.

A message that cannot be sent is dropped. The next one shows its readers a gap, and they read the log; after the last
one they notice the silence. So nothing here may wait for long, and nothing is kept for long.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from streaming.azure.endpoint import group_of, segment, user_of
from streaming.azure.service import ServiceAway, SignalRService, TooLarge
from streaming.callers import Caller
from streaming.log import Database
from streaming.models import Run
from streaming.wire import Item

TOGETHER_SECONDS = 0.04
MOST_CHARACTERS = 400_000  # of one message; the service takes a megabyte
MOST_WAITING = 2_000_000  # characters of one run
KNOWN_RUNS = 2000
STOP_SECONDS = 2.0
logger = structlog.get_logger()


class Push:
    """`read` finds out whose run it is: a run's group begins with its owner's connections."""

    def __init__(self, service: SignalRService, read: Database) -> None:
        self._service = service
        self._read = read
        self._begun: dict[str, None] = {}  # runs whose owner is in the group, newest last
        self._sending: dict[str, Sending] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def committed(self, run_id: str, entries: Sequence[Item]) -> None:
        """This process has written to a log. Never waits, never fails."""
        if not self._service.well:
            return
        sending = self._sending.get(run_id)
        if sending is None:
            sending = self._sending[run_id] = Sending()
            task = asyncio.create_task(self._send(run_id, sending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        sending.put(entries)

    async def stop(self) -> None:
        """Let what is on its way arrive."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=STOP_SECONDS)
        for task in self._tasks:
            task.cancel()

    async def catch_up(self, connection_id: str, entries: Sequence[Item]) -> None:
        """Send one connection what it has missed. Raises `ServiceAway`."""
        missed = Sending()
        missed.put(entries)
        while message := missed.take():
            await self._deliver(f"/connections/{segment(connection_id)}", message)

    async def _send(self, run_id: str, sending: "Sending") -> None:
        """One message in flight, so that they arrive in order; what comes meanwhile goes together with the next."""
        try:
            await self._begin(run_id)
            while sending:
                if sending.only_tokens():
                    await asyncio.sleep(TOGETHER_SECONDS)
                await self._deliver(f"/groups/{segment(group_of(run_id))}", sending.take())
        except ServiceAway:
            pass  # it has been said where it was found
        except Exception as error:  # noqa: BLE001  (a push that ends must not end the run)
            logger.error("push_failed", run_id=run_id, kind=type(error).__name__)
        finally:
            del self._sending[run_id]

    async def _begin(self, run_id: str) -> None:
        if run_id in self._begun:
            return
        if owner := await self._read(_owner_of, run_id):
            await self._service.add_user(group_of(run_id), user_of(owner))
        self._begun[run_id] = None
        if len(self._begun) > KNOWN_RUNS:
            del self._begun[next(iter(self._begun))]

    async def _deliver(self, to: str, envelopes: Sequence[str]) -> None:
        try:
            await self._service.send(to, f"[{','.join(envelopes)}]")
        except TooLarge:
            if len(envelopes) > 1:
                half = len(envelopes) // 2
                await self._deliver(to, envelopes[:half])
                await self._deliver(to, envelopes[half:])


class Sending:
    """What of one run waits to be sent, in order. Over its limit the oldest goes: its readers will see the gap."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, str]] = deque()  # envelope, its type
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, entries: Sequence[Item]) -> None:
        for entry in entries:
            self._waiting.append((entry.envelope, entry.type))
            self._size += len(entry.envelope)
        while self._size > MOST_WAITING:
            self._size -= len(self._waiting.popleft()[0])

    def only_tokens(self) -> bool:
        """A message is paid for by 2 KB begun, whatever is in it: words of the model may gather for a moment."""
        return all(kind == "extraction_token" for _, kind in self._waiting)

    def take(self) -> list[str]:
        """As much as one message holds: at least one envelope."""
        taken: list[str] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0][0]) < MOST_CHARACTERS):
            envelope, _ = self._waiting.popleft()
            size += len(envelope)
            self._size -= len(envelope)
            taken.append(envelope)
        return taken


def _owner_of(run_id: str) -> Caller | None:
    found = Run.objects.filter(pk=run_id).values_list("owner", "tenant").first()
    return Caller(*found) if found else None
