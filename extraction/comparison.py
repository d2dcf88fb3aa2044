"""What two readings of one mail make differently of it, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from extraction.types import FIELDS, Extraction, FieldContent, FieldValue

Change = Literal["added", "changed", "same", "gone"]
_ORDER = [(record, field) for record, fields in FIELDS.items() for field in fields]


@dataclass(frozen=True)
class Difference:
    """One field of one person (0-based) in both readings; None where a reading has none, never in both."""

    person: int
    before: FieldValue | None
    after: FieldValue | None

    @property
    def change(self) -> Change:
        if self.before is None:
            return "added"
        if self.after is None:
            return "gone"
        return "same" if _content(self.before.value) == _content(self.after.value) else "changed"

    def view(self) -> dict[str, Any]:
        """`{person, record, field, change, before, after}`, the last two `{value, confidence, origin}` or null. Without
        evidence: its quotes are words of the mail."""
        either = self.after or self.before
        assert either, "a difference is about a field"  # noqa: S101
        return {
            "person": self.person,
            "record": either.record,
            "field": either.field,
            "change": self.change,
            "before": self.before and _view(self.before),
            "after": self.after and _view(self.after),
        }


def differences(before: Extraction, after: Extraction) -> Iterator[Difference]:
    """Every field that either reading has, of the people in their order. Values of a list may come in any order."""
    old, new = _values(before), _values(after)
    for place in sorted(old | new, key=_rank):
        yield Difference(place[0], old.get(place), new.get(place))


def _values(extraction: Extraction) -> dict[tuple[int, str, str], FieldValue]:
    return {(person.index, *value.name): value for person in extraction.people for value in person.fields}


def _rank(place: tuple[int, str, str]) -> tuple[int, int, str]:
    person, *name = place
    known = tuple(name) in _ORDER
    return person, _ORDER.index((name[0], name[1])) if known else len(_ORDER), name[1]


def _content(value: FieldContent) -> FieldContent:
    return sorted(value) if isinstance(value, list) else value


def _view(value: FieldValue) -> dict[str, Any]:
    return value.model_dump(mode="json", include={"value", "confidence", "origin"})
