"""Outlook's files: whatever form the body has, what they carry, and what damaged ones do."""

from contextlib import suppress

import pytest

from extraction.errors import UnreadableMail
from extraction.mime import email_from_file, letter_from
from extraction.msg import message_from_msg
from extraction.rtf import RichText, unpacked
from extraction.tests.letters import letter
from extraction.tests.outlook_files import message_tree, outlook_message
from extraction.types import AttachedFile, Email

SUBJECT, SENDER_NAME, SENDER_EMAIL, BODY, HTML, RTF, CODEPAGE = 0x37, 0x0C1A, 0x0C1F, 0x1000, 0x1013, 0x1009, 0x3FDE
DATA, LONG_NAME, SHORT_NAME, MIME_TYPE, CONTENT_ID = 0x3701, 0x3707, 0x3704, 0x370E, 0x3712
JANE = {SUBJECT: "My résumé", SENDER_NAME: "Jane Roe", SENDER_EMAIL: "jane@firm.example"}
# The example of [MS-OXRTFCP] 4.1.1: "{\rtf1\ansi\ansicpg1252\pard hello world}".
HELLO_WORLD = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)


def read(content: bytes):
    return letter_from(email_from_file(content, "mail.msg"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({BODY: "I am Jane Roe."}, "I am Jane Roe."),
        ({HTML: "<p>I am J\xfcrgen.</p>".encode("cp1252"), CODEPAGE: 1252}, "I am Jürgen."),
        ({HTML: "<p>I am Jürgen.</p>".encode(), CODEPAGE: 1252}, "I am Jürgen."),
        ({RTF: HELLO_WORLD}, "hello world"),
        ({RTF: b"\0" * 8 + b"MELA" + b"\0" * 4 + rb"{\rtf1\ansi J\'fcrgen\par Roe}"}, "Jürgen\nRoe"),
        ({BODY: "x" * 9000}, "x" * 9000),
        ({}, ""),
    ],
    ids=["plain", "HTML only", "HTML in UTF-8 all the same", "RTF only", "RTF not packed", "long", "none"],
)
def test_a_body_is_read_in_whatever_form_it_is(body, expected):
    found = read(outlook_message(JANE | body))

    assert found.sources["body"].rstrip("\n") == expected.rstrip("\n")
    assert found.sources["subject"] == "My résumé"
    assert (found.sender.name, found.sender.email) == ("Jane Roe", "jane@firm.example")


def test_the_plain_body_is_taken_before_the_rich_text_it_was_made_from():
    assert read(outlook_message(JANE | {BODY: "plain", RTF: HELLO_WORLD})).sources["body"].strip() == "plain"


def test_files_come_along_with_their_names_and_pictures_of_the_body_stay_inline():
    file = {DATA: b"%PDF-", LONG_NAME: "A long name.pdf", SHORT_NAME: "ALONGN~1.PDF", MIME_TYPE: "application/pdf"}
    old = {DATA: b"x" * 5000, SHORT_NAME: "CV.DOC"}
    odd = {DATA: b"x", LONG_NAME: "odd", MIME_TYPE: "multipart/x y"}
    logo = {DATA: b"png", LONG_NAME: "logo.png", MIME_TYPE: "image/png", CONTENT_ID: "logo@1"}

    files = read(outlook_message(JANE, [(file, None), (old, None), (odd, None), (logo, None)])).files

    assert [(each.filename, each.content_type, each.is_inline) for each in files] == [
        ("A long name.pdf", "application/pdf", False),
        ("CV.DOC", "application/octet-stream", False),
        ("odd", "application/octet-stream", False),
        ("logo.png", "image/png", True),
    ]
    assert files[1].content == b"x" * 5000


def test_a_message_inside_is_a_forward():
    inner = message_tree({SUBJECT: "inner", SENDER_EMAIL: "ann@firm.example", BODY: "I am the candidate."})

    found = read(outlook_message(JANE | {BODY: "See below."}, [({0x3705: 5}, inner)]))

    (forwarded,) = found.of_kind("forwarded")
    assert found.text(forwarded) == "I am the candidate."
    assert forwarded.author.email == "ann@firm.example"


def test_a_mail_file_inside_is_a_forward_too():
    inner = b"From: Ann <ann@firm.example>\r\nSubject: inner\r\n\r\nI am the candidate."

    found = read(outlook_message(JANE, [({DATA: inner, MIME_TYPE: "message/rfc822"}, None)]))

    assert [found.text(part) for part in found.of_kind("forwarded")] == ["I am the candidate."]


MESSAGES = {
    "application.eml": b"From: Ann <ann@firm.example>\r\nSubject: inner\r\n\r\nI am the candidate.",
    "application.msg": outlook_message(
        {SUBJECT: "inner", SENDER_EMAIL: "ann@firm.example", BODY: "I am the candidate."}
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("whole", [False, True], ids=["beside the mail", "inside the mail"])
def test_an_attached_mail_of_no_type_is_read_like_a_forward_and_stays_a_file(name, whole):
    if whole:
        encoded = AttachedFile.model_validate({"filename": name, "content_base64": _base64(MESSAGES[name])})
        raw = (
            "From: t@well.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee "
            f"attached.\n--b\nContent-Type: application/octet-stream; name={name}\n"
            "Content-Transfer-Encoding: base64\n\n"
            f"{encoded.content_base64}\n--b--\n"
        )
        found = letter_from(Email(raw_email=raw))
    else:
        found = letter("See attached.", attachments=[{"filename": name, "content_base64": _base64(MESSAGES[name])}])

    (forwarded,) = found.of_kind("forwarded")
    assert found.text(forwarded) == "I am the candidate."
    assert forwarded.author.email == "ann@firm.example"
    assert [file.filename for file in found.files] == [name]


@pytest.mark.parametrize("content", [b"", b"just a note\n", bytes.fromhex("d0cf11e0a1b11ae1") + b"junk" * 300])
def test_what_only_looks_like_a_mail_harms_nothing(content):
    attached = [{"filename": f"x.{ending}", "content_base64": _base64(content)} for ending in ("msg", "eml")]

    found = letter("Hello", attachments=attached)

    assert found.sources["body"] == "Hello"
    damaged = content.startswith(b"\xd0\xcf")
    assert [issue.code for issue in found.issues] == (["attachment_unreadable"] if damaged else [])


def test_streams_that_share_one_stretch_of_the_file_are_not_read_again_and_again():
    content = bytearray(outlook_message(JANE | dict.fromkeys(range(24576, 24592), b"x" * 4096)))
    for at in range(0, len(content) - 128, 128):  # every entry of 4096 bytes now claims the whole file
        if content[at + 120 : at + 128] == (4096).to_bytes(8, "little"):
            content[at + 120 : at + 128] = len(content).to_bytes(8, "little")

    with pytest.raises(UnreadableMail):
        message_from_msg(bytes(content))


@pytest.mark.parametrize("length", range(100, 4000, 300))
def test_a_file_that_breaks_off_is_damaged_or_shorter_but_never_an_accident(length):
    with suppress(UnreadableMail):
        message_from_msg(MESSAGES["application.msg"][:length])


@pytest.mark.parametrize(
    ("rich", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg1250 \'e8\u8364?5\u-10179?\u-8704?}", "č€5😀"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator Word;}{\info{\author Nobody}}A\tab B\line C}", "A\tB\nC"),
        (rb"{\rtf1 a{\pict\bin5 }}}}}}b}", "ab"),
        (rb"{\rtf1\fromhtml1{\*\htmltag64 <p>}Jane{\*\htmltag244 <b>}\htmlrtf{\b\htmlrtf0 Roe}\par}", "JaneRoe\n"),
        (rb"}}}\u", ""),
        (rb"{\rtf1\ansicpg99999 x\~y}", "x\u00a0y"),
    ],
)
def test_rich_text_as_its_readers_see_it(rich, text):
    assert RichText(rich).text == text


def test_words_hidden_in_rich_text_are_left_out_and_told():
    rich = RichText(rb"{\rtf1 Jane {\v secret}\v also\v0 Roe}")

    assert (rich.text, rich.hidden) == ("Jane Roe", True)


def test_packed_rich_text_stops_at_its_limit():
    packed = bytes(8) + b"LZFu" + bytes(4) + (b"\xff" + bytes.fromhex("0cff") * 8) * 1000

    assert len(unpacked(packed, 10_000)) < 12_000


def _base64(content: bytes) -> str:
    from base64 import b64encode

    return b64encode(content).decode()
