"""The rules of the domain page, example by example."""

import datetime

import pytest

from extraction.rules import MAX_DEAL_NAME, deal_name, location_of, with_rules
from extraction.tests.letters import OWN
from extraction.types import Extraction, FieldValue, Person

TODAY = datetime.date(2026, 11, 3)


@pytest.mark.parametrize(
    ("title", "location", "company", "name"),
    [
        ("Senior Advisor", "Fort Wayne, IN", "Acme Wealth", "Senior Advisor (Fort Wayne, IN) - Acme Wealth"),
        ("Senior Advisor", None, "Acme Wealth", "Senior Advisor - Acme Wealth"),
        ("Senior Advisor", "Nationwide", None, "Senior Advisor (Nationwide)"),
        (None, "Austin, TX", "Acme Wealth", "Acme Wealth"),
        (None, "Austin, TX", None, None),
    ],
)
def test_a_deal_is_called_by_what_is_known(title, location, company, name):
    assert deal_name(title, location, company) == name


def test_a_long_deal_name_is_cut_at_a_word():
    name = deal_name("Senior Advisor", None, "Wealth " * 40)

    assert name is not None
    assert len(name) <= MAX_DEAL_NAME
    assert name.endswith("Wealth")


@pytest.mark.parametrize(
    ("city", "state", "location"),
    [
        ("Fort Wayne", "IN", "Fort Wayne, IN"),
        ("München", None, "München"),
        ("Melbourne", "Victoria", "Melbourne, Victoria"),
        ("remote", None, "Remote"),
        (None, "TX", None),
    ],
)
def test_a_location_is_written_as_people_there_write_it(city, state, location):
    assert location_of(city, state) == location


def value(record, field, content, origin="model", confidence=0.9):
    return FieldValue(record=record, field=field, value=content, confidence=confidence, origin=origin)


def extraction(*values, intent="candidate", role="candidate", **more):
    return Extraction(intent=intent, people=(Person(index=0, role=role, fields=values),), **more)


FULL = extraction(
    value("contact", "full_name", "DR. NOOR VAN DER BERG, CFP"),
    value("contact", "title", "Senior Advisor"),
    value("contact", "city", "Fort Wayne"),
    value("contact", "state", "Indiana"),
    value("company", "company_name", "Acme Wealth"),
    value("deal", "aum", "$142M"),
)


def test_everything_derived_follows_from_what_was_found():
    person = with_rules(FULL, OWN, TODAY).people[0]

    assert {field: person.text("contact", field) for field in ("first_name", "last_name", "state", "country")} == {
        "first_name": "Noor", "last_name": "van der Berg", "state": "IN", "country": "US"}  # fmt: skip
    assert person.text("deal", "deal_name") == "Senior Advisor (Fort Wayne, IN) - Acme Wealth"
    assert person.text("deal", "closing_date") == "2027-01-02"
    assert person.text("deal", "pipeline") == "Sales Pipeline"
    assert person.text("deal", "description_of_reqs") == "AUM: $142M"
    assert person.text("company", "credit_person") == "Dana Whitlock"
    assert (person.text("deal", "source"), person.text("deal", "source_detail")) == (
        "Email Inbound",
        "Direct email contact",
    )


def test_applying_the_rules_twice_changes_nothing():
    once = with_rules(FULL, OWN, TODAY)

    assert with_rules(once, OWN, TODAY) == once
    assert with_rules(once, OWN, TODAY + datetime.timedelta(days=3)) == once


def test_what_the_user_entered_stays_and_moves_into_what_is_derived():
    corrected = extraction(
        *FULL.people[0].fields[:2],
        value("contact", "city", "Austin", "user", 1.0),
        value("contact", "state", "TX", "user", 1.0),
        value("deal", "closing_date", "2026-12-31", "user", 1.0),
        value("deal", "source", "Networking", "user", 1.0),
    )

    person = with_rules(with_rules(corrected, OWN, TODAY), OWN, TODAY).people[0]

    assert person.text("deal", "deal_name") == "Senior Advisor (Austin, TX)"
    assert person.text("deal", "closing_date") == "2026-12-31"
    assert person.text("deal", "source") == "Networking"


def test_a_value_that_is_not_sure_feeds_nothing():
    person = with_rules(
        extraction(value("contact", "title", "Advisor"), value("company", "company_name", "Guess", confidence=0.3)),
        OWN,
        TODAY,
    ).people[0]

    assert person.text("deal", "deal_name") == "Advisor"


def test_a_referrer_comes_before_every_way_in():
    found = with_rules(
        extraction(
            value("deal", "referrer_name", "Omar Haddadin"),
            source="Website Inbound",
            source_detail="Calendly scheduling",
        ),
        OWN,
        TODAY,
    )

    assert (found.source, found.source_detail) == ("Referral", "Omar Haddadin")
    assert found.people[0].text("company", "credit_person") == "Omar Haddadin"


def test_a_client_is_filed_as_recruiting_services():
    client = extraction(
        value("contact", "full_name", "Ann Bee"),
        value("company", "company_name", "Acme"),
        intent="client",
        role="client_contact",
    )

    assert with_rules(client, OWN, TODAY).people[0].text("deal", "deal_name") == "Recruiting Services - Ann Bee (Acme)"


def test_nothing_to_file_stays_nothing():
    nobody = Extraction(intent="none", reason="A newsletter.")

    assert with_rules(nobody, OWN, TODAY) == nobody
