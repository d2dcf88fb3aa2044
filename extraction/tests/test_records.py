"""What a save writes, and what it does not."""

from datetime import date

import pytest
from pydantic import ValidationError

from extraction.corrections import corrected
from extraction.letter import Letter, LetterFile, Party
from extraction.records import missing_for, records_from
from extraction.types import Corrections, Extraction, FieldValue, OwnFirm, Person

LETTER = Letter(
    sources={"subject": "Hello", "header": "", "body": ""},
    segments=(),
    sender=Party("Jane Roe", "jane@acme.example"),
    files=(
        LetterFile("cv.pdf", "application/pdf", b"%PDF"),
        LetterFile("logo.png", "image/png", b"png", is_inline=True),
    ),
)
TODAY = date(2026, 11, 24)


def person(index=0, **values):
    return Person(
        index=index,
        fields=tuple(
            FieldValue(
                record=name.split("_", 1)[0],
                field=name.split("_", 1)[1],
                value=value,
                confidence=sure,
                origin="pattern",
            )
            for name, (value, sure) in values.items()
        ),
    )


JANE = {
    "contact_last_name": ("Roe", 0.9),
    "contact_email": ("jane@acme.example", 0.9),
    "company_company_name": ("Acme Wealth", 0.9),
    "deal_job_title": ("Advisor", 0.9),
    "deal_target_title": ("Advisor", 0.9),
    "deal_deal_name": ("Advisor - Acme Wealth", 0.9),
}


def filed(*people, **corrections):
    whole = Extraction(intent="candidate", people=people)
    given = Corrections.model_validate(corrections)
    return records_from(corrected(whole, given, OwnFirm(), TODAY), given, LETTER)


def test_a_person_becomes_account_contact_deal_note_and_files():
    (filing,) = filed(person(**JANE))

    assert filing.account.company_name == "Acme Wealth"
    assert (filing.contact.last_name, filing.contact.email) == ("Roe", "jane@acme.example")
    assert filing.deal.deal_name == "Advisor - Acme Wealth"
    assert "jane@acme.example" in filing.note.content
    assert [file.filename for file in filing.files] == ["cv.pdf"]


def test_what_is_not_sure_is_not_written():
    (filing,) = filed(person(**JANE, contact_phone=("+12605550144", 0.4)))

    assert filing.contact.phone is None
    assert "+12605550144" not in filing.note.content


def test_the_users_value_is_written_and_what_follows_from_it_is_derived_anew():
    (filing,) = filed(person(**JANE), people=[{"index": 0, "company": {"company_name": "Oak Street"}}])

    assert filing.account.company_name == "Oak Street"
    assert filing.deal.deal_name == "Advisor - Oak Street"


def test_a_field_that_the_user_empties_is_not_written():
    (filing,) = filed(person(**JANE), people=[{"index": 0, "contact": {"email": None}}])

    assert filing.contact.email is None


def test_a_skipped_person_is_left_out():
    filings = filed(person(0, **JANE), person(1, **JANE), people=[{"index": 0, "skip": True}])

    assert [filing.person for filing in filings] == [1]


def test_the_user_chooses_the_files():
    assert [file.filename for file in filed(person(**JANE), attachments=["logo.png"])[0].files] == ["logo.png"]
    assert filed(person(**JANE), attachments=[])[0].files == ()


def test_what_the_crm_demands_and_nobody_knows_is_named():
    nobody = person(contact_email=("jane@acme.example", 0.9))

    assert missing_for(nobody) == ("last_name", "job_title", "company_name")
    assert filed(nobody) == ()


def test_the_older_shape_of_corrections_means_the_first_person():
    given = Corrections.model_validate({"contact_record": {"first_name": "Janet"}, "deal_record": None})

    assert given.for_person(0).contact == {"first_name": "Janet"}


@pytest.mark.parametrize("wrong", [{"shoe_size": "9"}, {"email": 7}, {"email": {"a": 1}}])
def test_a_correction_of_what_is_no_field_is_refused_by_name(wrong):
    with pytest.raises(ValidationError) as refused:
        Corrections.model_validate({"people": [{"index": 0, "contact": wrong}]})

    assert f"contact.{next(iter(wrong))}" in str(refused.value.errors()[0]["ctx"]["fields"])


def test_a_record_knows_which_of_its_values_the_user_decided():
    given = {"index": 0, "company": {"website": "acme.example"}, "contact": {"full_name": "Janet Roe"}}
    (filing,) = filed(person(**JANE), people=[given])

    assert filing.account.chosen == {"website"}
    assert filing.contact.chosen == {"full_name", "first_name", "last_name"}
    assert "chosen" not in filing.view()["account"]
