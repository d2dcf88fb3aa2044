"""What limits count with: in this process, or in Redis when there are several.

Without Redis there is one process (docs/operations.md), so that its memory is all there is to share. While Redis is
away each process counts for itself: limits are then wider, never gone.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

REDIS_SECONDS = 0.5
AWAY_SECONDS = 5.0
MOST_NAMES = 50_000
logger = structlog.get_logger()


class Counters(Protocol):
    """Names are of our own making; counts and holds vanish by themselves."""

    async def add(self, names: Sequence[str], seconds: int) -> list[int]:
        """One more of each; how many there were of each in the present window, which is so many seconds long."""

    async def hold(self, name: str, seconds: int) -> None:
        """Hold a name back for so long from now."""

    async def held(self, names: Sequence[str]) -> int:
        """For how many seconds yet the one of them is held back that is so longest; 0 when none is."""

    async def close(self) -> None: ...


class MemoryCounters:
    """Of this process. `clock` gives epoch seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}
        self._holds: dict[str, float] = {}

    async def add(self, names: Sequence[str], seconds: int) -> list[int]:
        now = self._clock()
        return [self._add(f"{name} {int(now // seconds)}", now, now + seconds) for name in names]

    def _add(self, name: str, now: float, ends_at: float) -> int:
        if len(self._counts) >= MOST_NAMES:
            self._tidy(now)
        count = self._counts.get(name, (0, 0.0))[0] + 1
        self._counts[name] = (count, ends_at)
        return count

    async def hold(self, name: str, seconds: int) -> None:
        self._holds[name] = self._clock() + seconds

    async def held(self, names: Sequence[str]) -> int:
        now = self._clock()
        return max(0, *(-int(-(self._holds.get(name, now) - now) // 1) for name in names))

    async def close(self) -> None:
        """There is nothing to close."""

    def _tidy(self, now: float) -> None:
        """Forget what is over, and when that is not enough the oldest: memory is bounded whoever calls."""
        counts = {name: one for name, one in self._counts.items() if one[1] > now}
        self._counts = dict(list(counts.items())[len(counts) // 2 if len(counts) >= MOST_NAMES else 0 :])
        self._holds = {name: ends_at for name, ends_at in self._holds.items() if ends_at > now}


class RedisCounters:
    """Shared by all processes of one Redis and `prefix`."""

    def __init__(self, url: str, prefix: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
        self._prefix = prefix
        self._own = MemoryCounters()
        self._away_until = 0.0

    async def add(self, names: Sequence[str], seconds: int) -> list[int]:
        pipe = self._redis.pipeline(transaction=False)
        window = int(time.time() // seconds)
        for name in names:
            pipe.incr(f"{self._prefix} {name} {window}")
            pipe.expire(f"{self._prefix} {name} {window}", seconds)
        told = await self._told(pipe)
        return await self._own.add(names, seconds) if told is None else told[::2]

    async def hold(self, name: str, seconds: int) -> None:
        await self._own.hold(name, seconds)
        await self._told(self._redis.pipeline().set(f"{self._prefix} held {name}", 1, ex=seconds))

    async def held(self, names: Sequence[str]) -> int:
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.ttl(f"{self._prefix} held {name}")  # -2 when there is none
        told = await self._told(pipe)
        return await self._own.held(names) if told is None else max(0, *told)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _told(self, pipe: Any) -> list[int] | None:
        """What Redis answers; None while it does not, which is found out once in a while and not by every call."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return list(await pipe.execute())
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("limits_without_redis", kind=type(error).__name__)
            return None
