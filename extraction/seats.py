"""Which person of ours the model's n-th person is, and whether there is one at all."""

from collections.abc import Iterable

from extraction.belonging import Who, who_is, words_of
from extraction.types import Person

MAX_PEOPLE = 100  # corrections reach no further


class Seats:
    """The rules' persons keep their places; the model's are seated by e-mail, then by name. Somebody new takes a new
    place; somebody whom the model names twice is one person."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._held = {person.index: who_is(person) for person in people}
        self._taken: set[int] = set()

    def holder(self, index: int) -> Who:
        return self._held[index]

    def known(self, who: Who) -> int | None:
        """The place of somebody who has one already, from the rules or from an earlier word of the model."""
        free = {index: held for index, held in self._held.items() if index not in self._taken}
        by_email = (n for n, held in self._held.items() if who.email and who.email == (held.email or "").casefold())
        by_name = (n for n, held in free.items() if _may_be(held.name, who.name))
        again = (n for n in self._taken if _is_surely(self._held[n].name, who.name))
        return next((n for found in (by_email, by_name, again) for n in found), self._only_one(free, who))

    def take(self, who: Who, index: int | None) -> int | None:
        """Seat somebody, at a place of their own unless one is given; None when the room is full."""
        seat = index if index is not None else max(self._held, default=-1) + 1
        if seat >= MAX_PEOPLE:
            return None
        held = self._held.get(seat, Who(None, None))
        self._held[seat] = Who(held.name or who.name, held.email or who.email)
        self._taken.add(seat)
        return seat

    def _only_one(self, free: dict[int, Who], who: Who) -> int | None:
        """Somebody without a name, of whom there is one on either side."""
        if len(self._held) == len(free) == 1:
            ((index, held),) = free.items()
            if held.name is None or who == (None, None):
                return index
        return None


def _may_be(one: str | None, other: str | None) -> bool:
    """One name is part of the other: a middle name, a suffix or the first name is missing."""
    mine, theirs = words_of(one), words_of(other)
    return bool(mine and theirs) and (mine <= theirs or theirs <= mine)


def _is_surely(one: str | None, other: str | None) -> bool:
    """Nearly the same name said twice in one answer; "John Smith" and "John Smith Jr." are two."""
    mine, theirs = words_of(one), words_of(other)
    return bool(mine) and (mine == theirs or (min(len(mine), len(theirs)) == 1 and _may_be(one, other)))
