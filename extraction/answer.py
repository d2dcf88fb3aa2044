"""The model's answer as it comes: each closed value is seated, cleaned, grounded in the mail and merged."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from extraction.belonging import Belonging, Who
from extraction.confidence import UNSUPPORTED
from extraction.evidence import Stretch
from extraction.grounding import Grounding, Said
from extraction.letter import Letter
from extraction.merge import merged, same
from extraction.patterns.names import clean_name
from extraction.prompt import KEYS, NumberedLine
from extraction.reader import Found
from extraction.seats import MAX_PEOPLE, Seats
from extraction.types import LISTS, Extraction, FieldValue, Intent, OwnFirm, Person, RecordName, Role
from extraction.values import cleaned

# Where the model's keys live with us; the rest is the deal's. `full_name` also gives first and last name.
PLACES: dict[str, RecordName] = {
    **dict.fromkeys(("full_name", "email", "phone", "title", "city", "state", "country", "linkedin_url"), "contact"),
    **dict.fromkeys(("company_name", "website"), "company"),
}
MAX_ITEMS = 30  # of a list


class Answer:
    """Folds found values over a draft. Give it what the reader found, in order; it gives back what changed. Whatever
    the model says is a stranger's word: what has not the asked shape is passed over."""

    def __init__(self, letter: Letter, lines: Sequence[NumberedLine], draft: Extraction, own: OwnFirm) -> None:
        self._belonging = Belonging(letter, own, draft)
        self._grounding = Grounding(letter, self._belonging)
        self._is_steered = letter.speaks_past_its_reader
        self._lines = {line.number: line for line in lines}
        self._people = {person.index: person for person in draft.people}
        self._seats = Seats(draft.people)
        self._seated: dict[int, int | None] = {}
        self._doubted: set[int] = set()
        self._waiting: dict[int, dict[str, Any]] = {}
        self._intent = draft.intent

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(self._people[index] for index in sorted(self._people))

    @property
    def intent(self) -> Intent:
        return self._intent

    def take(self, found: Found) -> Iterator[tuple[int, FieldValue]]:
        """What a found value changes: (person, the value to show)."""
        match found.path:
            case ("intent",) if found.value in get_args(Intent) and not self._is_steered:
                self._intent = found.value
            case ("people", int(theirs), str(key)) if key in KEYS and theirs < MAX_PEOPLE:
                yield from self._take_field(theirs, key, found.value)

    def _take_field(self, theirs: int, key: str, raw: Any) -> Iterator[tuple[int, FieldValue]]:
        """Hold values back until it is known whose they are: after the e-mail address, which follows the name."""
        waiting = self._waiting.setdefault(theirs, {})
        waiting[key] = raw
        if theirs not in self._seated:
            if "full_name" not in waiting or waiting.keys() <= {"role", "full_name"}:
                return
            self._seated[theirs] = self._seat_for(
                self._said("full_name", waiting["full_name"]), self._said("email", waiting.get("email"))
            )
        if (seat := self._seated[theirs]) is not None:
            for held, content in waiting.items():
                yield from self._put(seat, held, content)
        waiting.clear()

    def _seat_for(self, name: Said | None, email: Said | None) -> int | None:
        """Where to put what is said of somebody; None for those who are not to be filed, or not in the mail."""
        who = Who(name and name.text, email and email.text)
        if self._belonging.is_nobody_to_file(who):
            return None
        known = self._seats.known(who)
        person = name if name and self._belonging.may_be_a_person(name.text) else None
        if known is None and not self._grounding.knows(full_name=person, email=email):
            return None
        seat = self._seats.take(who, known)
        if known is None and seat is not None and self._belonging.has_another_part(who):
            self._doubted.add(seat)
        return seat

    def _put(self, seat: int, key: str, raw: Any) -> Iterator[tuple[int, FieldValue]]:
        person = self._people.setdefault(seat, Person(index=seat))
        if key == "role":
            if raw in get_args(Role) and not self._is_steered:
                self._people[seat] = person.model_copy(update={"role": raw})
            return
        for given in self._values(key, raw, person):
            known = person.get(*given.name)
            chosen = merged(known, self._doubting(seat, given))
            person = person.having(chosen)
            if known is None or not same(known.value, chosen.value):
                yield seat, chosen
        self._people[seat] = person

    def _doubting(self, seat: int, value: FieldValue) -> FieldValue:
        sure = value.confidence if seat not in self._doubted else min(value.confidence, UNSUPPORTED)
        return value.model_copy(update={"confidence": sure})

    def _values(self, key: str, raw: Any, person: Person) -> Iterator[FieldValue]:
        who, record = self._seats.holder(person.index), PLACES.get(key, "deal")
        if key in LISTS:
            items = raw[:MAX_ITEMS] if isinstance(raw, list) else []
            if said := [one for item in items if (one := self._said(key, item))]:
                yield from self._grounding.values(record, key, said, who, person)
        elif only := self._said(key, raw):
            for value in self._grounding.value(record, key, only, who, person):
                yield value
                yield from _parts(value) if key == "full_name" else ()

    def _said(self, key: str, raw: Any) -> Said | None:
        text = cleaned(key, _text(raw))
        return Said(text, self._near(raw)) if text else None

    def _near(self, raw: Any) -> Stretch | None:
        number = raw.get("line") if isinstance(raw, dict) else None
        line = self._lines.get(number) if isinstance(number, int) else None
        return (line.source, line.start, line.end) if line else None


def _parts(name: FieldValue) -> Iterator[FieldValue]:
    """First and last name, on the same words as the whole."""
    _, first, last = clean_name(str(name.value))
    for field, part in (("first_name", first), ("last_name", last)):
        if part:
            yield name.model_copy(update={"field": field, "value": part})


def _text(given: Any) -> str | None:
    value = given.get("value") if isinstance(given, dict) else given
    return value if isinstance(value, str) else None
