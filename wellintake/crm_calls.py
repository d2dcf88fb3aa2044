"""What the calls to the CRM came to in this process."""

from collections import Counter, deque
from typing import Any

NEWEST = 400


class CrmCalls:
    """Keeps the promise of `zoho.client.Meter`."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._milliseconds: deque[float] = deque(maxlen=NEWEST)
        self._retries = 0
        self._credits_left: int | None = None

    def called(self, outcome: str, milliseconds: float, credits_left: int | None) -> None:
        self._outcomes[outcome] += 1
        self._milliseconds.append(milliseconds)
        self._credits_left = self._credits_left if credits_left is None else credits_left

    def retried(self) -> None:
        self._retries += 1

    def view(self) -> dict[str, Any]:
        return {
            "calls": self._outcomes.total(),
            "by_status": dict(self._outcomes),
            "retries": self._retries,
            "samples": [round(sample, 1) for sample in self._milliseconds],
            "credits_left": self._credits_left,
        }
