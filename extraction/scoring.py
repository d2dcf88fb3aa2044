"""How good an engine is on labelled mails: the JSON of `manage.py evaluate --json` (contract §8)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from extraction.confidence import FILLED
from extraction.patterns.names import same_person
from extraction.reliability import calibration_error, reliability
from extraction.types import Evidence, Extraction, FieldContent, FieldValue, OwnFirm, Person, RecordName, UserContext

Label = dict[str, Any]

CONTACT = [
    "full_name",
    "first_name",
    "last_name",
    "email",
    "phone",
    "linkedin_url",
    "meeting_link",
    "company_website",
    "referrer_name",
    "referrer_email",
]
# Where a label's key stands in our records; a key that is not named here is a metric of the deal under its own name.
_WHERE: dict[str, tuple[RecordName, str]] = {
    **{
        name: ("contact", name)
        for name in (
            "full_name",
            "first_name",
            "last_name",
            "email",
            "phone",
            "linkedin_url",
            "city",
            "state",
            "country",
        )
    },
    "company": ("company", "company_name"),
    "company_website": ("company", "website"),
    "current_title": ("contact", "title"),
}
_FREE_TEXT = frozenset({"availability"})
_OF_THE_MAIL = ("source", "source_detail", "deal_name", "language")


def label_own(label: Label) -> OwnFirm:
    """The recruiting firm and the Outlook user as the label names them."""
    return OwnFirm(domains=frozenset(label["own_domains"]), names=frozenset(), user=UserContext(**label["user"]))


@dataclass
class _Tally:
    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, other: "_Tally") -> None:
        self.right += other.right
        self.wrong += other.wrong
        self.missed += other.missed

    def view(self) -> dict[str, float]:
        given, wanted = self.right + self.wrong, self.right + self.missed
        precision = self.right / given if given else 1.0
        recall = self.right / wanted if wanted else 1.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


@dataclass
class _Board:
    """Everything that is counted while mails go by."""

    fields: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    people: _Tally = field(default_factory=_Tally)
    sure: list[tuple[float, bool]] = field(default_factory=list)
    misses: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    intents: int = 0
    mails: int = 0
    must_not: int = 0
    unsupported: int = 0


def score(pairs: Iterable[tuple[Label, Extraction, float]], engine: str) -> dict[str, Any]:
    """Scores of `(label, extraction, milliseconds)`; a value counts as given when it would be filled in."""
    board = _Board()
    for label, extraction, ms in pairs:
        board.mails += 1
        board.times.append(ms)
        board.intents += label["intent"] == extraction.intent
        board.must_not += _forbidden(label, extraction)
        _compare_people(board, label, extraction)
        _compare_mail(board, label, extraction)
    return _view(board, engine)


def _view(board: _Board, engine: str) -> dict[str, Any]:
    contact, other = _Tally(), _Tally()
    for name, tally in board.fields.items():
        (contact if name in CONTACT else other).add(tally)
    filled = [right for sure, right in board.sure if sure >= FILLED]
    table = reliability(board.sure)
    return {
        "mails": board.mails,
        "engine": engine,
        "contact": contact.view(),
        "other": other.view(),
        "intent_accuracy": round(board.intents / board.mails, 4) if board.mails else 0.0,
        "people_f1": board.people.view()["f1"],
        "filled_precision": round(sum(filled) / len(filled), 4) if filled else 1.0,
        "must_not": board.must_not,
        "unsupported": board.unsupported,
        "calibration_error": calibration_error(table),
        "reliability": table,
        "ms": _times(board.times),
        "fields": {
            name: tally.view() | {"n": tally.right + tally.missed} for name, tally in sorted(board.fields.items())
        },
        "misses": board.misses,
    }


# ---------------------------------------------------------------- people


def _compare_people(board: _Board, label: Label, extraction: Extraction) -> None:
    expected = label["people"]
    partners = _matched(expected, extraction.people)
    for number, wanted in enumerate(expected):
        found = partners.get(number)
        board.people.right += found is not None
        board.people.missed += found is None
        for name in wanted:
            _count(board, label["name"], number, name, wanted[name], _given(found, name) if found else None)
    for person in extraction.people:
        if person not in partners.values():
            board.people.wrong += 1
            for value in person.fields:
                name = _label_key(value)
                if name:
                    _count(board, label["name"], person.index, name, None, value)
    board.unsupported += sum(_is_unsupported(value) for person in extraction.people for value in person.fields)


def _matched(expected: list[Label], people: tuple[Person, ...]) -> dict[int, Person]:
    """Labelled people and found ones, closest pairs first; nobody is matched without a name or address in common."""
    pairs = sorted(
        ((_likeness(wanted, person), number, person) for number, wanted in enumerate(expected) for person in people),
        key=lambda pair: -pair[0],
    )
    partners: dict[int, Person] = {}
    for likeness, number, person in pairs:
        if likeness > 0 and number not in partners and person not in partners.values():
            partners[number] = person
    return partners


def _likeness(wanted: Label, person: Person) -> float:
    name, email = person.text("contact", "full_name") or "", person.text("contact", "email")
    same_name = (
        2.0
        if _plain(name) == _plain(wanted["full_name"] or "")
        else float(same_person(name, wanted["full_name"] or ""))
    )
    return same_name + 2.0 * bool(email and email == wanted["email"])


def _given(person: Person, name: str) -> FieldValue | None:
    if name == "role":
        return FieldValue(record="contact", field="role", value=person.role, confidence=1.0, origin="rule")
    if name == "phone":
        return person.get("contact", "mobile") or person.get("contact", "phone")
    return person.get(*_WHERE.get(name, ("deal", name)))


def _label_key(value: FieldValue) -> str | None:
    if value.record == "deal" and value.field in (
        "job_title",
        "location",
        "pipeline",
        "stage",
        "closing_date",
        "description_of_reqs",
    ):
        return None
    if value.field in ("source", "source_detail", "deal_name", "who_gets_credit", "credit_person"):
        return None
    known = {where: name for name, where in _WHERE.items()}
    return known.get(value.name) or (value.field if value.record == "deal" else None)


def _count(
    board: _Board, mail: str, person: int | None, name: str, wanted: FieldContent | None, value: FieldValue | None
) -> None:
    right = value is not None and bool(wanted) and is_same(name, wanted or "", value.value)
    if value is not None and name not in ("role", "language"):
        board.sure.append((value.confidence, right))
    filled = value is not None and value.confidence >= FILLED
    tally = board.fields[name]
    tally.right += filled and right
    tally.wrong += filled and not right
    tally.missed += bool(wanted) and not (filled and right)
    if (filled and not right) or (wanted and not filled):
        got = value.value if value is not None and filled else None
        board.misses.append({"mail": mail, "person": person, "field": name, "expected": wanted or None, "got": got})


# ---------------------------------------------------------------- the mail


def _compare_mail(board: _Board, label: Label, extraction: Extraction) -> None:
    """Language always; source and deal name only when there is something to file."""
    first = extraction.people[0] if extraction.people else None
    deal = first.text("deal", "deal_name") if first else None
    given = {
        "source": extraction.source,
        "source_detail": extraction.source_detail,
        "deal_name": deal,
        "language": extraction.language,
    }
    for name in _OF_THE_MAIL if label["intent"] != "none" else ("language",):
        text = given[name]
        held = first.get("deal", name) if first and name != "language" else None
        confidence = held.confidence if held else 1.0
        value = (
            FieldValue(record="mail", field=name, value=text, confidence=confidence, origin="rule") if text else None
        )
        _count(board, label["name"], None, name, label[name], value)


def _forbidden(label: Label, extraction: Extraction) -> int:
    """Filled values that a careless reader would produce."""
    forbidden = {_plain(value) for value in label["must_not"]}
    values = [
        text
        for person in extraction.people
        for value in person.fields
        if value.confidence >= FILLED and value.field != "credit_person"
        for text in _texts(value.value)
    ]
    values += [text for text in (extraction.source, extraction.source_detail) if text and extraction.intent != "none"]
    return sum(text in forbidden for text in {_plain(value) for value in values})


def _is_unsupported(value: FieldValue) -> bool:
    evidence: Evidence | None = value.evidence
    found_in_mail = evidence is not None and evidence.status != "unsupported"
    return value.origin in ("pattern", "model") and value.confidence >= FILLED and not found_in_mail


# ---------------------------------------------------------------- sameness


def is_same(name: str, wanted: FieldContent, given: FieldContent) -> bool:
    """Equal after normalisation: case, white space, punctuation at the ends; lists as sets; free text by overlap."""
    if isinstance(wanted, list) or isinstance(given, list):
        return {_plain(text) for text in _texts(wanted)} == {_plain(text) for text in _texts(given)}
    if name in _FREE_TEXT:
        return _overlap(wanted, given) >= 0.8
    return _plain(wanted) == _plain(given)


def _texts(content: FieldContent) -> Iterator[str]:
    yield from [content] if isinstance(content, str) else content


def _plain(text: str) -> str:
    text = " ".join(text.casefold().replace("’", "'").split())
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", text).rstrip("/")
    return re.sub(r"^\W+(?<![+$€£])|(?<=\w)[^\w)]+$", "", text) or text


def _overlap(one: str, other: str) -> float:
    a, b = set(re.findall(r"\w+", one.casefold())), set(re.findall(r"\w+", other.casefold()))
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


# ---------------------------------------------------------------- figures


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What changed between two results of `score`: figures as `[before, after]`, and the values that only one got
    wrong."""

    def figures(result: dict[str, Any]) -> dict[str, float]:
        parts = {"contact": result["contact"], "other": result["other"], **result["fields"]}
        whole = ("intent_accuracy", "people_f1", "filled_precision", "must_not", "unsupported", "calibration_error")
        return {f"{name} f1": part["f1"] for name, part in parts.items()} | {name: result[name] for name in whole}

    def missed(result: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
        return {(miss["mail"], miss["person"], miss["field"], str(miss["got"])): miss for miss in result["misses"]}

    old, new = figures(before), figures(after)
    gone, come = missed(before), missed(after)
    return {
        "figures": {name: [old.get(name), new.get(name)] for name in {**old, **new} if old.get(name) != new.get(name)},
        "better": [miss for key, miss in gone.items() if key not in come],
        "worse": [miss for key, miss in come.items() if key not in gone],
    }


def _times(times: list[float]) -> dict[str, float]:
    ordered = sorted(times) or [0.0]

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"p50": at(0.5), "p95": at(0.95), "max": round(ordered[-1], 2)}
