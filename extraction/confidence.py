"""How sure a value is. Calibrated: of the values shown with 0.9, nine in ten are to be right on the corpus."""

FILLED = 0.5  # from here on a value is filled in; below, it is only offered
UNSUPPORTED = 0.3  # a value whose words are not in the mail is never surer than this

# What a pattern's value is worth when the words around it leave no doubt; measured precision on the corpus behind it.
BASE: dict[str, float] = {}


def agreed(a: float, b: float) -> float:
    """Two origins that say the same: the chance that both are wrong, were they independent; never quite certain."""
    return round(min(0.99, 1 - (1 - a) * (1 - b)), 4)


def of_pattern(field: str, score: float) -> float:
    """A span's plausibility as a confidence: full worth from 0.8 on, in proportion below."""
    return round(min(0.98, BASE.get(field, 0.85) * min(1.0, score / 0.8)), 3)
