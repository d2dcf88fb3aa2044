"""Phones: what is a number, and whose kind it is."""

import pytest

from extraction.patterns.phones import phone_e164, phones_in
from extraction.patterns.reading import passages_of
from extraction.tests.letters import letter


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        ("(260) 555-0142", "US", "+12605550142"),
        ("260.555.0142 x22", "US", "+12605550142"),
        ("505/555-0161", "US", "+15055550161"),
        ("0171 3920047", "DE", "+491713920047"),
        ("06 39 98 12 45", "FR", "+33639981245"),
        ("+49 171 3920047", None, "+491713920047"),
        ("not a number", "US", None),
        ("0171 3920047", None, None),
    ],
)
def test_a_number_becomes_e164(written, region, e164):
    assert phone_e164(written, region) == e164


def best(body):
    passage = next(passage for passage in passages_of(letter(body)) if passage.kind != "header")
    found = [span for span in phones_in(passage, ("US", "DE", "FR")) if span.score > 0.3]
    return max(found, key=lambda span: span.score).value if found else None


def test_the_mobile_comes_before_direct_line_and_switchboard():
    assert best("Main 513.555.0100 | Direct 513.555.0126 | Mobile 513.555.0181 | Fax 513.555.0109") == "+15135550181"


@pytest.mark.parametrize(
    "text",
    [
        "Fax 513.555.0109",
        "Meeting ID: 864 2075 5501",
        "dial in: +1 646 555 0101",
        "Office: 206 555 0100 ext. 31",
        "call employer support, 888-555-0120",
        "badge 20250909114",
        "from 10.12.2025 to 11.12.2026",
    ],
)
def test_what_is_nobodys_number_is_not_taken(text):
    assert best(text) is None
