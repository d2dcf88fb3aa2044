"""Where everybody comes in, over HTTP and by sockets: counted, verified, held back after failures."""

from collections.abc import Awaitable, Callable, Mapping

from streaming.callers import Caller
from wellintake.access.keys import id_of
from wellintake.access.throttle import Attempt, Throttle
from wellintake.access.verifier import Verifier

Verification = Callable[[], Awaitable[Caller | None]]


class Door:
    """All of it may raise `Problem`: 429 with the seconds to wait, 503 when somebody else is needed to verify."""

    def __init__(self, verifier: Verifier, throttle: Throttle) -> None:
        self._verifier = verifier
        self._limits = throttle

    async def caller_of(self, headers: Mapping[str, str], address: str) -> Caller | None:
        """Whoever the headers prove; None for a stranger."""
        await self._limits.count_address(address)
        key = headers.get("x-api-key")
        credential = key or headers.get("authorization")
        if not credential:
            return None
        account = f"key {id_of(key)}" if key else None
        return await self._tried(Attempt(address, account), credential, lambda: self._verifier.caller_of(headers))

    async def reader_of(self, run_token: str, address: str) -> Caller | None:
        await self._limits.count_address(address)
        return await self._tried(Attempt(address, None), run_token, lambda: self._verifier.reader_of(run_token))

    async def spender_of(self, ticket: str | None, address: str) -> Caller | None:
        await self._limits.count_address(address)
        if not ticket:
            return None
        return await self._tried(Attempt(address, None), ticket, lambda: self._verifier.spend(ticket))

    async def _tried(self, attempt: Attempt, credential: str, verify: Verification) -> Caller | None:
        # What we have signed is no guess, also when its time is over: it is neither held back nor counted.
        is_ours = self._verifier.has_signed(credential)
        if not is_ours and not self._limits.was_good(credential):
            await self._limits.raise_when_held(attempt)
        caller = await verify()
        if caller is not None:
            self._limits.remember(credential)
            await self._limits.count_caller(caller)
        elif not is_ours:
            await self._limits.failed(attempt)
        return caller
