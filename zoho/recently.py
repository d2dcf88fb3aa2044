"""What was seen a moment ago, kept for a moment."""

import time
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recently(Generic[T]):
    """At most `most` things, none of them older than `seconds`."""

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self._seconds = seconds
        self._most = most
        self._seen: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, key: str, value: T) -> T:
        self._seen[key] = (time.monotonic(), value)
        self._seen.move_to_end(key)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return value

    def get(self, key: str) -> T | None:
        return self._seen[key][1] if key in self else None

    def __contains__(self, key: str | None) -> bool:
        return key is not None and key in self._seen and time.monotonic() - self._seen[key][0] <= self._seconds

    def forget(self, key: str) -> None:
        self._seen.pop(key, None)

    def clear(self) -> None:
        self._seen.clear()
