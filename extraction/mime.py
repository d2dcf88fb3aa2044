"""The door for mails: what a client hands in becomes a `Letter`, or `UnreadableMail` when there is nothing to read."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage, Message

from extraction.errors import UnreadableMail
from extraction.html import text_from
from extraction.injection import before_orders, noticed
from extraction.letter import Letter, LetterFile, Party, Segment
from extraction.msg import OLE_MAGIC, message_from_msg
from extraction.parts import segments_of
from extraction.text import canonical, decoded
from extraction.types import Email, Issue

MAX_HEADER = 20_000  # characters; the header parser takes quadratic time on hostile ones
MAX_BODY = 2_000_000
MAX_NESTING = 3  # forwarded messages inside forwarded messages that are read
MAX_PARTS = 200
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]{1,64}@[^\s<>\"'(),;:]{1,255}")
_AROUND = " \t\n,;<\"'"  # what may stand around a name
_LOOKS_HTML = re.compile(r"<(?:html|body|div|p|br|table|span|!doctype)\b", re.I)
HIDDEN_TEXT = Issue(code="hidden_text", message="The mail holds text that readers do not see. It was ignored.")
CUT = Issue(code="mail_too_long", message="The mail is very long; only its beginning was read.")
UNREADABLE_MAIL = Issue(code="attachment_unreadable", message="An attached mail could not be read.")
# What the standard parser raises on hostile mails that nobody thought of; it will raise it every time.
_HOSTILE = (ValueError, LookupError, TypeError, AttributeError)
_TOLD = frozenset({"from", "sender", "reply-to", "to", "cc", "subject"})  # the headers that say who and what
_OUTLOOK = "application/vnd.ms-outlook"


def letter_from(email: Email) -> Letter:
    """The mail, parsed and cut into parts. Raises `UnreadableMail` only when there is nothing to read at all."""
    try:
        letter = _letter(email)
    except _HOSTILE as error:
        raise UnreadableMail from error
    return replace(letter, recruiter=email.user_context.email) if email.user_context else letter


def _letter(email: Email) -> Letter:
    if email.raw_base64 is not None:
        return _letter_from_bytes(base64.b64decode(email.raw_base64), email)
    if email.raw_email is not None:
        return _letter_from_bytes(raw_bytes(email.raw_email), email)
    return _letter_from_parts(email)


def email_from_file(content: bytes, filename: str) -> Email:
    """A whole `.eml` or `.msg` file as a client would send it. Raises `UnreadableMail` when it is empty."""
    if not content.strip(b"\x00\r\n\t "):
        raise UnreadableMail(f"The file {filename[:80]} is empty.")
    return Email(raw_base64=base64.b64encode(content).decode("ascii"))


def raw_bytes(raw: str) -> bytes:
    """The bytes of a mail that came as text: clients send one character a byte, or decode the file as UTF-8."""
    if all(char < "\u0100" for char in raw):
        return raw.encode("latin-1")
    return raw.encode("utf-8", "surrogateescape" if "\udc80" <= max(raw) <= "\udcff" else "replace")


# ---------------------------------------------------------------- from parts


def _letter_from_parts(email: Email) -> Letter:
    is_html = email.body_type == "html" or (email.body_type is None and bool(_LOOKS_HTML.search(email.body[:5000])))
    visible = text_from(email.body) if is_html else None
    draft = _Draft(
        issues=[HIDDEN_TEXT] if visible and visible.hidden else [],
        headers={"from": email.sender_email, "subject": email.subject},
    )
    draft.issues += noticed(("\n".join([email.sender_name or "", email.reply_to or "", *email.to, *email.cc]),))
    draft.body = _joined(canonical(visible.text if visible else email.body), *_given(email, draft))
    return _finished(
        draft,
        subject=canonical(email.subject),
        sender=_party(email.sender_name, email.sender_email) or Party(None, None),
        reply_to=_first(_parties(email.reply_to or "")),
        to=tuple(party for line in email.to for party in _parties(line)),
        cc=tuple(party for line in email.cc for party in _parties(line)),
        sent_at=email.received_at,
        message_id=email.internet_message_id,
    )


def _given(email: Email, draft: "_Draft") -> Iterator[str]:
    """The mails among the files that the client handed in beside the mail; all go to the draft."""
    for file in email.attachments:
        yield _taken(LetterFile(file.filename, file.content_type, file.content(), file.is_inline), draft, nesting=0)


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


# ---------------------------------------------------------------- from a whole message


@dataclass
class _Draft:
    """What is gathered while walking through a message."""

    body: str = ""
    issues: list[Issue] = field(default_factory=list)
    files: list[LetterFile] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def _letter_from_bytes(content: bytes, email: Email) -> Letter:
    if not content.strip(b"\x00\r\n\t "):
        raise UnreadableMail
    message = message_from_msg(content) if content.startswith(OLE_MAGIC) else _parsed(content)
    headers = {name.lower(): _header(message, name) for name, _ in reversed(list(message.raw_items()))}
    draft = _Draft(headers=headers)
    draft.body = _joined(_read(message, draft, nesting=0), *_given(email, draft))
    if any(len(str(value)) > MAX_HEADER for name, value in message.raw_items() if name.lower() in _TOLD):
        draft.issues.append(CUT)
    sender = _first(_addresses(message, "from")) or _first(_addresses(message, "sender"))
    if not (draft.body.strip() or draft.files or headers.get("subject") or sender):
        raise UnreadableMail
    return _finished(
        draft,
        subject=headers.get("subject", email.subject),
        sender=sender or _party(email.sender_name, email.sender_email) or Party(None, None),
        reply_to=_first(_addresses(message, "reply-to")),
        to=tuple(_addresses(message, "to")),
        cc=tuple(_addresses(message, "cc")),
        sent_at=headers.get("date") or email.received_at,
        message_id=headers.get("message-id") or email.internet_message_id,
    )


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content.lstrip(b"\r\n\x00"), policy=policy.default)


def _read(message: EmailMessage, draft: _Draft, nesting: int) -> str:
    """The message's own text and that of the messages it carries; attachments go to the draft."""
    plain: list[str] = []
    html: list[str] = []
    carried: list[str] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind == "message/rfc822":
            carried.append(_carried(part, draft, nesting))
        elif kind in ("text/plain", "text/html") and not _is_attached(part):
            (plain if kind == "text/plain" else html).append(canonical(_text_of(part)))
        elif part.get_content_maintype() != "message":
            carried.append(_taken(_attachment(part, len(draft.files) + 1), draft, nesting))
    return _joined(_best("\n".join(plain), "\n".join(html), draft), *carried)


def _best(plain: str, html: str, draft: _Draft) -> str:
    """The plain text, unless it is only a stand-in for the HTML."""
    if not html.strip():
        return plain
    visible = text_from(html)
    if visible.hidden:
        draft.issues.append(HIDDEN_TEXT)
    return canonical(visible.text) if len(plain.split()) < 0.4 * len(visible.text.split()) else plain


def _leaves(message: Message) -> Iterator[EmailMessage]:
    """The parts that are not containers; a forwarded message counts as one part."""
    queue: list[Message] = [message]
    for _ in range(MAX_PARTS):
        if not queue:
            return
        part = queue.pop(0)
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            queue = [child for child in part.get_payload() if isinstance(child, Message)] + queue
        elif isinstance(part, EmailMessage):
            yield part


def _carried(part: EmailMessage, draft: _Draft, nesting: int) -> str:
    inside = part.get_payload()
    message = inside[0] if isinstance(inside, list) and inside else None
    return _as_forward(message, draft, nesting) if isinstance(message, EmailMessage) else ""


def _taken(file: LetterFile, draft: _Draft, nesting: int) -> str:
    """A file goes along; when it is a mail, it is also read like one that is carried."""
    draft.files.append(file)
    try:
        message = _message_in(file)
        return _as_forward(message, draft, nesting) if message else ""
    except (UnreadableMail, *_HOSTILE):
        draft.issues.append(UNREADABLE_MAIL)
        return ""


def _message_in(file: LetterFile) -> EmailMessage | None:
    name = file.filename.lower()
    if file.content.startswith(OLE_MAGIC) and (name.endswith(".msg") or file.content_type == _OUTLOOK):
        return message_from_msg(file.content)
    if not (name.endswith(".eml") or file.content_type == "message/rfc822"):
        return None
    message = _parsed(file.content)
    return message if _header(message, "from") or _header(message, "subject") else None


def _as_forward(message: EmailMessage, draft: _Draft, nesting: int) -> str:
    """A carried message in the words of a forward, so that one reader understands both."""
    if nesting >= MAX_NESTING:
        return ""
    known = ((name, _header(message, name)) for name in ("From", "Date", "Subject", "To"))
    lines = [f"{name}: {value}" for name, value in known if value]
    return "\n".join(["---------- Forwarded message ---------", *lines, "", _read(message, draft, nesting + 1)])


def _is_attached(part: EmailMessage) -> bool:
    return "attachment" in str(part.get("content-disposition", "")).lower()


def _text_of(part: EmailMessage) -> str:
    return decoded(_bytes_of(part), part.get_content_charset())


def _bytes_of(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _filename(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError):  # RFC 2231 names in a charset that they are not in
        return ""


def _attachment(part: EmailMessage, number: int) -> LetterFile:
    name = canonical(_filename(part)).replace("/", "_").strip()[:255] or f"attachment-{number}"
    inline = bool(part.get("content-id")) and part.get_content_maintype() == "image"
    return LetterFile(name, part.get_content_type(), _bytes_of(part), inline)


# ---------------------------------------------------------------- headers


def _header(message: EmailMessage, name: str) -> str:
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    try:
        return " ".join(canonical(str(policy.default.header_factory(name, _unfolded(raw)))).split())
    # The header parser of the standard library raises half a dozen types on malformed input; the raw text still reads.
    except Exception:  # noqa: BLE001
        return canonical(_unfolded(raw)).strip()


def _unfolded(raw: str) -> str:
    """One line of at most `MAX_HEADER` characters; the header parser refuses line ends."""
    return re.sub(r"[\r\n\x00]+", "", raw[:MAX_HEADER])


def _addresses(message: EmailMessage, name: str) -> Iterable[Party]:
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")
    raw = _unfolded(raw)
    try:
        found: tuple[MailAddress, ...] = policy.default.header_factory(name, raw).addresses
        parties = [_party(address.display_name, address.addr_spec) for address in found]
    except Exception:  # noqa: BLE001 - as above
        parties = list(_parties(raw))
    return [party for party in parties if party] or _parties(raw)


def _parties(line: str) -> Iterable[Party]:
    """Everybody in a header line, each `Name <address>` or an address alone. Of a line that gives orders to software
    only the address at its end is somebody's."""
    line = canonical(line)
    addresses = list(_ADDRESS.finditer(line))
    plain = before_orders(line)
    if addresses and plain != line:
        return [Party(plain.strip(_AROUND) or None, addresses[-1].group().lower().strip("."))]
    found = []
    last = 0
    for match in addresses:
        name = line[last : match.start()].strip(_AROUND)
        last = match.end() + 1
        found.append(Party(name or None, match.group().lower().strip(".")))
    return found


def _party(name: str | None, address: str | None) -> Party | None:
    name = before_orders(" ".join(canonical(name or "").split()).strip(" \"'")) or None
    email = canonical(address or "").strip().lower() or None
    if email in ("<>", "@"):
        email = None
    return Party(name if name != email else None, email) if name or email else None


def _first(parties: Iterable[Party]) -> Party | None:
    return next(iter(parties), None)


# ---------------------------------------------------------------- the whole


def _finished(
    draft: _Draft,
    subject: str,
    sender: Party,
    reply_to: Party | None,
    to: tuple[Party, ...],
    cc: tuple[Party, ...],
    sent_at: str | None,
    message_id: str | None,
) -> Letter:
    if len(draft.body) > MAX_BODY:
        draft.issues.append(CUT)
    body = draft.body[:MAX_BODY]
    header = _header_text(sender, reply_to, to, cc)
    sources = {"subject": subject.replace("\n", " "), "header": header, "body": body}
    names = [draft.headers.get(name, "") for name in ("from", "reply-to", "to", "cc")]
    letter = Letter(
        sources=sources,
        segments=(),
        sender=sender,
        reply_to=reply_to,
        to=to,
        cc=cc,
        sent_at=sent_at,
        message_id=message_id,
        headers=draft.headers,
        files=tuple(draft.files),
        issues=tuple(dict.fromkeys((*draft.issues, *noticed((*names, *sources.values()))))),
    )
    top = (Segment("header", "subject", 0, len(sources["subject"])), Segment("header", "header", 0, len(header)))
    return replace(letter, segments=(*top, *segments_of(body, subject, sender)))


def _header_text(sender: Party, reply_to: Party | None, to: tuple[Party, ...], cc: tuple[Party, ...]) -> str:
    lines = [("From", (sender,)), ("Reply-To", (reply_to,) if reply_to else ()), ("To", to), ("Cc", cc)]
    return "\n".join(f"{name}: {', '.join(map(_shown, parties))}" for name, parties in lines if parties)


def _shown(party: Party) -> str:
    return f"{party.name} <{party.email or ''}>" if party.name else party.email or ""
