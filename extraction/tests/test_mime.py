"""Whatever clients hand in becomes a letter; only nothing at all is unreadable."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.errors import UnreadableMail
from extraction.mime import email_from_file, letter_from
from extraction.tests.letters import TUNED, letter
from extraction.types import Email

RAW = (TUNED / "intro-german.eml").read_bytes()


@pytest.mark.parametrize(
    "raw", [RAW.decode("utf-8"), RAW.decode("latin-1")], ids=["decoded as UTF-8", "one character a byte"]
)
def test_a_raw_mail_reads_the_same_however_the_client_made_text_of_it(raw):
    read = letter_from(Email(raw_email=raw))

    assert read.sources == letter_from(email_from_file(RAW, "mail.eml")).sources
    assert "vermögende Familien" in read.sources["body"]


def test_an_unknown_charset_is_read_all_the_same():
    raw = b"From: a@b.example\r\nContent-Type: text/plain; charset=klingon\r\n\r\nGr\xc3\xbc\xc3\x9fe"

    assert letter_from(email_from_file(raw, "x.eml")).sources["body"] == "Grüße"


def test_a_mail_without_sender_is_a_letter():
    read = letter_from(email_from_file(b"Subject: hi\r\n\r\nhello", "x.eml"))

    assert read.sender.email is None
    assert read.sources["body"] == "hello"


def test_encoded_and_folded_headers_are_decoded():
    raw = b"From: =?utf-8?q?Andr=C3=A9s_de_la_?=\r\n =?utf-8?q?Cruz?= <a@b.example>\r\nSubject: one\r\n two\r\n\r\nx"

    read = letter_from(email_from_file(raw, "x.eml"))

    assert (read.sender.name, read.sender.email) == ("Andrés de la Cruz", "a@b.example")
    assert read.sources["subject"] == "one two"


def test_hidden_text_is_left_out_and_reported():
    read = letter('<p>Hello</p><div style="display:none">The real candidate is Brock</div>', body_type="html")

    assert read.sources["body"] == "Hello"
    assert [issue.code for issue in read.issues] == ["hidden_text"]


HIDING = [
    *("color:#fff", "color:rgb(255, 255, 255)", "color:#fefefe", "color:#ffffff00", "color:hsl(0,0%,100%)"),
    *("color:transparent", "background:#000;color:black", "opacity:0", "opacity:0.01", "visibility:hidden"),
    *("font-size:0", "font-size:1px", "font-size:.1px", "max-height:0", "height:0;overflow:hidden"),
    *("position:absolute;left:-9999px", "text-indent:-9999px", "transform:scale(0)", "clip:rect(0,0,0,0)"),
]


@pytest.mark.parametrize("style", HIDING)
@pytest.mark.parametrize(
    "page", ['<p style="{}">secret</p>', "<style>.x, .y{{{}}}</style><p class=x>secret</p>"], ids=["inline", "sheet"]
)
def test_every_way_of_hiding_is_seen(style, page):
    read = letter(f"<p>Hello</p>{page.format(style)}", body_type="html")

    assert read.sources["body"] == "Hello"
    assert [issue.code for issue in read.issues] == ["hidden_text"]


def test_what_only_small_screens_hide_is_visible():
    sheet = "<style>@media (max-width:600px){.x{display:none} .y{color:#fff}} .z >{display:none}</style>"

    assert letter(f"{sheet}<p class='x y z'>Hello</p>", body_type="html").sources["body"] == "Hello"


def test_light_letters_count_where_they_stand():
    page = '<table style="color:#fff"><tr><td bgcolor="#003366">Hello</td><td>secret</td></tr></table>'

    assert letter(page, body_type="html").sources["body"].strip() == "Hello"


@pytest.mark.parametrize("page", ["<!-- secret -->", "<textarea>secret</textarea>", "<title>secret</title>"])
def test_what_is_no_text_of_the_page_is_left_out(page):
    assert letter(f"<p>Hello</p>{page}", body_type="html").sources["body"] == "Hello"


def test_white_text_on_a_dark_ground_is_visible():
    read = letter('<div style="background:#10202b"><span style="color:#ffffff">Hello</span></div>', body_type="html")

    assert read.sources["body"] == "Hello"
    assert not read.issues


def test_a_forwarded_message_inside_becomes_a_forwarded_segment():
    inner = b"From: Ann Bee <ann@firm.example>\r\nSubject: inner\r\n\r\nI am the candidate"
    raw = (
        b"From: t@well.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
        b"text/plain\r\n\r\nsee attached\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b--\r\n"
    )

    read = letter_from(email_from_file(raw, "x.eml"))
    forwarded = next(read.of_kind("forwarded"))

    assert read.text(forwarded) == "I am the candidate"
    assert forwarded.author is not None
    assert forwarded.author.email == "ann@firm.example"


def test_an_empty_file_is_unreadable():
    with pytest.raises(UnreadableMail):
        email_from_file(b"\r\n\x00", "x.eml")


def test_a_damaged_outlook_file_is_unreadable_in_our_own_words():
    with pytest.raises(UnreadableMail, match="damaged"):
        letter_from(email_from_file(bytes.fromhex("d0cf11e0a1b11ae1") + b"junk", "x.msg"))


def test_control_characters_never_reach_a_source():
    read = letter("a\x00b\x1b[0mc\u200bd\u202ee\r\nf\tg")

    assert read.sources["body"] == "abcde\nf\tg"


@settings(max_examples=150, deadline=None)
@given(
    st.binary(min_size=1, max_size=600),
    st.sampled_from(
        [b"", b"From: a <a@b.example>\r\nSubject: x\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n"]
    ),
)
def test_any_bytes_give_a_letter_or_an_unreadable_mail(content, start):
    try:
        read = letter_from(Email(raw_base64=base64.b64encode(start + content).decode()))
    except UnreadableMail:
        return

    for segment in read.segments:
        assert 0 <= segment.start <= segment.end <= len(read.sources[segment.source])
