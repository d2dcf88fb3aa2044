"""A language model behind its breaker: when it keeps failing, runs do not wait for it but go on without."""

import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Protocol

from extraction.breaker import Breaker
from extraction.errors import ModelError, ModelPaused, ModelRateLimited, ModelRejected
from extraction.ports import LanguageModel, Prompt
from extraction.types import Usage

# The first part of the sentence that a user reads instead of waiting.
_TROUBLES = {
    ModelRateLimited.code: "The language model has been over its limit",
    ModelRejected.code: "The language model has not accepted our requests",
}
_TROUBLE = "The language model has been out of reach"


Step = Callable[[Breaker], Breaker]


class Circuit(Protocol):
    """Where one breaker is kept, for all processes that ask the same service."""

    async def look(self) -> Breaker:
        """The breaker as it was at most a second ago: every run looks, so it has to be cheap."""
        ...

    async def change(self, step: Step) -> Breaker:
        """Take one step atomically, and give the breaker as it is then. `step` may be called more than once."""
        ...


class GuardedModel:
    """Keeps the promise of `ports.LanguageModel`; raises `ModelPaused` at once while the breaker is open."""

    def __init__(self, model: LanguageModel, circuit: Circuit, clock: Callable[[], float] = time.time) -> None:
        self.name = model.name
        self.circuit = circuit
        self._model = model
        self._clock = clock

    async def close(self) -> None:
        await self._model.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        caller = secrets.token_hex(8)
        probing = await self._enter(caller)
        outcome: Step | None = None
        try:
            async with aclosing(self._model.stream(prompt)) as pieces:
                async for piece in pieces:
                    if probing and isinstance(piece, str):
                        probing = False
                        await self.circuit.change(lambda breaker: breaker.answers(caller))
                    yield piece
            outcome = self._answered(caller)
        except ModelError as error:
            outcome = self._failed(caller, error) if error.of_service else self._answered(caller)
            raise
        finally:
            if outcome is not None:
                await self._report(outcome)
            elif probing:  # the run was stopped
                await self.circuit.change(lambda breaker: breaker.given_up(caller, self._clock()))

    async def _enter(self, caller: str) -> bool:
        """Whether the caller is the probe. Raises `ModelPaused` when it is not to ask."""
        seen = await self.circuit.look()
        if not seen.may_ask(caller, self._clock()) and self._clock() >= seen.until:
            seen = await self.circuit.change(lambda breaker: breaker.probed_by(caller, self._clock()))
        if not seen.may_ask(caller, self._clock()):
            raise _paused(seen)
        return seen.probe == caller

    async def _report(self, outcome: Step) -> None:
        seen = await self.circuit.look()
        if outcome(seen) != seen:  # while all is well nothing is written
            await self.circuit.change(outcome)

    def _answered(self, caller: str) -> Step:
        return lambda breaker: breaker.answered(caller)

    def _failed(self, caller: str, error: ModelError) -> Step:
        now = self._clock()
        return lambda breaker: breaker.failed(caller, error.code, now, error.retry_after)


def _paused(breaker: Breaker) -> ModelPaused:
    since = datetime.fromtimestamp(breaker.since or 0.0, UTC)
    trouble = _TROUBLES.get(breaker.code, _TROUBLE)
    return ModelPaused(f"{trouble} since {since:%-d %B, %H:%M} UTC and was not asked.")
