"""The model's answer as it comes: each closed value is seated, cleaned, grounded in the mail and merged."""

from collections.abc import Iterator, Sequence
from typing import Any

from extraction.confidence import UNSUPPORTED
from extraction.evidence import find
from extraction.letter import Letter
from extraction.merge import Seats, merged, same
from extraction.patterns.names import clean_name
from extraction.prompt import NumberedLine
from extraction.reader import Found
from extraction.types import LISTS, Evidence, Extraction, FieldValue, Intent, Person, RecordName
from extraction.values import cleaned

# Where the model's keys live with us. `full_name` also gives first and last name.
PLACES: dict[str, RecordName] = {
    **dict.fromkeys(("full_name", "email", "phone", "title", "city", "state", "country", "linkedin_url"), "contact"),
    **dict.fromkeys(("company_name", "website"), "company"),
}


# What a model's value is worth by how its words were found in the mail.
GROUNDED = {"quoted": 0.88, "normalised": 0.84, "derived": 0.75, "unsupported": UNSUPPORTED}


class Answer:
    """Folds found values over a draft. Give it what the reader found, in order; it gives back what changed."""

    def __init__(self, letter: Letter, lines: Sequence[NumberedLine], draft: Extraction) -> None:
        self._letter = letter
        self._lines = {line.number: line for line in lines}
        self._people = {person.index: person for person in draft.people}
        self._seats = Seats(draft.people)
        self._waiting: dict[int, list[Found]] = {}
        self._names: dict[int, str | None] = {}
        self.intent: Intent | None = None

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(self._people[index] for index in sorted(self._people))

    def take(self, found: Found) -> Iterator[tuple[int, FieldValue]]:
        """What a found value changes: (person, the value to show)."""
        match found.path:
            case ("intent",):
                self.intent = found.value
            case ("people", int(theirs), str(key)):
                yield from self._take_field(theirs, key, found)
            case _:
                raise AssertionError(f"the reader finds no {len(found.path)}-part path")

    def _take_field(self, theirs: int, key: str, found: Found) -> Iterator[tuple[int, FieldValue]]:
        """Hold values back until it is known whose they are: after the e-mail address, which follows the name."""
        if key == "full_name":
            self._names[theirs] = _text(found.value)
        waiting = self._waiting.setdefault(theirs, [])
        waiting.append(found)
        if key in ("role", "full_name") or (theirs not in self._names):
            return
        seat = self._seats.seat(theirs, self._names[theirs], _text(found.value) if key == "email" else None)
        for held in waiting:
            yield from self._put(seat, str(held.path[2]), held.value)
        waiting.clear()

    def _put(self, seat: int, key: str, value: Any) -> Iterator[tuple[int, FieldValue]]:
        person = self._people.setdefault(seat, Person(index=seat))
        if key == "role":
            if value in ("candidate", "client_contact"):
                self._people[seat] = person.model_copy(update={"role": value})
            return
        for given in self._values(key, value):
            known = person.get(given.record, given.field)
            chosen = merged(known, given)
            person = person.having(chosen)
            if known is None or not same(known.value, chosen.value):
                yield seat, chosen
        self._people[seat] = person

    def _values(self, key: str, raw: Any) -> Iterator[FieldValue]:
        if key in LISTS:
            parts = [part for given in raw or [] if (part := cleaned(key, _text(given)))]
            if parts:
                yield self._grounded("deal", key, parts, raw[0])
            return
        if not (text := cleaned(key, _text(raw))):
            return
        yield self._grounded(PLACES.get(key, "deal"), key, text, raw)
        if key == "full_name":
            _, first, last = clean_name(text)
            for part, name in ((first, "first_name"), (last, "last_name")):
                if part:
                    yield self._grounded("contact", name, part, raw)

    def _grounded(self, record: RecordName, field: str, value: str | list[str], raw: Any) -> FieldValue:
        evidence = self._evidence(field, value, raw)
        return FieldValue(
            record=record,
            field=field,
            value=value,
            confidence=GROUNDED[evidence.status] if evidence else UNSUPPORTED,
            origin="model",
            evidence=evidence,
        )

    def _evidence(self, field: str, value: str | list[str], raw: Any) -> Evidence | None:
        """The words of the mail. Of a list every part must be found; the first one is shown."""
        line = self._lines.get(raw.get("line", 0)) if isinstance(raw, dict) else None
        near = (line.source, line.start, line.end) if line else None
        parts = value if isinstance(value, list) else [value]
        found = [find(self._letter, part, field, near) for part in parts]
        return found[0] if all(found) else None


def _text(given: Any) -> str | None:
    value = given.get("value") if isinstance(given, dict) else given
    return value.strip() or None if isinstance(value, str) else None
