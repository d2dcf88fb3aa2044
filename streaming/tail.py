"""The growing ends of the logs that somebody in this process follows.

A stream waits here and holds no thread and no database connection. New entries come straight from this process's own
commits, or, for runs that other processes work on, from one reader that looks once for all followers.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

import structlog

from streaming.wire import Entry

RELOOK_SECONDS = 2.0
WINDOW_ENTRIES = 256  # who is further behind reads the database
logger = structlog.get_logger()


@dataclass
class Window:
    """The newest entries of one run without a gap. `grown_to` may be ahead of them; `closed` ends the log."""

    grown_to: int = 0
    closed: bool = False
    is_fresh: bool = False  # this process has written to it since the last look
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=WINDOW_ENTRIES))
    followers: set[asyncio.Event] = field(default_factory=set)

    def put(self, entries: Sequence[Entry], closed: bool) -> None:
        for entry in entries:
            if self.entries and entry.sequence <= self.entries[-1].sequence:
                continue
            if self.entries and entry.sequence > self.entries[-1].sequence + 1:
                self.entries.clear()
            self.entries.append(entry)
        if entries:
            self.grown_to = max(self.grown_to, entries[-1].sequence)
        self.closed = self.closed or closed
        for follower in self.followers:
            follower.set()

    def after(self, sequence: int) -> Sequence[Entry] | None:
        """What follows `sequence`, or None when memory does not reach back that far."""
        if not self.entries or sequence + 1 < self.entries[0].sequence:
            return None if self.grown_to > sequence else ()
        newest = list(islice(reversed(self.entries), max(self.entries[-1].sequence - sequence, 0)))
        newest.reverse()
        return newest


@dataclass(frozen=True)
class Growth:
    """What the database says of a run: its newest entries (from where we asked) and its end."""

    entries: Sequence[Entry]
    last_sequence: int
    closed: bool


# Given {run id: sequence already here}, what is new in the database.
Look = Callable[[Mapping[str, int]], Awaitable[Mapping[str, Growth]]]


class Tail:
    """All followed runs of this process."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._windows: dict[str, Window] = {}
        self._stale: set[str] = set()
        self._wake = asyncio.Event()
        self.stopped = False

    def stop(self) -> None:
        """This process drains: every follower ends at the next clean boundary, which is now."""
        self.stopped = True
        for window in self._windows.values():
            for follower in window.followers:
                follower.set()

    @contextmanager
    def watching(self, run_id: str) -> Iterator[tuple[Window, asyncio.Event]]:
        """Subscribe before reading, so that nothing falls between the read and the wait."""
        window = self._windows.setdefault(run_id, Window())
        news = asyncio.Event()
        window.followers.add(news)
        try:
            yield window, news
        finally:
            window.followers.discard(news)
            if not window.followers and self._windows.get(run_id) is window:
                del self._windows[run_id]

    def committed(self, run_id: str, entries: Sequence[Entry], closed: bool) -> None:
        """This process has written to a log."""
        if window := self._windows.get(run_id):
            window.put(entries, closed)
            window.is_fresh = True

    def heard(self, grown: Mapping[str, int]) -> None:
        """A hint of any process. Our own commits come back this way, too, and are already here."""
        for run_id, last_sequence in grown.items():
            window = self._windows.get(run_id)
            if window and window.grown_to < last_sequence:
                self._stale.add(run_id)
                self._wake.set()

    def waiting(self) -> int:
        return sum(len(window.followers) for window in self._windows.values())

    async def run(self) -> None:
        """Look for what others wrote: at once after a hint, and every few seconds for all, should a hint be lost."""
        relook_at = time.monotonic() + RELOOK_SECONDS
        while True:
            try:
                async with asyncio.timeout(max(relook_at - time.monotonic(), 0)):
                    await self._wake.wait()
            except TimeoutError:
                self._stale |= self._silent()  # also when hints for other runs never cease
                relook_at = time.monotonic() + RELOOK_SECONDS
            self._wake.clear()
            stale, self._stale = self._stale, set()
            try:
                await self._refresh(stale)
            except Exception as error:  # noqa: BLE001  (the database may be away; the next look tries again)
                logger.warning("relook_failed", kind=type(error).__name__)

    def _silent(self) -> set[str]:
        """Runs that this process has not written to since the last look: somebody else may have."""
        silent = {run_id for run_id, window in self._windows.items() if not window.is_fresh}
        for window in self._windows.values():
            window.is_fresh = False
        return silent

    async def _refresh(self, stale: set[str]) -> None:
        here = {run_id: self._windows[run_id].grown_to for run_id in stale if run_id in self._windows}
        if not here:
            return
        for run_id, growth in (await self._look(here)).items():
            if (window := self._windows.get(run_id)) and (growth.last_sequence > window.grown_to or growth.closed):
                window.put(growth.entries, growth.closed)
                window.grown_to = max(window.grown_to, growth.last_sequence)
