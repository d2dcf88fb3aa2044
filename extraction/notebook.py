"""A journal in memory, for one mail that nobody follows: scoring, tests."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from extraction.events import Event

T = TypeVar("T")


class Notebook:
    """Keeps the promise of `ports.Journal`; `events` are what was told."""

    attempt = 1

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._steps: dict[str, object] = {}

    def tell(self, *events: Event) -> None:
        self.events += events

    async def written(self) -> None:
        pass

    def told(self, kind: str) -> bool:
        return any(event.type == kind for event in self.events)

    def done(self, name: str) -> bool:
        return name in self._steps

    async def step(
        self,
        name: str,
        work: Callable[[], Awaitable[T]],
        kind: type[T],
        tells: Callable[[T], Iterable[Event]] = lambda result: (),
    ) -> T:
        result = await work()
        self._steps[name] = result
        self.tell(*tells(result))
        return result
