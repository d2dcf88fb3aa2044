"""The open connections of this process: who reads over what, and how they are told to go when it drains."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from streaming.callers import Caller
from streaming.models import Reading
from streaming.problems import Problem


@dataclass
class Connection:
    """One open stream or socket."""

    transport: str
    caller: Caller
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    connected_at: float = field(default_factory=time.time)
    last_ping: float | None = None
    runs: set[str] = field(default_factory=set)
    outstanding: int = 0  # bytes sent and not yet acknowledged
    tell: Callable[[Reading], None] = field(default=lambda reading: None, repr=False)

    def begin(self, run_id: str, after: int) -> None:
        """It reads this run now, behind that event."""
        self.runs.add(run_id)
        self._tell(run_id, after)

    def stop(self, run_id: str) -> None:
        """It reads this run no more."""
        if run_id in self.runs:
            self.runs.discard(run_id)
            self._tell(run_id, None)

    def _tell(self, run_id: str, after: int | None) -> None:
        reader = self.user[:200]
        self.tell(
            Reading(
                run_id=run_id,
                at=time.time(),
                reader=reader,
                transport=self.transport,
                connection=self.id,
                after=after,
            )
        )

    def view(self) -> dict[str, Any]:
        now = time.time()
        return {
            "id": self.id,
            "transport": self.transport,
            "connected_at": self.connected_at,
            "last_ping": self.last_ping,
            "duration_seconds": round(now - self.connected_at, 1),
            "runs": sorted(self.runs),
        }

    @property
    def user(self) -> str:
        """Who it is, as people know them."""
        return self.caller.name or self.caller.subject


class Seats(Protocol):
    """Counts the connections of other processes as well."""

    async def take(self, connection: Connection, limit: int) -> bool:
        """Whether its caller holds no more than so many with this one."""

    def leave(self, connection_id: str) -> None: ...


class Live:
    """`limit` is how many connections one caller may hold, over all processes where there are `seats`; `tell` hears
    which runs are read."""

    def __init__(
        self, limit: int, tell: Callable[[Reading], None] = lambda reading: None, seats: Seats | None = None
    ) -> None:
        self._limit = limit
        self._seats = seats
        self._tell = tell
        self._open: dict[str, Connection] = {}
        self._goodbyes: dict[str, Callable[[], Awaitable[None]]] = {}
        self.draining = False

    def __len__(self) -> int:
        return len(self._open)

    def connections(self) -> list[Connection]:
        return list(self._open.values())

    async def connect(
        self, transport: str, caller: Caller, goodbye: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[ExitStack, Connection]:
        """Count a connection until the stack is closed. Raises `Problem` 429 over the limit, 503 while draining."""
        stack = ExitStack()
        connection = stack.enter_context(self._connected(transport, caller, goodbye))
        try:
            if self._seats and not await self._seats.take(connection, self._limit):
                raise self._too_many()
        except BaseException:
            stack.close()
            raise
        return stack, connection

    def _too_many(self) -> Problem:
        return Problem(429, "too_many_connections", f"You hold {self._limit} connections.", retry_after=5)

    @contextmanager
    def _connected(
        self, transport: str, caller: Caller, goodbye: Callable[[], Awaitable[None]] | None
    ) -> Iterator[Connection]:
        self.raise_when_draining()
        mine = (caller.tenant, caller.subject)
        if sum((one.caller.tenant, one.caller.subject) == mine for one in self._open.values()) >= self._limit:
            raise self._too_many()
        connection = Connection(transport, caller, tell=self._tell)
        self._open[connection.id] = connection
        if goodbye:
            self._goodbyes[connection.id] = goodbye
        try:
            yield connection
        finally:
            del self._open[connection.id]
            self._goodbyes.pop(connection.id, None)
            if self._seats:
                self._seats.leave(connection.id)
            for run_id in list(connection.runs):
                connection.stop(run_id)

    def raise_when_draining(self) -> None:
        """Raises `Problem` 503."""
        if self.draining:
            raise Problem(503, "restarting", "The server restarts. Come back in a moment.", retry_after=2)

    def end(self, connection_id: str) -> None:
        """Say goodbye to one client; it comes back with its cursor. Nothing happens when it is nobody's of ours, or a
        stream that hears no goodbye."""
        if goodbye := self._goodbyes.get(connection_id):
            self._ending = asyncio.ensure_future(goodbye())

    def can_end(self, connection_id: str) -> bool:
        return connection_id in self._goodbyes

    def goodbyes(self) -> list[Callable[[], Awaitable[None]]]:
        return list(self._goodbyes.values())
