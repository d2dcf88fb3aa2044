"""A value rests on words of the mail, or on nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.evidence import find
from extraction.tests.letters import letter

LETTER = letter(
    "I’m a Senior Advisor at Acme\nWealth — call 260.555.0142.\n> My book is $1,480,000 and\n> grew. See "
    "www.acme.example or LinkedIn.com/in/ann-bee?x=1. Pay: $250 - 300K."
)


@pytest.mark.parametrize(
    ("field", "value", "quote", "status"),
    [
        ("title", "Senior Advisor", "Senior Advisor", "quoted"),
        ("company_name", "Acme Wealth", "Acme\nWealth", "normalised"),
        ("title", "SENIOR ADVISOR", "Senior Advisor", "normalised"),
        ("phone", "+12605550142", "260.555.0142", "normalised"),
        ("aum", "$1.48M", "1,480,000", "normalised"),
        ("compensation", "$250K-$300K", "250 - 300", "normalised"),
        ("website", "https://acme.example", "acme.example", "normalised"),
        ("linkedin_url", "https://www.linkedin.com/in/ann-bee", "LinkedIn.com/in/ann-bee", "normalised"),
    ],
)
def test_a_value_is_found_in_the_words_it_rests_on(field, value, quote, status):
    found = find(LETTER, value, field)

    assert found is not None
    assert (found.quote, found.status) == (quote, status)
    assert LETTER.sources[found.source][found.start : found.end] == quote


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Advisor at Large"),
        ("email", "ann@acme.example"),
        ("website", "cme.example"),
        ("phone", "+12605550143"),
        ("aum", "$2M"),
        ("title", "enior"),
    ],
)
def test_what_the_mail_does_not_say_is_unsupported(field, value):
    assert find(LETTER, value, field) is None


def test_the_place_named_is_preferred():
    read = letter("Advisor here, Advisor there")

    found = find(read, "Advisor", "title", near=("body", 10, 27))

    assert found is not None
    assert found.start == 14


@given(st.text(max_size=80), st.text(max_size=12), st.sampled_from(["title", "phone", "aum", "email"]))
def test_evidence_always_points_at_its_quote(text, value, field):
    read = letter(text)

    found = find(read, value, field)

    assert found is None or read.sources[found.source][found.start : found.end] == found.quote
