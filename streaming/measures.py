"""What a process has seen lately: newest samples of each kind, in milliseconds."""

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Literal

Kind = Literal["first_field_ms", "first_token_ms", "field_ms", "total_ms", "ws_latency_ms"]
KINDS: tuple[Kind, ...] = ("first_field_ms", "first_token_ms", "field_ms", "total_ms", "ws_latency_ms")
NEWEST = 2000
BUCKETS_MS = (5, 10, 25, 50, 100, 200, 350, 500, 750, 1000, 2000, 3000, 5000, 10_000, 30_000)


class Measures:
    def __init__(self) -> None:
        self._samples: dict[Kind, deque[float]] = {kind: deque(maxlen=NEWEST) for kind in KINDS}
        self._counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._buckets: dict[Kind, list[int]] = {kind: [0] * (len(BUCKETS_MS) + 1) for kind in KINDS}
        self._sums: dict[Kind, float] = dict.fromkeys(KINDS, 0.0)
        self.events = 0  # written to logs by this process

    def add(self, kind: Kind, milliseconds: float) -> None:
        self._samples[kind].append(milliseconds)
        self._counts[kind] += 1
        self._buckets[kind][bisect_left(BUCKETS_MS, milliseconds)] += 1
        self._sums[kind] += milliseconds

    def written(self, told_at: Iterable[float]) -> None:
        """Fields that have just been committed, by the time they were told."""
        now = time.time()
        for at in told_at:
            self.add("field_ms", (now - at) * 1000)

    def finished(self, timings: Mapping[str, float]) -> None:
        for kind, name in (("first_field_ms", "first_field"), ("first_token_ms", "first_token"), ("total_ms", "total")):
            if name in timings:
                self.add(kind, timings[name])  # type: ignore[arg-type]

    def newest(self, most: int) -> dict[str, list[float]]:
        """The newest samples of each kind, for figures over several processes."""
        return {kind: [round(sample, 1) for sample in list(samples)[-most:]] for kind, samples in self._samples.items()}

    def histogram(self, kind: Kind) -> tuple[list[tuple[str, float]], float]:
        """Buckets as Prometheus has them (upper bound in seconds, samples up to there) and the sum in seconds."""
        bounds = [*(str(bound / 1000) for bound in BUCKETS_MS), "+Inf"]
        return list(zip(bounds, accumulate(self._buckets[kind]), strict=True)), self._sums[kind] / 1000

    @property
    def counts(self) -> Mapping[Kind, int]:
        return self._counts


def percentiles(samples: Iterable[float]) -> dict[str, float | int | None]:
    ordered = sorted(samples)

    def at(share: float) -> float | None:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2) if ordered else None

    return {"p50": at(0.50), "p95": at(0.95), "p99": at(0.99)}
