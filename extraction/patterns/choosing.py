"""From everything found for a person to one value a field, with the rest as alternatives."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from extraction.confidence import of_pattern
from extraction.patterns import availability
from extraction.patterns.circle import domain_of
from extraction.patterns.links import is_free_mail
from extraction.patterns.metrics import numbers_listed
from extraction.patterns.names import clean_name
from extraction.patterns.notices import Answer
from extraction.patterns.owners import Belongings
from extraction.patterns.places import Place
from extraction.patterns.reading import Span
from extraction.patterns.regions import country_of_state, state_code
from extraction.patterns.roles import Cast, Somebody
from extraction.patterns.titles import Title, shown
from extraction.types import Alternative, Evidence, FieldContent, FieldValue, RecordName

MAX_ALTERNATIVES = 3


def values_of(
    share: Belongings, cast: Cast, find: Callable[[str, str], Evidence | None], hiring: bool = False
) -> list[FieldValue]:
    """Every field that has a value, best first where several compete. `find` looks words up in the headers. Of somebody
    who is `hiring`, figures and marks are the firm's or the vacancy's: what they pay is kept."""
    if hiring:
        share.spans["money"] = [span for span in share.spans["money"] if span.label == "compensation"]
        share.spans["designations"] = [s for s in share.spans["designations"] if s.passage.kind == "signature"]
        for kind in ("count", "licenses", "book_transferable", "specializations", "availability"):
            share.spans[kind] = []
    values = [
        *_names(share.person, find),
        *_contact(share, find),
        *_titles(share),
        *_places(share),
        *_company(share),
        *_figures(share),
        *_lists(share),
    ]
    return [value for value in (*values, *_referrer(cast, find)) if value is not None]


def _value(
    record: RecordName,
    name: str,
    content: FieldContent,
    score: float,
    evidence: Evidence | None,
    others: Sequence[tuple[str, float]] = (),
) -> FieldValue:
    rest = tuple(
        Alternative(value=value, confidence=of_pattern(name, min(other, 0.35)), origin="pattern")
        for value, other in dict(others).items()
        if value != content
    )[:MAX_ALTERNATIVES]
    return FieldValue(
        record=record,
        field=name,
        value=content,
        confidence=of_pattern(name, score),
        origin="pattern",
        evidence=evidence,
        alternatives=rest,
    )


def _best(record: RecordName, name: str, spans: Iterable[Span], least: float = 0.25) -> FieldValue | None:
    """The most plausible span; of equals the newest and first."""
    ranked = sorted(
        (span for span in spans if span.score >= least),
        key=lambda span: (-_rank(_weight(span)), span.passage.number, span.start),
    )
    if not ranked:
        return None
    return _value(
        record,
        name,
        ranked[0].value,
        ranked[0].score,
        ranked[0].evidence(),
        [(span.value, span.score) for span in ranked[1:]],
    )


def _weight(span: Span) -> float:
    """What a document says is older than what the mail says itself."""
    return min(span.score, 0.7) if span.passage.kind == "attachment" else span.score


def _rank(score: float) -> float:
    return round(score * 20) / 20


# ---------------------------------------------------------------- contact


def _names(person: Somebody, find: Callable[[str, str], Evidence | None]) -> list[FieldValue]:
    full, first, last = clean_name(person.name)
    evidence = person.named.evidence() if person.named else find(full, "full_name")
    parts: list[tuple[str, str]] = [("full_name", full), ("first_name", first), ("last_name", last)]
    return [_value("contact", name, text, person.score, evidence) for name, text in parts if text]


def _contact(share: Belongings, find: Callable[[str, str], Evidence | None]) -> list[FieldValue | None]:
    person = share.person
    found: list[FieldValue | None] = []
    private = [span for span in _like_the_name(share.spans["email"], person.name) if _is_private(span)]
    if private and private[0].score > 0.8:
        found.append(_best("contact", "email", private))
    elif person.email:
        found.append(_value("contact", "email", person.email, 0.95, find(person.email, "email")))
    else:
        found.append(_best("contact", "email", _like_the_name(share.spans["email"], person.name)))
    phones = [span for span in share.spans["phone"] if span.score > 0.3]
    found.append(_best("contact", "phone", phones))
    found.append(_best("contact", "linkedin_url", share.spans["linkedin_url"]))
    found.append(_best("deal", "meeting_link", share.spans["meeting_link"]))
    return found


def _is_private(span: Span) -> bool:
    """An address that its owner calls their own, beside the firm's they write from."""
    before = span.passage.before(span.start, 45)
    return is_free_mail(domain_of(span.value)) and bool(_PRIVATE.search(before))


_PRIVATE = re.compile(
    r"\b(?:personal|private|privat\w*|perso|personnel\w*|personale|pessoal|home e-?mail|my own|instead|better (?:at|"
    r"to)|only (?:at|to))\b",
    re.I,
)


def _like_the_name(spans: Iterable[Span], name: str) -> list[Span]:
    """Addresses found in the text, those that spell the name first."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]{3,}", name)]
    scored = []
    for span in spans:
        local = span.value.partition("@")[0]
        likeness = any(word[:4] in local for word in words)
        initials = "".join(word[0] for word in words)
        score = 0.9 if likeness or initials[:2] in local else 0.55
        scored.append(Span(span.value, span.passage, span.start, span.end, score))
    return scored


# ---------------------------------------------------------------- work


def _titles(share: Belongings) -> list[FieldValue | None]:
    held = [_beside_firm(one, share) for one in share.titles if one.tense in ("current", "unknown")]
    current = _best_title("title", held, share.answers, "title")
    wanted = _best_title(
        "target_title", [one for one in share.titles if one.tense == "target"], share.answers, "target"
    )
    if wanted and current and wanted.value == current.value and wanted.confidence < 0.85:
        wanted = None
    return [current, wanted]


def _beside_firm(title: Title, share: Belongings) -> Title:
    """A title next to a firm's name is surer than one that stands alone."""
    near = any(
        span.passage is title.passage and (0 < span.start - title.end <= 4 or 0 < title.start - span.end <= 4)
        for span in share.spans["company"]
        if span.score >= 0.5
    )
    return replace(title, score=min(0.9, title.score + 0.25)) if near and title.score > 0.3 else title


def _best_title(name: str, titles: list[Title], answers: list[Answer], asked: str) -> FieldValue | None:
    record: RecordName = "contact" if name == "title" else "deal"
    spans = [Span(one.value, one.passage, one.start, one.end, one.score) for one in titles if one.score > 0.4]
    best = _best(record, name, spans)
    if best and best.confidence > 0.7:
        return best
    for answer in answers:
        text = re.split(r",\s|;|\s-\s|\s\(", answer.text.strip())[0]
        if answer.kind == asked and 3 < len(text) <= 60 and "?" not in text and len(text.split()) <= 6:
            span = Span(shown(text, True), answer.passage, answer.start, answer.start + len(text), 0.75)
            return _value(record, name, span.value, span.score, span.evidence())
    return best


def _company(share: Belongings) -> list[FieldValue | None]:
    spans = list(share.spans["company"])
    for answer in share.answers:
        text = re.split(r",\s(?=[A-Z][\w ]+(?:,|$)(?!.*(?:&|LLC|Inc)))|\s[-–(]\s?|;|\t", answer.text.strip())[0].strip()
        inside = any(answer.start <= span.start < answer.end and span.passage is answer.passage for span in spans)
        if answer.kind == "company" and 2 < len(text) <= 70 and not inside:
            spans.append(Span(text, answer.passage, answer.start, answer.start + len(text), 0.9))
    spans = [Span(s.value, s.passage, s.start, s.end, s.score + 0.15 * _beside_title(s, share)) for s in spans]
    best = _best("company", "company_name", _fullest(spans))
    sites = share.spans["website"]
    return [best or _company_by_domain(share.person), _best("company", "website", sites)]


def _beside_title(span: Span, share: Belongings) -> bool:
    """`Senior Advisor at Acme Wealth`, `Senior Advisor, Acme Wealth`, or the signature line after the title."""
    return any(
        title.passage is span.passage
        and title.tense != "past"
        and (0 <= span.start - title.end <= 14 or 0 <= title.start - span.end <= 3)
        for title in share.titles
    )


def _fullest(spans: list[Span]) -> list[Span]:
    """A short form takes the words of the long one: "Polder & Pike" where the signature says "… Investment Counsel"."""
    full = []
    for span in spans:
        longer = [
            other
            for other in spans
            if other.value != span.value and other.value.startswith(span.value) and other.score >= 0.5
        ]
        best = max(longer, key=lambda other: len(other.value), default=span)
        full.append(Span(best.value, best.passage, best.start, best.end, max(span.score, best.score)))
    return full


def _company_by_domain(person: Somebody) -> FieldValue | None:
    """A firm's domain is a hint to its name, never more."""
    domain = domain_of(person.email) or ""
    name = domain.rpartition(".")[0].rpartition(".")[2]
    if not name or is_free_mail(domain):
        return None
    return _value("company", "company_name", name.replace("-", " ").title(), 0.25, None)


def _places(share: Belongings) -> list[FieldValue | None]:
    share.places += _parted_place(share)
    ranked = sorted(
        (one for one in share.places if one.score >= 0.5),
        key=lambda one: (-_rank(one.score), one.passage.number, one.start),
    )
    if not ranked:
        return []
    best = ranked[0]
    evidence = Span(best.city, best.passage, best.start, best.end).evidence()
    parts = (("city", best.city), ("state", best.state), ("country", best.country))
    others = [(other.city, other.score) for other in ranked[1:]]
    return [
        _value("contact", name, text, best.score, evidence, others if name == "city" else ())
        for name, text in parts
        if text
    ]


def _is_town(text: str) -> bool:
    return bool(re.fullmatch(r"\s*[A-ZÀ-Þ][\w'’.-]+(?: (?:[A-ZÀ-Þ][\w'’.-]+|de|du|la|le|of|the|del)){0,4}\s*", text))


def _parted_place(share: Belongings) -> list[Place]:
    """City and state where a form asks for them one by one."""
    state = next((a for a in share.answers if a.kind == "state"), None)
    city = next(
        (
            a
            for a in share.answers
            if state and a.kind == "place" and a.end <= state.start <= a.end + 80 and _is_town(a.text)
        ),
        None,
    )
    code = state_code(state.text.strip()) if state else None
    if city is None or code is None:
        return []
    start = city.start + len(city.text) - len(city.text.lstrip())
    end = start + len(city.text.strip())
    return [Place(city.text.strip(), code, country_of_state(code), city.passage, start, end, 1.0)]


# ---------------------------------------------------------------- figures


def _figures(share: Belongings) -> list[FieldValue | None]:
    money, counts = _booked(share), share.spans["count"]
    found = [
        _best("deal", name, [span for span in money if span.label == name])
        for name in ("aum", "production", "compensation")
    ]
    found += [
        _best("deal", name, [span for span in counts if span.label == name])
        for name in ("client_count", "years_experience")
    ]
    found.append(_answered(share, "client_count", r"^\D{0,20}(\d{1,4})\b", found))
    found.append(_answered(share, "years_experience", r"^(\d{1,2})\b", found))
    found.append(
        _best("deal", "book_transferable", share.spans["book_transferable"])
        or _answered(share, "book_transferable", r"(\d{1,3}\s?%)", found)
    )
    found.append(
        _answered(share, "availability", r"^(.{3,60})$", found)
        or _best("deal", "availability", share.spans["availability"])
    )
    return found


def _booked(share: Belongings) -> list[Span]:
    """Amounts, with the field that their label asks for; "Book / T12" asks for two, told apart by size."""
    spans = []
    for span in share.spans["money"]:
        answer = next((a for a in share.answers if a.passage is span.passage and a.start <= span.start < a.end), None)
        kind = answer.kind if answer else ""
        if kind == "aum" and span.label == "production" and not _is_large(span.value):
            kind = "production"
        if kind in ("aum", "production", "compensation"):
            span = Span(span.value, span.passage, span.start, span.end, 0.95, kind)
        elif kind == "book" and span.label != "compensation":
            span = Span(
                span.value, span.passage, span.start, span.end, 0.9, "aum" if _is_large(span.value) else "production"
            )
        spans.append(span)
    return spans


def _is_large(value: str) -> bool:
    number = re.search(r"([\d.]+)([MB])", value)
    return number is not None and (number.group(2) == "B" or float(number.group(1)) >= 8)


def _answered(share: Belongings, name: str, pattern: str, found: Sequence[FieldValue | None]) -> FieldValue | None:
    if any(value is not None and value.field == name for value in found):
        return None
    for answer in share.answers:
        match = re.search(pattern, answer.text.strip()) if answer.kind == name else None
        if match:
            start = answer.start + answer.text.index(match.group(1))
            span = Span(match.group(1), answer.passage, start, start + len(match.group(1)), 0.9)
            return _value("deal", name, span.value, span.score, span.evidence())
    return None


def _lists(share: Belongings) -> list[FieldValue | None]:
    for answer in share.answers:
        if answer.kind == "specializations":
            share.spans["specializations"] += availability.listed(answer.passage, answer.start, answer.end)
        if answer.kind == "licenses" and "eries" not in answer.text:
            share.spans["licenses"] += [
                Span(f"Series {number}", answer.passage, answer.start, answer.end, 0.9)
                for number in numbers_listed(answer.text)
            ]
    return [_listed(name, share.spans[name]) for name in ("licenses", "designations", "specializations")]


def _listed(name: str, spans: list[Span]) -> FieldValue | None:
    items = list(dict.fromkeys(span.value for span in spans))
    if not items:
        return None
    return _value("deal", name, items, max(span.score for span in spans), spans[0].evidence())


def _referrer(cast: Cast, find: Callable[[str, str], Evidence | None]) -> list[FieldValue]:
    if cast.referrer is None:
        return []
    evidence = cast.referrer.named.evidence() if cast.referrer.named else find(cast.referrer.name, "referrer_name")
    found = [_value("deal", "referrer_name", cast.referrer.name, 0.85, evidence)]
    if cast.referrer.email:
        found.append(
            _value("deal", "referrer_email", cast.referrer.email, 0.85, find(cast.referrer.email, "referrer_email"))
        )
    return found
