"""Two origins, one value: what the patterns found and what the model says are brought together field by field."""

import re
import unicodedata
from collections.abc import Iterable

from extraction.confidence import FILLED, UNSUPPORTED, agreed
from extraction.types import Alternative, FieldContent, FieldValue


def merged(known: FieldValue | None, new: FieldValue) -> FieldValue:
    """The value to show. Agreement makes it surer; of two that differ the surer one stands and the other becomes an
    alternative. What the user said stands always; a rule's default, which rests on no words, gives way."""
    if known is None:
        return new
    if same(known.value, new.value) and known.origin != "user":
        sure = known if known.confidence >= new.confidence else new
        if min(known.confidence, new.confidence) <= UNSUPPORTED:
            return sure
        surer = {"confidence": agreed(known.confidence, new.confidence), "evidence": known.evidence or new.evidence}
        return known.model_copy(update=surer)
    is_default = known.origin == "rule" and known.evidence is None and new.confidence >= FILLED
    if known.origin == "user" or (known.confidence > new.confidence and not is_default):
        return with_alternatives(known, new)
    return with_alternatives(new, known)


def with_alternatives(winner: FieldValue, loser: FieldValue) -> FieldValue:
    """The winner, with the loser and all that either of them had beside it, each value once."""
    offered = (
        *winner.alternatives,
        Alternative(value=loser.value, confidence=loser.confidence, origin=loser.origin),
        *loser.alternatives,
    )
    kept: list[Alternative] = []
    for alternative in offered:
        if not any(same(alternative.value, other) for other in (winner.value, *(given.value for given in kept))):
            kept.append(alternative)
    return winner.model_copy(update={"alternatives": tuple(kept)})


def same(one: FieldContent, other: FieldContent) -> bool:
    """Equal for a reader: case, white space and punctuation at the ends do not count; lists are sets."""
    if isinstance(one, list) or isinstance(other, list):
        return {plain(part) for part in _parts(one)} == {plain(part) for part in _parts(other)}
    return plain(one) == plain(other)


def _parts(content: FieldContent) -> Iterable[str]:
    return content if isinstance(content, list) else [content]


def plain(text: str) -> str:
    """A text without what does not count for a reader."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return re.sub(r"^https?://(www\.)?", "", folded).strip(" .,;:!/")
