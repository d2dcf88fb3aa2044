"""Whatever is called a mail: a letter and what it says, or a refusal in our own words. Never another exception."""

from contextlib import suppress
from functools import cache

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from extraction.errors import UnreadableMail
from extraction.mime import MAX_BODY, email_from_file, letter_from
from extraction.patterns import understand
from extraction.rules import with_rules
from extraction.tests.letters import OWN, TUNED
from extraction.tests.outlook_files import outlook_message
from extraction.tests.test_patterns import TODAY
from extraction.types import Email

fuzzed = settings(max_examples=100, deadline=None, derandomize=True)

NAMES = st.sampled_from(
    "From To Cc Reply-To Sender Subject Date Message-ID Content-Type Content-Transfer-Encoding Content-Disposition"
    " Content-ID MIME-Version References X-Odd".split()
)
HEADER_VALUES = st.text(max_size=30) | st.sampled_from(
    [
        "Jane Roe <jane@acme.example>",
        "=?utf-8?q?J=C3=A4ne?= <jane@acme.example>",
        "=?klingon?b?????=",
        "=?utf-8?b?" + "A" * 2000,
        '"unclosed <a@b',
        "<<>>@@,;:",
        "group: a@b, c@d;",
        "Mon, 99 Foo 20260 25:61:61 +9999",
        "text/plain; charset=utf-7",
        "text/html; charset*=utf-8''%FF%",
        "multipart/mixed; boundary=x",
        "multipart/mixed; boundary=",
        'multipart/alternative; boundary="x"; boundary=y',
        "message/rfc822",
        "message/partial; number=1; total=2; id=a",
        "message/delivery-status",
        "base64",
        "uuencode",
        "quoted-printable",
        "attachment; filename*0*=utf-16''%00; filename*1=x",
        'attachment; filename="../../etc/passwd"',
    ]
)
BODIES = st.sampled_from(
    [
        "My name is Jane Roe, Senior Advisor at Acme Wealth in Boise, Idaho. Call (260) 555-0144.",
        "<html><body><p>Jane Roe</p><p style='display:none'>x</p>",
        "<table><td><!--<script>]]>&#x110000;&#0;",
        "SGVsbG8",
        "=E4=ZZ=",
        "begin 666 a\n#86)C\n`\nend",
        "From: a@b\nTo: c@d\n\nOn Mon Jane wrote:\n> > >",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:x\nEND",
        "%PDF-1.4 %%EOF",
        "PK\x03\x04",
    ]
) | st.text(max_size=80)


@st.composite
def wild(draw, depth=0):
    """A message whose headers, parts and encodings need not fit each other."""
    lines = [f"{draw(NAMES)}: {draw(HEADER_VALUES)}" for _ in range(draw(st.integers(0, 6)))]
    if depth < 2 and draw(st.booleans()):
        lines.append("Content-Type: multipart/mixed; boundary=x")
        parts = [draw(wild(depth + 1)) for _ in range(draw(st.integers(0, 3)))]
        body = "".join(f"\n--x\n{part}" for part in parts) + draw(st.sampled_from(["\n--x--", "", "\n--y--", "\n--x"]))
    else:
        body = draw(BODIES)
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join([*lines, "", body])


@cache
def real() -> list[bytes]:
    mails = [path.read_bytes() for path in sorted(TUNED.glob("*.eml"))[::6]]
    outlook = outlook_message({0x37: "A move", 0x1000: "I am Jane Roe.", 0x0C1A: "Jane Roe", 0x1013: b"<p>x</p>"})
    return [*mails, outlook]


PIECES = st.sampled_from([b"", b"\r\n\r\n", b"--", b"\x00" * 9, b"\xff\xfe", b"=?"])


@st.composite
def torn(draw):
    """A real mail, or an Outlook file, with pieces cut out, doubled and put in."""
    content = bytearray(real()[draw(st.integers(0, len(real()) - 1))])
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 400)))
        piece = draw(
            st.binary(max_size=8) | st.sampled_from([b"", b"\r\n\r\n", b"--", b"\x00" * 9, b"\xff\xfe", b"=?"])
        )
        content[start:end] = piece if draw(st.booleans()) else bytes(content[start:end]) * 2 + piece
    return bytes(content)


def understood(email: Email) -> None:
    """The letter, and everything that the rules do with it. Raises `UnreadableMail`."""
    letter = letter_from(email)
    found = with_rules(understand(letter, OWN), OWN, TODAY)
    for value in (value for person in found.people for value in person.fields if value.evidence):
        where = value.evidence
        assert letter.sources[where.source][where.start : where.end] == where.quote, value.field
    assert len(letter.sources["body"]) <= MAX_BODY
    found.model_dump_json()  # what cannot be said in JSON could not be told
    orjson.dumps([*letter.sources.values(), *(file.filename for file in letter.files)])
    assert not any("\x00" in text for text in letter.sources.values())


@fuzzed
@given(wild())
def test_a_message_whose_pieces_do_not_fit_is_read_or_refused(text):
    with suppress(UnreadableMail):
        understood(email_from_file(text.encode("utf-8", "surrogatepass"), "mail.eml"))
    with suppress(UnreadableMail, ValidationError):
        understood(Email.model_validate({"raw_email": text}))


@fuzzed
@given(torn())
def test_a_real_mail_with_pieces_missing_is_read_or_refused(content):
    with suppress(UnreadableMail):
        understood(email_from_file(content, "mail.msg" if content.startswith(b"\xd0\xcf") else "mail.eml"))
