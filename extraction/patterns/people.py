"""Who a mail is about: everybody who might be, scored by role, before any value is given to anyone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from extraction.letter import Letter, Party
from extraction.patterns.names import NAME, clean_name, looks_like_a_name, names_in, same_person
from extraction.patterns.notices import Answer, notice_of
from extraction.patterns.reading import Circle, Passage, Span, domain_of, is_service, within_limits
from extraction.patterns.titles import titles_in

_INTRODUCED = re.compile(
    rf"\b(?:(?:[Aa]t the request of|[Oo]n behalf of|[Rr]efer(?:ring)?|[Rr]eferral:|[Ii]ntroduc(?:e|"
    rf"ing)(?: you to)?|[Rr]ecommend(?:ing)?|[Mm]eet|[Nn]amed|[Rr]ecommande(?: \w+)?|"
    rf"[Ee]mpfehle(?: Ihnen)?|[Rr]ecomiendo a|[Pp]resento a|[Cc]andidate is|[Tt]alk to|[Ss]peak (?:to|with))\s)({NAME})"
)
_ITEM = re.compile(rf"^[ \t]*\d{{1,2}}[.)]\s+(?:[^\n]{{0,60}}[!.]\s)??({NAME})", re.M)
_KIN = re.compile(
    rf"({NAME}),\s(?:her|his|my|their|our)\s(?:husband|wife|partner|brother|sister|colleague|associate)\b"
)
_ME = (
    r"(?:me\b|us\b|I write|I (?:should )?(?:contact|reach|get in touch|drop|talk|speak)|that I|your (?:name|"
    r"details|number|address|card))"
)
_REFERRED_ME = re.compile(
    rf"({NAME})(?:\s\([^)\n]{{1,90}}\))?,?\s(?:has\s|kindly\s|then\s)?(?:referred|recommended|introduced|suggested|"
    rf"passed on|passed along|gave|told|sent|pointed|put|advised|encouraged)\s{_ME}"
)
_BY = re.compile(
    rf"\b(?:(?:[Rr]eferred|[Rr]ecommended|[Ii]ntroduced|[Ss]uggested) (?:to you )?by|[Ii]ntroduction (?:via|from|"
    rf"through)|(?:^|\n)Via|[Aa]t the suggestion of|[Rr]ecommendation of|[Rr]ecomendación de|"
    rf"me lo pasó|[Dd]e parte de|[Dd]e la part de|(?:[Ss]ur (?:le conseil|la recommandation) de)|[Ee]mpfehlung von|"
    rf"[Vv]on|[Pp]or recomendación de)\s({NAME})"
)
_GERMAN_REFERRAL = re.compile(r"empfohlen|Empfehlung")
_REFERRING = re.compile(
    r"\brefer(?:ring)?\b|\breferral\b|\bintroduc(?:e|ing|tion)\b|\brecommend\b|\bmeet\b|je vous recommande|"
    r"empfehle|le recomiendo|presento a|think of (?:you|me)",
    re.I,
)
_VIA = re.compile(r"\s+via\s+.*$", re.I)


@dataclass(frozen=True)
class Somebody:
    """A person to file: as named, with an address when one is surely theirs, and where they are named."""

    name: str
    email: str | None = None
    named: Span | None = None
    mentions: tuple[Span, ...] = ()
    row: int = 0
    score: float = 0.9


@dataclass(frozen=True)
class Cast:
    """Everybody's part in the mail. `voices` are the authors whose words tell about the people."""

    people: tuple[Somebody, ...]
    referrer: Somebody | None = None
    voices: tuple[Party | None, ...] = ()
    notice: str | None = None
    others: tuple[Party, ...] = field(default=())


def cast_of(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    """Persons first: whoever a notice, a form, a forward, an introduction or else the sender presents."""
    notice = notice_of(letter)
    if notice:
        return _from_notice(letter, passages, answers, circle, notice)
    rows = [answer for answer in answers if answer.kind == "name" and answer.row]
    if len(rows) > 1:
        people = tuple(_from_answer(answer, answers) for answer in rows)
        return Cast(people, None, (letter.sender,))
    forwarded = _outsiders((p.author for p in passages if p.kind == "forwarded"), circle, letter.sender)
    if forwarded:
        return _from_forward(letter, passages, forwarded, circle)
    if circle.is_own(letter.sender) or is_service(letter.sender):
        return _from_inside(letter, passages, answers, circle)
    return _from_sender(letter, passages, answers, circle)


def _outsiders(authors: Iterable[Party | None], circle: Circle, sender: Party) -> list[Party]:
    found: dict[str, Party] = {}
    for author in authors:
        if author and circle.is_outside(author) and author.email != sender.email:
            found.setdefault(author.email or author.name or "", author)
    return list(found.values())


# ---------------------------------------------------------------- where people come from


def _from_notice(
    letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle, notice: str
) -> Cast:
    named = next((a for a in answers if a.kind == "name" and looks_like_a_name(_name_part(a.text))), None)
    reply = letter.reply_to if circle.is_outside(letter.reply_to) and notice != "linkedin" else None
    if reply and domain_of(reply.email).endswith(domain_of(letter.sender.email)):
        reply = None  # a relay of the platform, not the person's address
    name = reply.name if reply and reply.name else _name_part(named.text) if named else None
    if not name and notice in ("linkedin", "board") and letter.sender.name:
        name = _VIA.sub("", letter.sender.name)
    if not name or (notice == "board" and "via" not in (letter.sender.name or "") and not named and not reply):
        return Cast((), notice=notice)
    person = _named(name, reply.email if reply else None)
    referrer = _referrer_in(passages, answers, person, circle)
    return Cast((person,), referrer, (letter.sender,), notice)


def _name_part(text: str) -> str:
    return re.split(r"\s[·|(]|\s<|,\s(?![JS]r\b)|\t", text.strip())[0].strip()


def _from_answer(answer: Answer, answers: tuple[Answer, ...]) -> Somebody:
    name = clean_name(_name_part(answer.text))[0]
    span = Span(name, answer.passage, answer.start, answer.start + len(_name_part(answer.text)), 0.9)
    mail = next((a.text.strip().lower() for a in answers if a.row == answer.row and a.kind == "email" and a.row), None)
    return Somebody(name, mail, span, (span,), answer.row)


def _from_forward(letter: Letter, passages: tuple[Passage, ...], forwarded: list[Party], circle: Circle) -> Cast:
    """The deepest outside author is whom it is about; who passed it on with a recommendation is the referrer."""
    author = forwarded[-1]
    person = _from_party(author)
    between = [*([letter.sender] if circle.is_outside(letter.sender) else []), *forwarded[:-1]]
    referrer = next((_from_party(party) for party in reversed(between) if _recommends(party, passages)), None)
    return Cast((person,), referrer or _referrer_in(passages, (), person, circle), (author,))


def _from_inside(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    """A colleague writes: about the other side of the thread, or about people that the text presents."""
    quoted = _outsiders((p.author for p in passages if p.kind == "quoted"), circle, letter.sender)
    if quoted:
        addressed = [party for party in quoted if any(party.email == to.email for to in letter.to)]
        author = (addressed or quoted)[0]
        person = _from_party(author)
        return Cast((person,), _referrer_in(passages, (), person, circle), (author,))
    named = [a for a in answers if a.kind == "name" and looks_like_a_name(_name_part(a.text))]
    people = [_from_answer(answer, answers) for answer in named] or list(
        _presented(letter, passages, circle, strong=True)
    )
    return Cast(tuple(people), None, (letter.sender,))


def _from_sender(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    """Somebody outside writes: about others whom they introduce or write for, else about themselves."""
    others = [
        person
        for person in _presented(letter, passages, circle)
        if not same_person(person.name, letter.sender.name or "")
    ]
    if others:
        sender = _from_party(letter.sender)
        recommends = _recommends(letter.sender, passages) and not _writes_for(passages)
        return Cast(tuple(others), sender if recommends else None, (letter.sender,), others=(letter.sender,))
    person = _from_party(letter.sender, _latin_name(letter, answers))
    return Cast((person,), _referrer_in(passages, answers, person, circle), (letter.sender,))


def _latin_name(letter: Letter, answers: tuple[Answer, ...]) -> str | None:
    """A name in another script gives way to the Latin form that the mail itself offers."""
    name = letter.sender.name or ""
    if name and re.search(r"[A-Za-zÀ-ž]", name):
        return None
    return next((_name_part(a.text) for a in answers if a.kind == "name"), None)


def _writes_for(passages: tuple[Passage, ...]) -> bool:
    return any(
        re.search(r"\b(?:at the request of|on behalf of|whom I support|my (?:boss|principal))\b", p.text, re.I)
        for p in passages[:2]
    )


# ---------------------------------------------------------------- named in the text


def _presented(
    letter: Letter, passages: tuple[Passage, ...], circle: Circle, strong: bool = False
) -> Iterator[Somebody]:
    """People whom the newest text presents: introduced, listed, or named with a title."""
    newest = [p for p in passages if p.kind == "new"]
    recommends = strong or any(_REFERRING.search(p.text) for p in newest) or _writes_for(passages)
    found: dict[str, Somebody] = {}
    for passage in newest if recommends else ():
        for name, start, end in _mentions(passage):
            cleaned = clean_name(name)[0]
            if len(cleaned.split()) < 2 or _is_known(cleaned, letter, circle):
                continue
            span = Span(cleaned, passage, start, end, 0.85)
            key = next((key for key in found if same_person(key, cleaned)), cleaned)
            found.setdefault(key, Somebody(cleaned, None, span, (span,), score=0.85))
    yield from found.values()
    if not found and recommends:
        yield from _copied(letter, newest, circle)


def _mentions(passage: Passage) -> list[tuple[str, int, int]]:
    found = [
        (match.group(1), match.start(1), match.end(1))
        for pattern in (_INTRODUCED, _ITEM, _KIN)
        for match in pattern.finditer(passage.text)
        if looks_like_a_name(match.group(1))
    ]
    titles = [title.start for title in titles_in(passage)]
    for name, start, end in names_in(passage):
        follows = passage.text[end : end + 12]
        near = any(0 <= title - end <= 45 for title in titles)
        if near and re.match(r"\s(?:is|was|has)\s|,\s(?:who|the|an?)\s", follows):
            found.append((name, start, end))
    return sorted(found, key=lambda one: one[1])


def _is_known(name: str, letter: Letter, circle: Circle) -> bool:
    """The sender, a colleague or the user."""
    parties = [letter.sender, *letter.to, *letter.cc, Party(circle.own.user.name, None) if circle.own.user else None]
    return any(
        party
        and party.name
        and same_person(party.name, name)
        and (party is letter.sender or circle.is_own(party) or party.email is None)
        for party in parties
    )


def _copied(letter: Letter, newest: list[Passage], circle: Circle) -> Iterator[Somebody]:
    """Whoever is in copy and called by first name in the text: "Dana - meet Walter"."""
    for party in (*letter.cc, *letter.to):
        first = clean_name(party.name or "")[1]
        called = re.compile(rf"\b{re.escape(first)}\b")
        is_other = circle.is_outside(party) and party.email != letter.sender.email
        if first and is_other and any(called.search(passage.text) for passage in newest):
            yield _from_party(party)


def _from_party(party: Party, name: str | None = None) -> Somebody:
    return _named(_VIA.sub("", name or party.name or ""), party.email if not is_service(party) else None)


def _named(name: str, email: str | None) -> Somebody:
    """Emoji and other ornaments are no part of a name."""
    return Somebody(clean_name(re.sub(r"[^\w\s.,'’\"“”()&ªº-]", "", name))[0], email)


# ---------------------------------------------------------------- referrers


def _recommends(party: Party, passages: tuple[Passage, ...]) -> bool:
    return any(
        p.author
        and p.author.email == party.email
        and p.kind != "signature"
        and p.kind != "header"
        and _REFERRING.search(p.text)
        for p in passages
    )


def _referrer_in(
    passages: tuple[Passage, ...], answers: tuple[Answer, ...], person: Somebody, circle: Circle
) -> Somebody | None:
    """Somebody outside who is said to have referred the person; never a colleague, never the person."""
    found = _named_referrers(passages, person, circle)
    named = next(found, None)
    if named is None:
        return _answered_referrer(answers)
    same = (other for other in found if other.email and same_person(other.name, named.name))
    return named if named.email else next(same, named)


def _named_referrers(passages: tuple[Passage, ...], person: Somebody, circle: Circle) -> Iterator[Somebody]:
    for passage in within_limits(passages):
        if passage.kind == "signature" or circle.is_own(passage.author):
            continue
        for match in (*_REFERRED_ME.finditer(passage.text), *_BY.finditer(passage.text)):
            if match.re is _BY and " von " in f" {match.group().lower()}" and not _GERMAN_REFERRAL.search(passage.text):
                continue
            name = clean_name(match.group(1))[0]
            if looks_like_a_name(name) and not same_person(name, person.name) and not _is_user(name, circle):
                yield Somebody(
                    name, _beside(passage, match.end(1)), Span(name, passage, match.start(1), match.end(1), 0.85)
                )


def _answered_referrer(answers: tuple[Answer, ...]) -> Somebody | None:
    for answer in answers:
        if answer.kind == "referrer":
            found = re.search(
                NAME, re.sub(r"^(?:[Rr]eferred by|[Vv]ia)\s", lambda m: " " * len(m.group()), answer.text)
            )
            if found and looks_like_a_name(found.group()):
                span = Span(
                    found.group(), answer.passage, answer.start + found.start(), answer.start + found.end(), 0.9
                )
                return Somebody(clean_name(found.group())[0], None, span)
    return None


def _is_user(name: str, circle: Circle) -> bool:
    return bool(circle.own.user and circle.own.user.name and same_person(circle.own.user.name, name))


def _beside(passage: Passage, position: int) -> str | None:
    """An address in brackets soon after a name."""
    found = re.search(r"\(([\w.+-]+@[\w.-]+\.[a-z]{2,15})", passage.text[position : position + 120])
    return found.group(1).lower() if found else None
