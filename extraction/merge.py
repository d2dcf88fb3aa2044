"""Two origins, one value: what the patterns found and what the model says are brought together field by field."""

import re
import unicodedata
from collections.abc import Iterable

from extraction.confidence import UNSUPPORTED, agreed
from extraction.types import Alternative, FieldContent, FieldValue, Person


def merged(known: FieldValue | None, new: FieldValue) -> FieldValue:
    """The value to show. Agreement makes it surer; of two that differ the surer one stands and the other becomes an
    alternative; what the user said stands always."""
    if known is None:
        return new
    if same(known.value, new.value):
        sure = known if known.confidence >= new.confidence else new
        if min(known.confidence, new.confidence) <= UNSUPPORTED:
            return sure
        return known.model_copy(update={"confidence": agreed(known.confidence, new.confidence)})
    if known.origin == "user" or known.confidence > new.confidence:
        return _with_alternatives(known, new)
    return _with_alternatives(new, known)


def _with_alternatives(winner: FieldValue, loser: FieldValue) -> FieldValue:
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
        return {_plain(part) for part in _parts(one)} == {_plain(part) for part in _parts(other)}
    return _plain(one) == _plain(other)


def _parts(content: FieldContent) -> Iterable[str]:
    return content if isinstance(content, list) else [content]


def _plain(text: str) -> str:
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return re.sub(r"^https?://(www\.)?", "", folded).strip(" .,;:!/")


class Seats:
    """Which person of ours the model's n-th person is. The patterns' persons keep their places; the model's are
    seated by e-mail, then by name; somebody new takes a new place."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = list(people)
        self._seats: dict[int, int] = {}

    def seat(self, theirs: int, full_name: str | None, email: str | None) -> int:
        """Seat the model's person by what is known of them; stays so from then on."""
        if theirs not in self._seats:
            free = [person for person in self._people if person.index not in self._seats.values()]
            match = next((person for person in free if _is_same_person(person, full_name, email)), None)
            if match is None and theirs == 0 and len(free) == 1 and not free[0].get("contact", "full_name"):
                match = free[0]  # the patterns saw somebody without a name
            self._seats[theirs] = match.index if match else self._next_seat()
        return self._seats[theirs]

    def _next_seat(self) -> int:
        return max([person.index for person in self._people] + list(self._seats.values()), default=-1) + 1


def _is_same_person(person: Person, full_name: str | None, email: str | None) -> bool:
    known_email = person.text("contact", "email")
    if email and known_email and email.casefold() == known_email.casefold():
        return True
    known_name = person.text("contact", "full_name") or person.text("contact", "last_name")
    if not (full_name and known_name):
        return False
    mine, theirs = (set(_plain(name).replace(".", " ").split()) for name in (known_name, full_name))
    return mine <= theirs or theirs <= mine
