"""What the rules read in the words that a model points at. Where they see another thing, the value is doubted: a
reception's number, the team's assets, a former title, letters that somebody is still studying for."""

from collections.abc import Callable, Iterable
from typing import Any

import phonenumbers

from extraction.letter import Letter
from extraction.patterns.metrics import DESIGNATIONS, counts_in, designations_in, shares_in
from extraction.patterns.money import money_in
from extraction.patterns.phones import phones_in
from extraction.patterns.places import places_in
from extraction.patterns.reading import Passage, passages_of
from extraction.patterns.titles import titles_in
from extraction.types import Evidence

LEAST = 0.3  # what the rules give a number, or a place, that is hardly this person's
_DESIGNATIONS = frozenset(DESIGNATIONS)


class Objections:
    """The rules' reading of one mail, passage by passage, as far as it is asked for."""

    def __init__(self, letter: Letter) -> None:
        self._passages = passages_of(letter)
        self._heard: dict[tuple[int, str], list[Any]] = {}

    def against(self, field: str, value: str, evidence: Evidence) -> bool:
        passage = next((one for one in self._passages if _holds(one, evidence)), None)
        return passage is not None and self._against(field, value, passage, evidence)

    def _against(self, field: str, value: str, passage: Passage, evidence: Evidence) -> bool:
        def read(reader: Callable[[Passage], Iterable[Any]]) -> list[Any]:
            """What a reader of the rules finds at these words."""
            start, end = evidence.start - passage.start, evidence.end - passage.start
            return [one for one in self._all(passage, reader) if one.start < end and start < one.end]

        match field:
            case "phone":
                numbers = read(_phones_of(value))
                return all(number.score <= LEAST for number in numbers)
            case "aum" | "production" | "compensation":
                return any(amount.label not in ("", field) for amount in read(money_in))
            case "client_count" | "years_experience":
                return any(count.label != field for count in read(counts_in))
            case "book_transferable":
                return bool(self._all(passage, shares_in)) and not read(shares_in)
            case "designations":
                held = {one.value for one in self._all(passage, designations_in)}
                return value in _DESIGNATIONS and value not in held
            case "city":
                there = read(places_in)
                return bool(there) and all(place.score < LEAST for place in there)
            case "title" | "target_title":
                titles = read(titles_in)
                return bool(titles) and all(title.tense == "past" for title in titles)
        return False

    def _all(self, passage: Passage, reader: Callable[[Passage], Iterable[Any]]) -> list[Any]:
        key = passage.number, reader.__name__
        if key not in self._heard:
            self._heard[key] = list(reader(passage))
        return self._heard[key]


def _holds(passage: Passage, evidence: Evidence) -> bool:
    inside = passage.start <= evidence.start < passage.start + len(passage.text)
    return passage.source == evidence.source and inside


def _phones_of(value: str) -> Callable[[Passage], Iterable[Any]]:
    """Numbers as the value's country writes them."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(value))

    def phones(passage: Passage) -> Iterable[Any]:
        return phones_in(passage, (region,) if region else ())

    phones.__name__ = f"phones in {region}"
    return phones
