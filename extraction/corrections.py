"""What the user decided, put over what was extracted."""

from collections.abc import Iterator
from datetime import date

from extraction.rules import with_rules
from extraction.types import Corrections, Extraction, FieldValue, OwnFirm, Person, PersonCorrection, RecordName


def corrected(extraction: Extraction, corrections: Corrections, own: OwnFirm, today: date) -> Extraction:
    """The extraction with the user's values in place, and what follows from them (such as the deal name) derived
    anew. People whom the user skipped stay; `records_from` leaves them out."""
    known = {person.index: person for person in extraction.people}
    for given in corrections.people:
        person = known.get(given.index) or Person(index=given.index)
        emptied = {(record, field) for record, field, value in values_in(given) if value in (None, "", [])}
        kept = tuple(value for value in person.fields if value.name not in emptied)
        known[given.index] = person.model_copy(update={"fields": kept}).having(*_by_user(given))
    people = tuple(known[index] for index in sorted(known))
    return with_rules(extraction.model_copy(update={"people": people}), own, today)


def values_in(given: PersonCorrection) -> Iterator[tuple[RecordName, str, object]]:
    """Record, field and value of everything that was given."""
    records: tuple[RecordName, ...] = ("company", "contact", "deal")
    for record in records:
        for field, value in getattr(given, record).items():
            yield record, field, value


def _by_user(given: PersonCorrection) -> Iterator[FieldValue]:
    for record, field, value in values_in(given):
        if value not in (None, "", []):
            yield FieldValue.model_validate(
                {"record": record, "field": field, "value": value, "confidence": 1.0, "origin": "user"}
            )
