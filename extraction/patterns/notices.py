"""Labelled answers: booking forms, platform tables, badge scans, "Firm: …" lists, and tables with a row a person."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extraction.letter import Letter
from extraction.patterns.reading import Passage, domain_of

# What a label asks for, first match wins. "ignored" keeps dial-ins, dates and other people's data out.
_LABELS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"^(?:{words})\W*$", re.I))
    for kind, words in (
        ("guests", r"additional guests|guests|organi[sz]er|host|invitados adicionales|account manager|account number"),
        (
            "event",
            r"event(?: type| name)?|tipo de evento|type d'événement|veranstaltung(?:sart)?|description you wrote|"
            r"reason given",
        ),
        (
            "date",
            r"(?:event )?date(?:/time| & time)?|when|was|now|fecha y hora del evento|invitee time ?zone|sent|time|"
            r"date et heure",
        ),
        ("dial", r"location|ubicación|join .{0,40}|web conference|audio only|meeting id|passcode|emplacement|ort"),
        (
            "links",
            r"view event|cancel|reschedule|cancelar|ver el evento en calendly|view profile|reply|responder|support|"
            r"your confirmation|badge|booth|vault id",
        ),
        (
            "email",
            r"(?:personal |invitee )?(?:e-?)?mail(?: address)?|correo(?: electrónico)?(?: del invitado)?|reach|"
            r"personal mail|courriel",
        ),
        (
            "phone",
            r"(?:personal |mobile |cell )?(?:phone|telephone|mobile|cell)(?: number)?|text reminder number|"
            r"number we should call.{0,40}|ping me|"
            r"call|best number|a qué número le llamamos|teléfono|celular|handy|mobil",
        ),
        (
            "name",
            r"(?:full |invitee |advisor |applicant |candidate )?name|advisor|applicant|candidate|invitee|invitado|"
            r"who|nombre|nom|prospect",
        ),
        (
            "place",
            r"city|lives|home base|where|where are you based|based(?: in)?|current location|ciudad|ville|wohnort|"
            r"standort|home",
        ),
        ("wanted", r"would go to|open to|relocation|preferred locations?|do not want|not"),
        (
            "company",
            r"(?:current )?(?:firm|company|employer|org(?:ani[sz]ation)?|shop|broker[- ]dealer|empresa|firma|"
            r"société)(?: name)?(?: / role)?",
        ),
        (
            "title",
            r"(?:current |your )?(?:title|role|position|seat|job title)(?: today| there)?|role there|cargo|"
            r"funktion|poste actuel",
        ),
        (
            "target",
            r"what are you hoping for|next|want|looking for|posting|what position do you need to fill|qué busca|"
            r"desired role|dream gig|target role|"
            r"what (?:role )?are you looking for|position applied for",
        ),
        (
            "aum",
            r"(?:total )?(?:aum|assets)(?: \(.{0,40}\))?|assets under management|roughly what do you manage|"
            r"actif sous gestion",
        ),
        (
            "production",
            r"t-?12(?: revenue)?|(?:annual )?(?:production|revenue)|gdc|gross|"
            r"revenus des douze derniers mois",
        ),
        ("book", r"book(?: / t12)?|book size|how large is your book"),
        ("client_count", r"relationships|clients|households|household count|number of clients"),
        ("licenses", r"licen[sc]es?|registrations|papers"),
        ("designations", r"designations?|marks|credentials|titres|letters"),
        ("book_transferable", r"portable|portability|transferable|transferability|% portable"),
        ("availability", r"timing|when could you move|availability|available|start|when can you start|notice"),
        ("compensation", r"package sought|compensation|expected (?:pay|salary|compensation)|salary expectation"),
        ("specializations", r"works best with|niche|specialt(?:y|ies)|speciali[sz]ations?|focus"),
        ("years_experience", r"in the business|time in the trenches|experience|years(?: of experience)?"),
        (
            "referrer",
            r"how did you hear about us|referred by|referral|referrer|introduced by|empfohlen von|"
            r"recomendado por",
        ),
        ("website", r"(?:company )?website|web"),
    )
)
_LINE = re.compile(
    r"^[\s•*\-–]*(?:\d{1,2}[.)]\s)?(?P<label>[^\n:\t]{2,70}?)\s*(?::\s|:$|\t|\s?\.{3,}\s?|\s{3,}|"
    r"(?<=\?)\s)(?P<value>.*)$"
)
_QUESTION = re.compile(r"^[\s•*\-]*(?:\d[.)]\s)?(?P<label>[^\n]{5,120}\?)\W*$")
_QUESTIONS = (
    (r"hear about", "referrer"),
    (r"number|número|phone", "phone"),
    (r"when|start|cuándo", "availability"),
    (r"looking for|hoping|busca|need to fill|vacan", "target"),
    (r"manage\b|volumen|clients", "book"),
)


@dataclass(frozen=True)
class Answer:
    """What was answered to a label: `[start, end)` of the passage. `row` tells people of one table apart."""

    kind: str
    passage: Passage
    start: int
    end: int
    row: int = 0

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


def kind_of(label: str) -> str | None:
    plain = " ".join(label.split()).strip(" .:?*•¿-")
    return next((kind for kind, pattern in _LABELS if pattern.match(plain)), None)


def answers_in(passage: Passage) -> tuple[Answer, ...]:
    """All labelled answers of a passage, in order. Unknown questions give kind "other"."""
    lines = _lines(passage.text)
    table = _table(passage, lines)
    return (*table, *_labelled(passage, lines)) if table else tuple(_labelled(passage, lines))


def _lines(text: str) -> list[tuple[int, str]]:
    lines, position = [], 0
    for line in text.split("\n"):
        lines.append((position, line))
        position += len(line) + 1
    return lines


def _labelled(passage: Passage, lines: list[tuple[int, str]]) -> Iterator[Answer]:
    waiting: str | None = None
    for start, line in lines[:400]:
        if not line.strip():
            continue
        same_line = _LINE.match(line)
        kind = kind_of(same_line["label"]) if same_line else None
        question = _QUESTION.match(line)
        if same_line and kind and same_line["value"].strip():
            yield Answer(kind, passage, start + same_line.start("value"), start + len(line.rstrip()))
            waiting = None
        elif (same_line and kind) or (kind_of(line) and len(line) < 60):
            waiting = kind or kind_of(line)
        elif question:
            waiting = _asked(question["label"])
        elif waiting:
            yield Answer(waiting, passage, start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
            # A dial-in takes several lines; everything else is one answer.
            waiting = "dial" if waiting == "dial" and len(line) < 80 else None


def _asked(question: str) -> str:
    if kind := kind_of(question):
        return kind
    return next((asked for words, asked in _QUESTIONS if re.search(words, question, re.I)), "other")


def _table(passage: Passage, lines: list[tuple[int, str]]) -> tuple[Answer, ...]:
    """A table whose first row names the columns: every further row is one person; totals are nobody."""
    for number, (_, line) in enumerate(lines):
        labels = [kind_of(cell) for cell in line.split("\t")]
        if labels[0] == "name" and sum(label is not None for label in labels) >= 3:
            return tuple(
                answer
                for row, (start, text) in enumerate(lines[number + 1 : number + 30], start=1)
                if "\t" in text and not re.match(r"\s*(?:totals?|sum|summe)\b", text, re.I)
                for answer in _row(passage, start, text, labels, row)
            )
    return ()


def _row(passage: Passage, start: int, text: str, labels: list[str | None], row: int) -> Iterator[Answer]:
    for label, cell in zip(labels, text.split("\t"), strict=False):
        if label and cell.strip():
            yield Answer(label, passage, start, start + len(cell), row)
        start += len(cell) + 1


def notice_of(letter: Letter) -> str | None:
    """Which service tells of somebody: `calendly`, `linkedin`, `vault`, `board`, or None for a mail between people."""
    domain = domain_of(letter.sender.email)
    body = letter.sources["body"]
    if domain.endswith("linkedin.com"):
        return "linkedin"
    if domain.endswith("calendly.com"):
        return "calendly"
    if re.search(r"\btwav\b", f"{letter.sender.name} {letter.sender.email} {letter.sources['subject']}", re.I):
        return "vault"
    via = re.search(r"\bvia\s[A-Z]", letter.sender.name or "")
    if via or re.search(r"^(?:applicant|candidate)(?: name)?:", body[:4000], re.I | re.M):
        return "board"
    return None
