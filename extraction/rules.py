"""The rules of the domain, applied to whatever patterns, model, research and user agreed on. Pure and idempotent.

Derived values have origin "rule" and are derived anew each time, so that a corrected city moves into the location and
the deal name. What a user entered is never changed; what is not sure enough to be filled in feeds nothing.
"""

import datetime
import math
from collections.abc import Callable, Iterator

from extraction.confidence import FILLED
from extraction.dealname import MAX_DEAL_NAME, client_deal_name, deal_name
from extraction.description import MAX_DESCRIPTION, description_of
from extraction.merge import merged
from extraction.patterns.names import clean_name
from extraction.patterns.regions import country_of_state, state_code
from extraction.types import FIELDS, Evidence, Extraction, FieldContent, FieldValue, OwnFirm, Person, RecordName

__all__ = ["MAX_DEAL_NAME", "clean_name", "deal_name", "location_of", "with_rules"]

PIPELINE = "Sales Pipeline"
STAGE = "Lead"
DAYS_TO_CLOSE = 60
DEFAULT_SOURCE = ("Email Inbound", "Direct email contact")
DEFAULT_CREDIT = "BD Rep"
_ORDER = {
    (record, field): number
    for number, (record, field) in enumerate((r, f) for r, fields in FIELDS.items() for f in fields)
}


def with_rules(extraction: Extraction, own: OwnFirm, today: datetime.date) -> Extraction:
    """The extraction with names cleaned and every derived field filled in."""
    if extraction.intent == "none":
        return extraction
    people = tuple(_cleaned(person) for person in extraction.people)
    source, detail = _source(extraction, people)
    steps: tuple[Callable[[Person], Iterator[FieldValue | None]], ...] = (
        _job,
        lambda person: _credit(person, own),
        lambda person: _origin(person, source, detail),
        lambda person: _fixed(person, today),
        _described,
    )
    for step in steps:
        people = tuple(person.having(*_allowed(person, step(person))) for person in people)
    people = tuple(_in_order(person) for person in people)
    return extraction.model_copy(update={"people": people, "source": source, "source_detail": detail})


def _in_order(person: Person) -> Person:
    """Fields as a reader wants to see them, whatever the order in which they were found."""
    return person.model_copy(update={"fields": tuple(sorted(person.fields, key=lambda value: _ORDER[value.name]))})


def _allowed(person: Person, derived: Iterator[FieldValue | None]) -> list[FieldValue]:
    """Derived values, except where the user has spoken."""
    found = []
    for value in derived:
        held = person.get(*value.name) if value else None
        if value is not None and not (held and held.origin == "user"):
            found.append(value)
    return found


# ---------------------------------------------------------------- what came in


def _cleaned(person: Person) -> Person:
    return person.having(*_allowed(person, _names(person)), *_allowed(person, _states(person)))


def _names(person: Person) -> Iterator[FieldValue | None]:
    """Full, first and last name agree with each other; a name in parts makes a whole."""
    whole = person.get("contact", "full_name")
    parts = [person.get("contact", name) for name in ("first_name", "last_name")]
    if whole is None and not any(parts):
        return
    text = str(whole.value) if whole else " ".join(str(part.value) for part in parts if part)
    basis = whole or next(part for part in parts if part)
    full, first, last = clean_name(text)
    corrected = any(part and part.origin == "user" for part in parts)
    if corrected:
        full = " ".join(str(part.value) for part in parts if part)
    for name, content, held in (
        ("full_name", full, whole),
        ("first_name", first, parts[0]),
        ("last_name", last, parts[1]),
    ):
        if content and (held is None or (held.origin != "user" and held.value != content)):
            yield (
                _derived("contact", name, content, basis)
                if held is None
                else held.model_copy(update={"value": content})
            )


def _states(person: Person) -> Iterator[FieldValue | None]:
    """`Indiana` → `IN`; the country follows from the state when nobody named it."""
    for record in ("contact", "company"):
        held = person.get(record, "state")
        code = state_code(str(held.value)) if held else None
        if held and code:
            yield held.model_copy(update={"value": code})
            if person.get(held.record, "country") is None:
                yield _derived(held.record, "country", country_of_state(code), held)


# ---------------------------------------------------------------- what follows


def _job(person: Person) -> Iterator[FieldValue | None]:
    """Job title, location and deal name."""
    title = _sure(person, "deal", "target_title") or _sure(person, "contact", "title")
    title = _users(person, "job_title") or title or _foreign(person, "job_title")
    place = _users(person, "location") or _derived_location(person) or _foreign(person, "location")
    company = _sure(person, "company", "company_name")
    yield _derived("deal", "job_title", title.value, title) if title else None
    yield _derived("deal", "location", place.value, place) if place else None
    name, parts = _deal_name(person, title, place, company)
    if name:
        weakest = min(parts, key=lambda part: part.confidence)
        together = round(math.prod(part.confidence for part in parts), 4)  # wrong when any of its parts is
        yield _derived("deal", "deal_name", name, weakest).model_copy(update={"confidence": together})


def _deal_name(
    person: Person, title: FieldValue | None, place: FieldValue | None, company: FieldValue | None
) -> tuple[str | None, list[FieldValue]]:
    """The name, and what it is made of."""
    if person.role == "client_contact":
        who = _sure(person, "contact", "full_name")
        return client_deal_name(_text(who), _text(company)), [part for part in (who, company) if part]
    made_of = [part for part in (title, place if title else None, company) if part]
    return deal_name(_text(title), _text(place), _text(company)), made_of


def location_of(city: str | None, state: str | None) -> str | None:
    """`Fort Wayne, IN`; elsewhere the city, with its region when one is named; `Remote` stands alone."""
    if not city:
        return None
    if city.casefold() in ("remote", "nationwide"):
        return city.capitalize()
    return f"{city}, {state}" if state else city


def _derived_location(person: Person) -> FieldValue | None:
    city, state = _sure(person, "contact", "city"), _sure(person, "contact", "state")
    text = location_of(_text(city), _text(state))
    return _derived("deal", "location", text, city) if text and city else None


def _source(extraction: Extraction, people: tuple[Person, ...]) -> tuple[str | None, str | None]:
    """First match wins: somebody who referred the person comes before every way in."""
    referrer = next((found for person in people if (found := _sure(person, "deal", "referrer_name"))), None)
    if referrer:
        return "Referral", str(referrer.value)
    if extraction.source and extraction.source != "Referral":
        return extraction.source, extraction.source_detail
    return DEFAULT_SOURCE


def _origin(person: Person, source: str | None, detail: str | None) -> Iterator[FieldValue | None]:
    basis = _sure(person, "deal", "referrer_name")
    for record in ("company", "deal"):
        yield _derived(record, "source", source, basis) if source else None
        yield _derived(record, "source_detail", detail, basis) if detail else None


def _credit(person: Person, own: OwnFirm) -> Iterator[FieldValue | None]:
    referrer = _sure(person, "deal", "referrer_name")
    credited = str(referrer.value) if referrer else own.user.name if own.user else None
    yield _derived("company", "who_gets_credit", DEFAULT_CREDIT, None)
    yield _derived("company", "credit_person", credited, referrer) if credited else None


def _fixed(person: Person, today: datetime.date) -> Iterator[FieldValue | None]:
    yield _derived("deal", "pipeline", PIPELINE, None)
    yield _derived("deal", "stage", STAGE, None)
    if person.get("deal", "closing_date") is None:  # a date once given does not move with the calendar
        yield _derived("deal", "closing_date", (today + datetime.timedelta(days=DAYS_TO_CLOSE)).isoformat(), None)


def _described(person: Person) -> Iterator[FieldValue | None]:
    """The figures, under what the model says in a sentence or two. What is not sure stays on offer beside them."""
    held, figures = person.get("deal", "description_of_reqs"), description_of(person)
    if held and held.origin not in ("rule", "user") and held.confidence >= FILLED:
        words = str(held.value).partition("\n\n")[0]
        text = "\n\n".join(part for part in (words, figures) if part)[:MAX_DESCRIPTION]
        yield held.model_copy(update={"value": text})
    elif figures:
        told = _derived("deal", "description_of_reqs", figures, None)
        yield (
            merged(held, told)
            if held and held.origin != "rule"
            else told.model_copy(update={"alternatives": held.alternatives if held else ()})
        )


# ---------------------------------------------------------------- small words


def _sure(person: Person, record: RecordName, field: str) -> FieldValue | None:
    found = person.get(record, field)
    return found if found and found.value and (found.confidence >= FILLED or found.origin == "user") else None


def _users(person: Person, field: str) -> FieldValue | None:
    found = person.get("deal", field)
    return found if found and found.origin == "user" else None


def _foreign(person: Person, field: str) -> FieldValue | None:
    """A derived field that somebody else filled in directly, when nothing can be derived."""
    found = person.get("deal", field)
    return found if found and found.origin != "rule" and found.confidence >= FILLED else None


def _text(value: FieldValue | None) -> str | None:
    return str(value.value) if value else None


def _derived(record: RecordName, field: str, content: FieldContent, basis: FieldValue | None) -> FieldValue:
    evidence: Evidence | None = (
        basis.evidence.model_copy(update={"status": "derived"}) if basis and basis.evidence else None
    )
    confidence = basis.confidence if basis else 1.0
    return FieldValue(
        record=record, field=field, value=content, confidence=confidence, origin="rule", evidence=evidence
    )
