"""How many connections somebody holds over all processes, counted in Redis.

Each connection is a member of its holder's sorted set, with the moment until which it counts. Its process renews that
while it lives; what a killed process has left is over by itself. While Redis is away each process counts for itself.
"""

import asyncio
import time
from collections.abc import Callable

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from streaming.live import Connection
from wellintake.access.counters import AWAY_SECONDS, REDIS_SECONDS

KEPT_SECONDS = 45.0
RENEW_SECONDS = 15.0
logger = structlog.get_logger()


class RedisSeats:
    """Keeps the promise of `streaming.live.Seats`. `clock` gives epoch seconds, the same on all hosts by and large."""

    def __init__(self, url: str, prefix: str, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
        self._prefix = prefix
        self._clock = clock
        self._away_until = 0.0
        self._mine: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._wake = asyncio.Event()

    async def take(self, connection: Connection, limit: int) -> bool:
        if time.monotonic() < self._away_until:
            return True  # found out once in a while, and not by everybody who connects
        name = f"{self._prefix} {connection.caller.tenant} {connection.caller.subject}"
        now = self._clock()
        pipe = self._redis.pipeline()
        pipe.zremrangebyscore(name, "-inf", now)
        pipe.zadd(name, {connection.id: now + KEPT_SECONDS})
        pipe.expire(name, int(2 * KEPT_SECONDS))
        pipe.zcard(name)
        try:
            *_, held = await pipe.execute()
            if held > limit:
                await self._redis.zrem(name, connection.id)
                return False
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("seats_without_redis", kind=type(error).__name__)
        self._mine[connection.id] = name
        return True

    def leave(self, connection_id: str) -> None:
        if name := self._mine.pop(connection_id, None):
            self._left[connection_id] = name
            self._wake.set()

    async def keep(self) -> None:
        """Give up the seats of who has left, and renew the others; runs as long as the process."""
        renew_at = time.monotonic() + RENEW_SECONDS
        while True:
            try:
                async with asyncio.timeout(max(renew_at - time.monotonic(), 0)):
                    await self._wake.wait()
            except TimeoutError:
                renew_at = time.monotonic() + RENEW_SECONDS
            self._wake.clear()
            try:
                await self.settle(renew=renew_at - time.monotonic() > RENEW_SECONDS - 1)
            except (RedisError, OSError) as error:
                logger.warning("seats_without_redis", kind=type(error).__name__)
                await asyncio.sleep(1)

    async def settle(self, *, renew: bool = True) -> None:
        """Once. Raises what Redis raises."""
        left, self._left = self._left, {}
        until = self._clock() + KEPT_SECONDS
        pipe = self._redis.pipeline(transaction=False)
        for connection_id, name in left.items():
            pipe.zrem(name, connection_id)
        for connection_id, name in self._mine.items() if renew else ():
            pipe.zadd(name, {connection_id: until})
            pipe.expire(name, int(2 * KEPT_SECONDS))
        try:
            await pipe.execute()
        except (RedisError, OSError):
            self._left = left | self._left
            raise

    async def close(self) -> None:
        self._mine, self._left = {}, {**self._left, **self._mine}
        try:
            await self.settle()
        except (RedisError, OSError) as error:
            logger.warning("seats_without_redis", kind=type(error).__name__)  # they are over in a minute
        await self._redis.aclose()
