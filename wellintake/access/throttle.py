"""How often somebody may call, and how often they may be wrong about who they are."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from streaming.callers import Caller
from streaming.problems import Problem
from wellintake.access.counters import Counters

MINUTE = 60
# One address or one account is many people's: it may fail as many times as often as the two together.
WIDER = 10
GOOD_SECONDS = 600.0
MOST_GOOD = 10_000


@dataclass(frozen=True)
class Allowance:
    """`failed_logins` are those of one account from one address within `longest_wait` seconds."""

    requests_per_user: int  # a minute
    requests_per_address: int  # a minute
    failed_logins: int
    longest_wait: int


@dataclass(frozen=True)
class Attempt:
    """A log-in. `account` is what is public of it, the key's id or the user's name; None for a token, which names
    nobody until it is verified."""

    address: str
    account: str | None

    def names(self) -> dict[str, int]:
        """What its failures are counted under, and how many times the allowance each may have."""
        if self.account is None:
            return {f"at {self.address}": WIDER}
        return {f"as {self.account} at {self.address}": 1, f"as {self.account}": WIDER, f"at {self.address}": WIDER}


class Throttle:
    def __init__(self, counters: Counters, allowance: Allowance) -> None:
        self._counters = counters
        self._allowance = allowance
        self._good: OrderedDict[bytes, float] = OrderedDict()

    async def close(self) -> None:
        await self._counters.close()

    async def count_address(self, address: str) -> None:
        """Raises `Problem` 429."""
        await self._count(f"calls at {address}", self._allowance.requests_per_address)

    async def count_sign_in(self, address: str) -> None:
        """By way of Microsoft. Raises `Problem` 429."""
        await self._count(f"sign-ins at {address}", WIDER * self._allowance.failed_logins)

    async def count_caller(self, caller: Caller) -> None:
        """Raises `Problem` 429."""
        await self._count(f"calls as {caller.tenant} {caller.subject}", self._allowance.requests_per_user)

    async def _count(self, name: str, most: int) -> None:
        (count,) = await self._counters.add([name], MINUTE)
        if count > most:
            detail = f"More than {most} calls a minute. Come back when the next one begins."
            raise Problem(429, "too_many_requests", detail, retry_after=MINUTE - int(time.time() % MINUTE))

    async def raise_when_held(self, attempt: Attempt) -> None:
        """Raises `Problem` 429 while failures before this attempt still hold it back."""
        if seconds := await self._counters.held(list(attempt.names())):
            raise Problem(429, "too_many_logins", "Too many failed log-ins. Please wait.", retry_after=seconds)

    async def failed(self, attempt: Attempt) -> None:
        """Count a failure; over the allowance each one makes the next wait, twice as long as the last."""
        names = attempt.names()
        counts = await self._counters.add([f"failed {name}" for name in names], self._allowance.longest_wait)
        for (name, factor), count in zip(names.items(), counts, strict=True):
            beyond = count - factor * self._allowance.failed_logins
            if beyond >= 0:
                await self._counters.hold(name, min(2 ** min(beyond, 20), self._allowance.longest_wait))

    # Whoever has just shown a good credential is not held back by the failures of others: of people behind the same
    # address, or of somebody who would lock them out.

    def remember(self, credential: str) -> None:
        self._good[_digest(credential)] = time.monotonic() + GOOD_SECONDS
        self._good.move_to_end(_digest(credential))
        if len(self._good) > MOST_GOOD:
            self._good.popitem(last=False)

    def was_good(self, credential: str) -> bool:
        return self._good.get(_digest(credential), 0.0) > time.monotonic()


def _digest(credential: str) -> bytes:
    return hashlib.sha256(credential.encode()).digest()
