"""Does a confidence mean what it says: of the values shown with 0.9, are nine in ten right?"""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

BINS = 10

Shown = tuple[float, bool]  # the confidence a value was shown with, and whether it was right


def reliability(shown: Iterable[Shown]) -> list[dict[str, Any]]:
    """The reliability table: for each tenth of confidence how many values, how sure they claimed to be on average,
    and which share was right."""
    bins: dict[int, list[Shown]] = defaultdict(list)
    for confidence, right in shown:
        bins[min(BINS - 1, int(confidence * BINS))].append((confidence, right))
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "n": len(held),
            "confidence": round(statistics.fmean(confidence for confidence, _ in held), 4),
            "right": round(statistics.fmean(right for _, right in held), 4),
        }
        for number, held in sorted(bins.items())
    ]


def calibration_error(table: list[dict[str, Any]]) -> float:
    """Expected calibration error: how far confidence and truth are apart, averaged over the values."""
    values = sum(row["n"] for row in table)
    apart = sum(abs(row["confidence"] - row["right"]) * row["n"] for row in table)
    return round(apart / values, 4) if values else 0.0
