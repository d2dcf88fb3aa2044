"""Mails that nobody sends in good faith: read in bounded time, and the rest is found."""

import random
import time

import pytest

from extraction.letter import Letter
from extraction.mime import CUT, MAX_BODY, email_from_file, letter_from
from extraction.patterns import understand
from extraction.rules import with_rules
from extraction.tests.letters import OWN, letter
from extraction.tests.test_patterns import TODAY

# Far more than any of these take on a slow machine, far less than a pattern that backtracks: those take minutes.
ENOUGH_SECONDS = 20
HEAD = b"From: Ann Lee <ann.lee@gmail.com>\r\nSubject: A move\r\nMIME-Version: 1.0\r\n"
SAID = b"My name is Ann Lee. I am a Senior Advisor at Acme Wealth Partners in Boise, Idaho. Call 208-555-0142."
TO = b", ".join(b"Person %d <p%d@corp%d.example>" % (n, n, n % 50) for n in range(10_000))
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>" + SAID + b"</p>"
LARGE = {
    "5 MB of HTML": (HEAD + HTML + b"<div><span>filler words go on</span></div>" * 125_000, True),
    "5 MB of HTML that nests": (HEAD + HTML + b"<div>" * 1_000_000, False),
    "5 MB of attributes": (HEAD + HTML + b"<p " + b"a=b " * 1_250_000 + b">x</p>", False),
    "5 MB of text": (HEAD + b"\r\n" + SAID + b"\r\n" + b"Words go on and on.\r\n" * 250_000, True),
    "10,000 recipients": (HEAD + b"To: " + TO + b"\r\n\r\n" + SAID, True),
    "10,000 recipients on lines": (HEAD + b"Cc: " + TO.replace(b", ", b",\r\n ") + b"\r\n\r\n" + SAID, True),
    "10,000 addresses in the text": (HEAD + b"\r\n" + SAID + b"\r\n\r\n" + TO.replace(b", ", b"\r\n"), False),
}


def read(raw: bytes) -> Letter:
    return letter_from(email_from_file(raw, "mail.eml"))


def told(mail: Letter) -> tuple[str | None, ...]:
    (person,) = with_rules(understand(mail, OWN), OWN, TODAY).people
    fields = (("contact", "full_name"), ("contact", "phone"), ("company", "company_name"), ("deal", "location"))
    return tuple(person.text(*name) for name in fields)


@pytest.mark.parametrize(("raw", "cut"), LARGE.values(), ids=LARGE)
def test_of_a_huge_mail_the_beginning_is_understood_and_what_was_left_out_is_said(raw, cut):
    started = time.perf_counter()

    mail = read(raw)

    assert told(mail) == ("Ann Lee", "+12085550142", "Acme Wealth Partners", "Boise, ID")
    assert (CUT in mail.issues) is cut
    assert len(mail.sources["body"]) <= MAX_BODY
    assert time.perf_counter() - started < ENOUGH_SECONDS


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("utf-8", "latin-1"),
        ("us-ascii", "utf-8"),
        ("utf-16", "utf-8"),
        ("iso-2022-jp", "utf-8"),
        ("windows-1252", "utf-8"),
        ("klingon", "cp1252"),
        ("utf-7", "utf-8"),
        ("base64", "utf-8"),
    ],
)
def test_a_mail_that_names_the_wrong_charset_is_understood(named, written):
    text = "Grüße – " + SAID.decode()
    raw = HEAD + f"Content-Type: text/plain; charset={named}\r\n\r\n".encode() + text.encode(written, "replace")

    assert told(read(raw)) == ("Ann Lee", "+12085550142", "Acme Wealth Partners", "Boise, ID")


HOSTILE = [
    "> ",
    "a",
    "Aa ",
    "Aa, ",
    "Aa & ",
    "1 ",
    "1.1 ",
    "$1 to ",
    "Senior ",
    "Senior Vice ",
    "de la ",
    "From: a\n",
    "On Mon wrote:\n",
    "-",
    "--\n",
    ": ",
    ":\n",
    "\t",
    "((1",
    "a@b.",
    "http://a.",
    "<",
    "<div>",
    "<td>a",
    "\n\n",
    "Name\tTitle\tAUM\n",
    "refer ",
    "Aa, TX ",
    "Series 7, ",
    "years ",
    "CFP ",
    "+1 317 ",
    "....",
    "What? ",
    "À ",
    "I am ",
    "name is Aa Bb ",
    "Aa de la Bb ",
    "$1 mln ",
    "twenty-one ",
    "Q1: a?\n",
    "2012 - 2019\n",
    "• Aa Bb, ",
    "Name: Aa Bb\n",
    "Aa   Bb   Cc\n",
    "we need a ",
    "I'm with Aa at ",
    "before June 1 ",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("kind", ["text", "html"])
def test_one_thing_said_over_and_over_takes_bounded_work(unit, kind):
    started = time.perf_counter()

    understand(letter((unit * (200_000 // len(unit)))[:200_000], subject=unit * 50, body_type=kind), OWN)

    assert time.perf_counter() - started < ENOUGH_SECONDS


@pytest.mark.parametrize("seed", range(60))
def test_a_jumble_of_all_of_them_takes_bounded_work_and_every_value_rests_on_its_words(seed):
    dice = random.Random(seed)
    units = [*HOSTILE, *SAID.decode().split(". "), "\n", "\n\n", "Ann Lee\n", "> On Mon Ann wrote:\n"]
    few = dice.sample(units, k=dice.randint(2, 8))
    pieces = (dice.choice(few) * dice.choice([1, 1, 2, 30, 3000]) for _ in range(200))
    body = "".join(pieces)[:60_000]
    started = time.perf_counter()

    mail = letter(body, body_type=dice.choice(["text", "html"]))
    found = with_rules(understand(mail, OWN), OWN, TODAY)

    assert time.perf_counter() - started < ENOUGH_SECONDS
    for value in (value for person in found.people for value in person.fields if value.evidence):
        where = value.evidence
        assert mail.sources[where.source][where.start : where.end] == where.quote, value.field
