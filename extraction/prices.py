"""What an answer costs, by the prices of the settings."""

import math
from dataclasses import dataclass

from extraction.types import Usage


@dataclass(frozen=True)
class Prices:
    """What a million tokens of one model cost."""

    input: float
    cached: float
    output: float
    currency: str = "USD"

    def priced(self, usage: Usage) -> Usage:
        """The usage with its cost. Cached tokens are a part of the input."""
        fresh = usage.input_tokens - usage.cached_tokens
        total = fresh * self.input + usage.cached_tokens * self.cached + usage.output_tokens * self.output
        return usage.model_copy(update={"cost": total / 1_000_000, "currency": self.currency})


def prices_from(text: str) -> Prices:
    """`0.25/0.025/2`: input, cached input, output. Raises `ValueError`."""
    fresh, cached, output = map(float, text.split("/"))
    if not all(math.isfinite(price) and price >= 0 for price in (fresh, cached, output)):
        raise ValueError
    return Prices(fresh, cached, output)
