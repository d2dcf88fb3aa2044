"""A body cut into what was written new, quoted, forwarded, signatures and disclaimers, each with its author.

Lines are read once. A message begins at its introduction ("On … wrote:", a block of From/Sent/To lines, a forward
mark) and ends where the next one begins, or where the quoting becomes shallower than it is itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from extraction.injection import before_orders
from extraction.letter import Party, Segment, SegmentKind

_QUOTE = re.compile(r"^(?: ?>)+ ?")
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_ANGLED = re.compile(rf"<{_EMAIL.pattern}>")
_FROM = re.compile(
    r"^\*?(?:From|De|Von|Da|Mittente|Van|Fra|Från|Lähettäjä|Od|От|差出人|发件人)\*?\s?:\*?\s*(?P<who>\S.{0,300})$"
)
_OTHER_HEADER = re.compile(
    r"^\*?(?:Sent|Date|To|Cc|Subject|Reply-To|Enviado(?: el)?|Fecha|Para|Asunto|Assunto|Data|Envoyé|Objet|Sujet|Pour|"
    r"Copie(?: à)?|À|A|"
    r"Gesendet|Datum|An|"
    r"Betreff|Inviato|Oggetto|Verzonden|Aan|Onderwerp|Skickat|Till|Ämne|Sendt|Til|Emne)\*?\s?:\*?\s",
)
_WROTE = re.compile(
    r"^(?:On|Am|Le|El|Em|Il|Op|Den)\b.{4,300}?(?:wrote|schrieb\b.{0,120}|a écrit|escribió|escreveu|ha scritto|"
    r"schreef\b.{0,120}|skrev\b.{0,120})\s?:$",
    re.S,
)
_FORWARD_MARK = re.compile(
    r"^(?:-{2,} ?|_{2,} ?)?(?:Begin forwarded message|Forwarded message|Début du message (?:réexpédié|transféré)|"
    r"Message transféré|"
    r"Anfang der weitergeleiteten Nachricht|Weitergeleitete Nachricht|Inicio del mensaje reenviado|Mensaje reenviado|"
    r"Mensagem encaminhada|Início da mensagem encaminhada|Messaggio inoltrato|"
    r"Inizio messaggio inoltrato)\s?:?(?: ?-{2,}| ?_{2,})?$",
    re.I,
)
_ORIGINAL_MARK = re.compile(
    r"^(?:_{5,}|-{2,} ?(?:Original Message|Original-Nachricht|Ursprüngliche Nachricht|Mensaje original|"
    r"Message d'origine|"
    r"Mensagem original|Messaggio originale) ?-{2,})$",
    re.I,
)
_FORWARD_SUBJECT = re.compile(r"^\s*(?:\[[^\]]{1,30}\]\s*)?(?:FWD?|TR|WG|RV|ENC|I|VS|VB|Doorst)\s?:", re.I)
_SIGN_OFF = re.compile(
    r"^(?:(?:with |many |all (?:the |my )?|my |kind|warm|best)?\s?(?:best|kind|warm|kindest|warmest|regards|thanks|"
    r"thank you|cheers|"
    r"sincerely|yours|respectfully|cordially)\b.{0,25}"
    r"|Mit (?:freundlichen|besten|herzlichen) Grüßen|(?:Viele|Beste|Freundliche|Herzliche|Liebe) Grüße|MfG"
    r"|(?:Un |Reciba un |Cordial )?(?:cordial )?saludos?(?: cordial(?:es)?)?|Atentamente|Quedo atent[oa]"
    r"|Cordialement|Bien (?:à vous|cordialement)|Au plaisir|Je t'embrasse|Je t’embrasse|Salutations.{0,30}"
    r"|Abraço|Atenciosamente|Cordiali saluti|Le meas|Yours (?:sincerely|truly|faithfully))\s?[,.!]?$",
    re.I,
)
_DISCLAIMER = re.compile(
    r"^(?:\W{0,3})(?:CONFIDENTIALITY\b|CONFIDENTIAL(?:\s*[:–-]|\s(?:notice|and|information|communication|e-?mail|"
    r"message)|\W*$)|AVISO DE CONFIDENCIALIDAD|This (?:e-?mail|message|transmission|"
    r"communication|mailbox)\b"
    r"|The information (?:contained )?in this|Securities (?:and advisory services )?offered|"
    r"Advisory services offered|Investment advi\w+ (?:services )?offered"
    r"|Past performance|For dealer use only|Diese E-Mail|Ce (?:message|courriel)|Este (?:mensaje|e-?mail|correo)|"
    r"Member FINRA)",
    re.I,
)
_SENT_FROM = re.compile(
    r"^(?:Sent from my \w+.{0,40}|Get Outlook for \w+|Von meinem \w+ gesendet|Envoyé de mon \w+|Enviado desde mi \w+)$",
    re.I,
)
_CONTACT_LINE = re.compile(r"@|https?://|www\.|\d{3}[ ./)-]{1,2}\d{3,4}|\s[|·•]\s")
_SERVICE = re.compile(
    r"^(?:no-?reply|notif\w*|alerts?|delivery|messages-noreply|inmail[\w-]*)@|@(?:\w+\.)?(?:calendly|linkedin)\.com$"
)


@dataclass
class _Line:
    """One line: `text` without its quote marks, which stands at `start`."""

    start: int
    end: int
    depth: int
    text: str


@dataclass
class _Message:
    """A message in the making: its lines are `[first, last)` pieces of the body."""

    kind: SegmentKind
    author: Party | None
    depth: int


def segments_of(body: str, subject: str, sender: Party) -> tuple[Segment, ...]:
    """The body's segments in order, without gaps but for introductions and empty ends."""
    lines = list(_lines_of(body))
    pieces: list[tuple[_Message, list[_Line]]] = []
    stack = [_Message("new", sender, 0)]
    forwarded = bool(_FORWARD_SUBJECT.match(subject))
    marked = False
    number = 0
    while number < len(lines):
        line = lines[number]
        length, who, is_mark = _introduction(lines, number, least=2 if marked else 3)
        if length:
            marked = marked or is_mark
            following = next(
                (later for later in islice(lines, number + length, number + length + 20) if later.text), line
            )
            inherited = stack[-1].kind == "forwarded" and stack[-1].depth <= line.depth
            kind: SegmentKind = "forwarded" if marked or forwarded or inherited else "quoted"
            if who is not None:
                marked = False
                while len(stack) > 1 and stack[-1].depth > line.depth:
                    stack.pop()
                stack.append(_Message(kind, who, max(line.depth, following.depth)))
            number += length
            continue
        while len(stack) > 1 and line.text and line.depth < stack[-1].depth:
            stack.pop()
        if line.depth > stack[-1].depth and line.text:
            stack.append(_Message("quoted", None, line.depth))
        if not pieces or pieces[-1][0] is not stack[-1]:
            pieces.append((stack[-1], []))
        pieces[-1][1].append(line)
        number += 1
    return tuple(segment for message, own in pieces for segment in _split(message, own))


def _lines_of(body: str) -> Iterator[_Line]:
    position = 0
    for raw in body.split("\n"):
        marks = _QUOTE.match(raw)
        skip = marks.end() if marks else 0
        yield _Line(position + skip, position + len(raw), raw[:skip].count(">"), raw[skip:].strip())
        position += len(raw) + 1


def _introduction(lines: list[_Line], number: int, least: int) -> tuple[int, Party | None, bool]:
    """How many lines introduce an older message here (0: none), its author, and whether they say "forwarded"."""
    text = lines[number].text
    if not text:
        return 0, None, False
    if _FORWARD_MARK.match(text):
        return 1, None, True
    if _ORIGINAL_MARK.match(text):
        return 1, None, False
    sender = _FROM.match(text)
    if sender:
        length = _header_block(lines, number)
        if length >= least:
            return length, author_from(sender["who"]), False
    if text[:3].rstrip() in ("On", "Am", "Le", "El", "Em", "Il", "Op", "Den"):
        return _wrote(lines, number)
    return 0, None, False


def _header_block(lines: list[_Line], number: int) -> int:
    """Lines of a From/Sent/To/Subject block; long lists of recipients wrap."""
    length = 1
    for line in lines[number + 1 : number + 12]:
        if not _OTHER_HEADER.match(line.text + " "):
            if line.text and "@" in line.text and line.text.rstrip().endswith((">", ";", ",")) and length > 1:
                length += 1
                continue
            break
        length += 1
    return length


def _wrote(lines: list[_Line], number: int) -> tuple[int, Party | None, bool]:
    joined = ""
    for length, line in enumerate(lines[number : number + 3], start=1):
        joined = f"{joined} {line.text}".strip()
        if joined.endswith(":") and _WROTE.match(joined):
            return (
                length,
                author_from(re.sub(r"^.*?\d{1,2}[:.h]\d{2}\s?(?:[AP]M|Uhr)?,?\s*|^.*\bschrieb\b", "", joined, count=1)),
                False,
            )
    return 0, None, False


def author_from(text: str) -> Party:
    """`Name <address>`, `Last, First [mailto:address]` or a bare name."""
    address = _ANGLED.search(text) or _EMAIL.search(text)
    name = text[: address.start()] if address else re.sub(r"\s*(?:wrote|a écrit|escribió|escreveu)\s?:$", "", text)
    name = before_orders(re.sub(r"\[?mailto:|[<\[(\"*]", "", name).strip(" ,;:'"))
    return Party(name or None, address.group().lower().strip("<>") if address else None)


def _split(message: _Message, lines: list[_Line]) -> Iterator[Segment]:
    """One message as its text, signature and disclaimers."""
    filled = [number for number, line in enumerate(lines) if line.text]
    if not filled:
        return
    lines = lines[filled[0] : filled[-1] + 1]
    signature = _signature_start(lines, message.author)
    yield from _segment(message.kind, message, lines[:signature])
    notice = next((n for n in range(signature, len(lines)) if _DISCLAIMER.match(lines[n].text)), len(lines))
    yield from _segment("signature", message, lines[signature:notice])
    yield from _segment("disclaimer", message, lines[notice:])


def _segment(kind: SegmentKind, message: _Message, lines: list[_Line]) -> Iterator[Segment]:
    if any(line.text for line in lines):
        yield Segment(kind, "body", lines[0].start, lines[-1].end, message.author)


def _signature_start(lines: list[_Line], author: Party | None) -> int:
    """Where the signature begins: a delimiter, a closing phrase, or the author's name on a line near the end."""
    disclaimer = next((n for n, line in enumerate(lines) if n and _DISCLAIMER.match(line.text)), len(lines))
    for number in range(max(1, disclaimer - 18), disclaimer):
        text = lines[number].text
        if text in ("--", "—", "__") or _SENT_FROM.match(text):
            return number
        if len(text) < 45 and _SIGN_OFF.match(text):
            return number + 1
        if _is_name_line(text, author) and _is_block(lines[number:disclaimer]):
            return number
    return disclaimer


def _is_name_line(text: str, author: Party | None) -> bool:
    if not author or not author.name or "\t" in text or len(text) > 160 or _SERVICE.search(author.email or ""):
        return False
    words = re.findall(r"[^\W\d_]{2,}", author.name.lower())
    beginning = text.lower()[: len(author.name) + 8]
    return bool(words) and sum(word in beginning for word in words) >= min(2, len(words))


def _is_block(lines: list[_Line]) -> bool:
    """Signatures are short lines, not prose: a few lines, at most one of them a sentence."""
    filled = [line.text for line in lines if line.text]
    prose = [text for text in filled if len(text.split()) > 9 and not _CONTACT_LINE.search(text)]
    return len(filled) <= 12 and len(prose) <= 1 and (filled[0] not in prose)
