"""Who a mail is about: everybody who might be, scored by role, before any value is given to anyone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from extraction.letter import Letter, Party
from extraction.patterns.circle import Circle, domain_of, is_robot, is_role, is_service
from extraction.patterns.intent import declines, is_of_a_career, wants_to_hire, wants_to_move
from extraction.patterns.names import NAME, clean_name, looks_like_a_name, same_person
from extraction.patterns.notices import Answer, notice_of
from extraction.patterns.presented import (
    Presented,
    addressed,
    kin,
    moves_along,
    presented,
    team,
    tells_of_oneself,
    where_told,
    writes_for,
)
from extraction.patterns.reading import Passage, Span
from extraction.patterns.referrers import recommends, referrer_in, vouches
from extraction.patterns.resume import is_resume
from extraction.patterns.roles import VIA, Cast, Somebody, from_party, is_known, named

_OF_A_FORM = frozenset({"email", "phone", "company", "title", "place", "aum", "target"})
# What services say of people: "Jane Roe applied", "Discovery call with Jane Roe".
_DOES = re.compile(
    rf"(?<![\w'’-])({NAME})(?:['’]s)?\s(?:-\s|\([^)\n]{{1,40}}\)\s)?(?i:has\s|just\s|would like\s|"
    rf"is\s)?(?i:quick[- ])?(?i:appl\w+|"
    r"accepted|used|sent|submitted|replied|booked|scheduled|rescheduled|canceled|cancelled|interested|messaged|wants|"
    r"postule|s'est|hat sich|bewirbt|se postuló|solicitó|candidatou)\b"
)
_WITH = re.compile(rf"(?:\b(?:[Ww]ith|[Ff]rom|[Aa]pplicant|[Cc]andidate)|\w:|\s-)\s({NAME})")
_ABBREVIATED = re.compile(r"\s[A-Z]\.?$")


def cast_of(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    """Persons first: whoever a notice, a form, a forward, an introduction or else the sender presents."""
    cast = _cast(letter, passages, answers, circle)
    if (
        not cast.people
        and not circle.is_own(letter.sender)
        and any(wants_to_move(passage.text) for passage in _newest(passages))
    ):
        cast = Cast((_behind(letter, passages, answers),), None, (letter.sender,))
    people = tuple(replace(person, name=_fullest(person.name, passages)) for person in cast.people)
    return replace(cast, people=people)


def _fullest(name: str, passages: tuple[Passage, ...]) -> str:
    """The name with the first name, the middle initial and the suffix that another place of the mail gives."""
    words = name.split()
    words = [words[0], *(word for word in words[1:] if not re.fullmatch(r"[A-Z]\.?", word))] if words else []
    if len(words) != 2 or not all(word[0].isupper() for word in words):
        return name
    initial = re.fullmatch(r"[A-Z]\.?", words[0])
    first = rf"{words[0][0]}[a-zà-ÿ'’-]+" if initial else re.escape(words[0])
    fuller = re.compile(
        rf"(?<![\w'’-]){first}(?: [A-Z]\.?)? {re.escape(words[1])}(?:,? (?:Jr|Sr|II|III|IV)\b\.?)?(?![\w'’-])"
    )
    spellings = (clean_name(match.group())[0] for passage in passages for match in fuller.finditer(passage.text))
    return max((name, *spellings), key=len)


def _cast(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    notice = notice_of(letter)
    if notice:
        return _from_notice(letter, passages, answers, circle, notice)
    rows = [answer for answer in answers if answer.kind == "name" and answer.row]
    if len(rows) > 1:
        people = [_from_answer(answer, answers) for answer in rows]
        return Cast(addressed(people, letter), None, (letter.sender,))
    form = _of_form(answers)
    if form and sum(answer.kind in _OF_A_FORM for answer in answers) >= 3:
        return _from_form(letter, passages, answers, form, circle)
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
    reply = letter.reply_to if circle.is_outside(letter.reply_to) and notice != "linkedin" else None
    if reply and domain_of(reply.email).endswith(domain_of(letter.sender.email)):
        reply = None  # a relay of the platform, not the person's address
    person = next(_announced(letter, passages, answers, circle, reply), None)
    if person is None:
        return Cast((), notice=notice)
    referrer = referrer_in(passages, answers, person, circle)
    return Cast((person,), referrer, (letter.sender,), notice, platform=domain_of(letter.sender.email))


def _announced(
    letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle, reply: Party | None
) -> Iterator[Somebody]:
    """Whom a service tells of, the surest hint first: who is answered, the form's name, who writes through it, who
    "applied", and the name that heads an attached résumé."""
    email = reply.email if reply else None
    if reply and reply.name:
        yield named(reply.name, email)
    if form := _of_form(answers):
        yield replace(form, email=email)
    name = VIA.sub("", letter.sender.name or "")
    if looks_like_a_name(name) and (name != letter.sender.name or not is_role(letter.sender)):
        yield named(name, email)
    told = list(_told_of(letter, passages, circle))
    yield from (replace(person, email=email) for person in told if not _ABBREVIATED.search(person.name))
    for passage in passages:
        if passage.kind == "attachment" and is_resume(passage.raw) and (head := _heading(passage)):
            yield replace(head, email=email)
    yield from (replace(person, email=email) for person in told)


def _told_of(letter: Letter, passages: tuple[Passage, ...], circle: Circle) -> Iterator[Somebody]:
    """Names of which a notice says that they did something, or that its subject puts after "with"."""
    for passage in passages[:3]:
        patterns = (_DOES, _WITH) if passage.kind == "header" else (_DOES,)
        for match in (match for pattern in patterns for match in pattern.finditer(passage.text)):
            if looks_like_a_name(match.group(1)) and not is_known(match.group(1), letter, circle):
                yield Somebody(
                    clean_name(match.group(1))[0],
                    None,
                    Span(match.group(1), passage, match.start(1), match.end(1), 0.85),
                )


def _from_form(
    letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], form: Somebody, circle: Circle
) -> Cast:
    """Labelled data in a mail between people: the writer's own, or of somebody whom they pass on. The writer of a
    forwarded form is who filled it in."""
    writer = (form.named and form.named.passage.author) or letter.sender
    if circle.is_outside(writer) and same_person(form.name, writer.name or ""):
        form = replace(form, email=writer.email)
    return Cast((form,), referrer_in(passages, answers, form, circle), tuple({writer, letter.sender}))


def _of_form(answers: tuple[Answer, ...]) -> Somebody | None:
    """The person whom labelled answers name: in one of them or in two."""
    for answer in answers:
        if answer.kind == "name" and looks_like_a_name(_name_part(answer.text)):
            return _from_answer(answer, answers)
    first = next((answer for answer in answers if answer.kind == "first_name"), None)
    last = next((answer for answer in answers if answer.kind == "last_name"), None)
    if first is None or last is None:
        return None
    name = clean_name(f"{first.text.strip()} {last.text.strip()}")[0]
    return Somebody(name, None, Span(name, last.passage, last.start, last.end))


def _heading(passage: Passage) -> Somebody | None:
    """The name that stands at the head of a résumé."""
    line = next((line for line in passage.text[:400].split("\n") if line.strip()), "")
    name = clean_name(_name_part(line))[0]
    if not looks_like_a_name(name) or len(name) > 50:
        return None
    start = passage.text.index(line)
    return Somebody(name, None, Span(name, passage, start, start + len(line.rstrip()), 0.85))


def _name_part(text: str) -> str:
    return re.split(r"\s[·|(]|\s<|,\s(?![JS]r\b)|\t", text.strip())[0].strip()


def _from_answer(answer: Answer, answers: tuple[Answer, ...]) -> Somebody:
    name = clean_name(_name_part(answer.text))[0]
    span = Span(name, answer.passage, answer.start, answer.start + len(_name_part(answer.text)), 0.9)
    mail = next((a.text.strip().lower() for a in answers if a.row == answer.row and a.kind == "email" and a.row), None)
    return Somebody(name, mail, span, (span,), answer.row)


def _from_forward(letter: Letter, passages: tuple[Passage, ...], forwarded: list[Party], circle: Circle) -> Cast:
    """The deepest outside author is whom it is about, or whom that author presents; who passed it on with a
    recommendation is the referrer."""
    author = forwarded[-1]
    words = [p for p in passages if p.author and p.author.email == author.email and p.kind == "forwarded"]
    others = presented(letter, words, circle)
    if others.people:
        referrer = from_party(author) if recommends(author, passages) and not writes_for(words) else None
        return Cast(others.people, referrer, (author,), others=(author,), strangers=others.strangers)
    person = from_party(author)
    between = [*([letter.sender] if circle.is_outside(letter.sender) else []), *forwarded[:-1]]
    referrer = next((from_party(party) for party in reversed(between) if recommends(party, passages)), None)
    return Cast((person,), referrer or referrer_in(passages, (), person, circle), (author,))


def _from_inside(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    """A colleague writes: about the other side of the thread, or about people that the text presents."""
    quoted = _outsiders((p.author for p in passages if p.kind == "quoted"), circle, letter.sender)
    if quoted:
        spoken_to = [party for party in quoted if any(party.email == to.email for to in letter.to)]
        author = (spoken_to or quoted)[0]
        person = from_party(author)
        return Cast((person,), referrer_in(passages, (), person, circle), (author,))
    answered = [a for a in answers if a.kind == "name" and looks_like_a_name(_name_part(a.text))]
    if answered:
        return Cast(tuple(_from_answer(answer, answers) for answer in answered), None, (letter.sender,))
    told = presented(letter, _newest(passages), circle)
    return Cast(told.people, None, (letter.sender,), strangers=told.strangers)


def _behind(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...]) -> Somebody:
    """Who writes from an address such as info@; what only robots read is nobody's address."""
    email = None if is_robot(letter.sender) else letter.sender.email
    return named(_signed_name(letter, passages, answers) or "", email)


def _newest(passages: tuple[Passage, ...]) -> list[Passage]:
    return [passage for passage in passages if passage.kind == "new"]


def _from_sender(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle) -> Cast:
    """Somebody outside writes: about others whom they present or write for, else about themselves."""
    newest = _newest(passages)
    members = team([p for p in passages if p.kind in ("new", "signature")], circle)
    if any(same_person(one.name, letter.sender.name or "") for one in members):
        return Cast(addressed(members, letter), None, (letter.sender,))
    hires = any(wants_to_hire(passage.text) for passage in newest)
    others = Presented() if hires else presented(letter, newest, circle)
    if others.people and (moves_along(newest) or (tells_of_oneself(newest) and _speaks_of_both(newest))):
        oneself = where_told(from_party(letter.sender, _signed_name(letter, passages, answers)), newest)
        return Cast((oneself, *others.people), None, (letter.sender,), strangers=others.strangers)
    if others.people:
        serves = writes_for(newest) or _is_office(letter.sender, passages)
        referrer = from_party(letter.sender) if vouches(letter.sender, passages) and not serves else None
        return Cast(others.people, referrer, (letter.sender,), others=(letter.sender,), strangers=others.strangers)
    relative = None if hires or tells_of_oneself(newest) else kin(newest, letter.sender)
    if relative:
        return Cast((relative,), None, (letter.sender,), others=(letter.sender,))
    if not hires and not _is_a_candidate(letter, passages, newest):
        return Cast(())
    person = from_party(letter.sender, _signed_name(letter, passages, answers))
    return Cast((person,), referrer_in(passages, answers, person, circle), (letter.sender,), strangers=others.strangers)


def _speaks_of_both(newest: list[Passage]) -> bool:
    return any(_TOGETHER.search(passage.text) for passage in newest)


def _is_office(sender: Party, passages: tuple[Passage, ...]) -> bool:
    """Whether the sender signs as somebody's office, which passes people on without referring them."""
    return any(
        passage.kind == "signature" and passage.author == sender and _OFFICE.search(passage.text)
        for passage in passages
    )


_OFFICE = re.compile(r"\b(?:Office Manager|(?:Executive|Administrative|Personal) Assistant|Assistant to)\b", re.I)


def _is_a_candidate(letter: Letter, passages: tuple[Passage, ...], newest: list[Passage]) -> bool:
    """Whether a writer who presents nobody may be somebody to place: they speak of a career, or answer somebody."""
    told = [passage.text for passage in passages if passage.kind != "disclaimer"]
    answers = any(passage.kind == "quoted" for passage in passages)
    return (answers or is_of_a_career(told)) and not any(declines(passage.text) for passage in newest)


# Partners who would move together.
_TOGETHER = re.compile(
    r"\b(?:both of us|(?:the )?two of us|(?:the )?three of us|me first|myself first|"
    r"and I (?:both )?(?:want|would like|plan|hope) to (?:move|leave|join)|(?:we|us)(?: both| all)?(?:['’]d| would|"
    r" want to| could)?(?: both| all)? (?:move|join|come|leave|start|go) "
    r"(?:over )?(?:together|as a team)|move (?:us )?as a team|nous deux|los dos|las dos|noi due|nós dois|wir beide)\b",
    re.I,
)
_CALLED = re.compile(
    rf"\b(?:[Mm]y name is|[Tt]his is|I['’]?m|I am|[Ii]ch bin|[Jj]e suis|[Ss]oy|[Mm]e llamo|[Mm]i chiamo|"
    rf"[Ss]ono)\s({NAME})"
)


def _signed_name(letter: Letter, passages: tuple[Passage, ...], answers: tuple[Answer, ...]) -> str | None:
    """The name that the mail itself gives where the header shows none, only a part, or another script."""
    name = letter.sender.name or ""
    if name and not re.search(r"[A-Za-zÀ-ž]", name):
        return next((_name_part(a.text) for a in answers if a.kind == "name"), None)
    if len(clean_name(name)[0].split()) > 1 and "@" not in name:
        return None
    for passage in passages:
        if (
            passage.author == letter.sender
            and (called := _CALLED.search(passage.text))
            and looks_like_a_name(called.group(1))
        ):
            return called.group(1)
        if passage.author == letter.sender and passage.kind == "signature":
            line = next((line.strip() for line in passage.text.split("\n") if line.strip()), "")
            if looks_like_a_name(_name_part(line)) and (not name or name.split()[0][0].lower() == line[0].lower()):
                return _name_part(line)
    return None
