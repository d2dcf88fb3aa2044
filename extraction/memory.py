"""Corrections remembered: what a user changed in one mail is said again in the next one of the same firm. Pure.

A rule answers the same mistake: in its scope, where the same value was found (or nothing, as it was then), it puts what
the user put. What a domain says of its firm it says, too, where the mail leaves it open. Which fields and scopes, and
why: docs/decisions/0002.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from extraction.confidence import FILLED, UNSUPPORTED
from extraction.corrections import values_in
from extraction.merge import plain, same, with_alternatives
from extraction.patterns.links import is_free_mail
from extraction.types import Corrections, Extraction, FieldValue, Learned, OwnFirm, Person, RecordName
from extraction.values import cleaned

FACTS: tuple[tuple[RecordName, str], ...] = (
    ("company", "company_name"),
    ("company", "website"),
    ("company", "industry"),
    ("company", "city"),
    ("company", "state"),
    ("company", "country"),
)
BY_DOMAIN = FACTS[:2]  # who has an address of the firm is of that firm; in which of its cities they are is open
TITLES: tuple[tuple[RecordName, str], ...] = (("deal", "target_title"), ("contact", "title"))
CONFIDENCE = 0.9  # a person said so, of this firm, but not of this mail
MAX_LENGTH = 200
ALIKE = 0.7

Kind = Literal["domain", "company"]


@dataclass(frozen=True)
class Scope:
    """Where a rule holds: for everybody of a mail domain, or of a firm of that name."""

    kind: Kind
    name: str


@dataclass(frozen=True)
class Lesson:
    """What one correction teaches: found `original`, say `value`; no `value`: say nothing any more. `replaces` is the
    rule whose value the user changed."""

    scope: Scope
    record: RecordName
    field: str
    original: str | None
    value: str | None
    replaces: int | None = None


@dataclass(frozen=True)
class LearnedRule:
    """A lesson that is kept, with its number and its date in epoch seconds."""

    id: int
    scope: Scope
    record: RecordName
    field: str
    original: str | None
    value: str
    learned_at: float


def scopes_of(person: Person, own: OwnFirm) -> tuple[Scope, ...]:
    """The scopes that this person is in, the narrower first: of all who write from a free-mail or service domain, and
    of ourselves, nothing is common. The firm's name is the one that was found, not the one that a rule made of it."""
    scopes = []
    domain = _supported(person, "contact", "email").rpartition("@")[2].lower()
    if domain and domain not in own.domains and not is_free_mail(domain):
        scopes.append(Scope("domain", domain))
    if company := plain(_supported(person, "company", "company_name")):
        scopes.append(Scope("company", company))
    return tuple(scope for scope in scopes if len(scope.name) <= MAX_LENGTH)


def _supported(person: Person, record: RecordName, field: str) -> str:
    held = person.get(record, field)
    return (held and held.confidence > UNSUPPORTED and _found(held)) or ""


def _found(held: FieldValue | None) -> str | None:
    """What the mail gave, before a rule spoke."""
    if held and held.learned:
        return held.learned.original
    return held.value if held and isinstance(held.value, str) else None


# ---------------------------------------------------------------- saying it again


def with_learned(extraction: Extraction, rules: Iterable[LearnedRule], own: OwnFirm) -> Extraction:
    """The extraction as the rules have it. Of two that answer, the one that knows the mistake, then the one of the
    domain, then the newer."""
    ranked = sorted(rules, key=lambda rule: (rule.scope.kind != "domain", -rule.learned_at, -rule.id))
    people = tuple(person.having(*_answers(person, ranked, own)) for person in extraction.people)
    return extraction.model_copy(update={"people": people})


def _answers(person: Person, ranked: Sequence[LearnedRule], own: OwnFirm) -> Iterator[FieldValue]:
    scopes = scopes_of(person, own)
    for name in (*FACTS, *TITLES):
        held = person.get(*name)
        if held and (held.learned or held.origin == "user"):
            continue
        rules = [rule for rule in ranked if (rule.record, rule.field) == name and rule.scope in scopes]
        rule = next((rule for rule in rules if same(_found(held) or "", rule.original or "")), None)
        if rule is None and (held is None or held.confidence < FILLED):
            rule = next((rule for rule in rules if _of_firm(rule)), None)
        if rule and (held is None or held.value != rule.value):
            yield _said(rule, held)


def _of_firm(rule: LearnedRule) -> bool:
    return rule.scope.kind == "domain" and (rule.record, rule.field) in BY_DOMAIN


def _said(rule: LearnedRule, held: FieldValue | None) -> FieldValue:
    """The rule's value on the words of the mail, with what was found as an alternative. Where the mail supports
    neither that nor the rule, the value is no surer than it was."""
    unsupported = held and held.confidence <= UNSUPPORTED and not _of_firm(rule)
    edited_at = datetime.fromtimestamp(rule.learned_at, UTC).isoformat()
    value = FieldValue(
        record=rule.record,
        field=rule.field,
        value=rule.value,
        confidence=held.confidence if held and unsupported else CONFIDENCE,
        origin="rule",
        evidence=held and held.evidence and held.evidence.model_copy(update={"status": "derived"}),
        learned=Learned(rule=rule.id, original=rule.original, edited_at=edited_at),
    )
    return with_alternatives(value, held) if held else value


def rules_in(extraction: Extraction) -> frozenset[int]:
    """The rules that spoke."""
    return frozenset(value.learned.rule for person in extraction.people for value in person.fields if value.learned)


# ---------------------------------------------------------------- learning it


def lessons_from(found: Extraction, corrections: Corrections, own: OwnFirm) -> tuple[Lesson, ...]:
    """What the corrections teach about what was found; of two for the same mistake the last one."""
    lessons = {}
    for person in found.people:
        given = corrections.for_person(person.index)
        scopes = scopes_of(person, own)
        if given.skip or not scopes:
            continue
        for record, field, value in values_in(given):
            if lesson := _lesson(person, scopes[0], (record, field), value):
                lessons[lesson.scope, lesson.record, lesson.field, lesson.original] = lesson
    return tuple(lessons.values())


def _lesson(person: Person, scope: Scope, changed: tuple[RecordName, str], value: object) -> Lesson | None:
    name = _taken_from(person) if changed == ("deal", "job_title") else changed
    if name is None or name not in (*FACTS, *TITLES):
        return None
    held = person.get(*name)
    original = _found(held)
    given = cleaned(name[1], value) if isinstance(value, str) else None
    if held and (held.origin == "user" or held.value == given):
        return None
    if given and given != original and _may_recur(name, original, given):
        return Lesson(scope, *name, original, given, held.learned.rule if held and held.learned else None)
    # The user wants nothing that could be said again: a rule that had spoken was wrong.
    return Lesson(scope, *name, original, None, held.learned.rule) if held and held.learned else None


def _taken_from(person: Person) -> tuple[RecordName, str] | None:
    """The title that the deal's job title was derived from: who corrects the one has read the other."""
    title = person.text("deal", "job_title")
    return next((name for name in TITLES if title and person.text(*name) == title), None)


def _may_recur(name: tuple[RecordName, str], original: str | None, value: str) -> bool:
    if len(value) > MAX_LENGTH or len(original or "") > MAX_LENGTH:
        return False
    return name in FACTS or is_spelling(original or "", value)


def is_spelling(one: str, other: str) -> bool:
    """The same title written in another way (`Sr. Fin. Adviser`, `SVP`), not another title."""
    if plain(one) == plain(other):
        return True
    return all(_same_word(*pair) for pair in zip_longest(_words(one), _words(other), fillvalue=""))


def _words(title: str) -> Iterator[str]:
    """Its words; an abbreviation by initials is a word a letter."""
    for word in re.findall(r"\w+", title):
        yield from word.lower() if word.isupper() and len(word) <= 3 else [word.lower()]


def _same_word(one: str, other: str) -> bool:
    if one[:1] != other[:1]:
        return False
    short, long = sorted((one, other), key=len)
    rest = iter(long)
    return all(letter in rest for letter in short) or SequenceMatcher(None, one, other).ratio() >= ALIKE
