"""Whom a mail is about: the writer, somebody whom they present, somebody who hires, or nobody."""

import pytest

from extraction.patterns import understand
from extraction.tests.letters import OWN, letter

ME = "Miriam Calder"


def who(body: str, **more: str) -> tuple[str, list[str], str | None]:
    """`(intent, names, referrer)`."""
    found = understand(letter(body, **more), OWN)
    values = [{value.field: value.value for value in person.fields} for person in found.people]
    names = [f"{one.get('first_name', '')} {one.get('last_name', '')}".strip() for one in values]
    return found.intent, names, next((one["referrer_name"] for one in values if "referrer_name" in one), None)


@pytest.mark.parametrize(
    ("body", "names", "referrer"),
    [
        (
            "A former colleague of mine, Samir Haddad, is ready to leave UBS. Please take his call.",
            ["Samir Haddad"],
            ME,
        ),
        (
            "I can't let this one pass: my mentee Ayana Brooks runs $90M at Keel Advisors and wants out.",
            ["Ayana Brooks"],
            ME,
        ),
        (
            "My client, Mr. Otto Brandvold, is considering leaving Stifel in Reno. Can you help him?",
            ["Otto Brandvold"],
            ME,
        ),
        (
            "If you have anything for Nadia Frost (Sr. Planner at Copper Ridge) let me know, she should talk to you.",
            ["Nadia Frost"],
            ME,
        ),
        ("Please talk to Ines Varga, a good friend, she manages $210M at Harbor Wealth.", ["Ines Varga"], ME),
        (
            "My husband Tobias is a financial advisor and is looking to leave Schwab after nine years.",
            ["Tobias Calder"],
            None,
        ),
        (
            "Arlo Benn and I want to move our practice together. We manage $300M at Raymond James in Tulsa.",
            [ME, "Arlo Benn"],
            None,
        ),
        ("I manage $150M at Ameriprise in Boise and would like to hear what is open.", [ME], None),
    ],
)
def test_the_person_of_the_mail(body, names, referrer):
    intent, found, referred = who(body)
    assert (intent, sorted(found), referred) == ("candidate", sorted(names), referrer)


@pytest.mark.parametrize(
    "body",
    [
        "Thanks, I am happy where I am. Please take me off your list.",
        "Attached is the statement for October. Past due items are listed below. Accounts payable will call you.",
        "Your parcel is waiting at the depot. Bring the number and a proof of who you are.",
        "The reference check on somebody you placed with us is due. Please fill in the employment verification.",
    ],
)
def test_who_speaks_of_no_career_or_says_no_is_nobody(body):
    assert who(body)[:2] == ("none", [])


@pytest.mark.parametrize(
    "body",
    [
        "We are short an advisor in our Omaha office. The salary range is set; could you send a shortlist?",
        "Our board approved an associate advisor seat. I report to the head of talent; when can we interview her?",
        "The partner and I want to hire two advisors for our Dayton branch, please call me.",
    ],
)
def test_who_hires_is_a_client(body):
    assert who(body)[0] == "client"


def test_an_answer_need_not_speak_of_a_career_again():
    asked = "On Tue, Dana Whitlock <dana@well.example> wrote:\n> When can we talk?"
    body = f"Thursday at two works, my cell is 303-555-0142.\n\nMiriam\n\n{asked}"
    assert who(body)[1] == [ME]
