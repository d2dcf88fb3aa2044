"""The score tells right from wrong, missing and forbidden."""

import pytest

from extraction.scoring import is_same, label_own, score
from extraction.tests.letters import TUNED, labelled
from extraction.types import Evidence, Extraction, FieldValue, Person

LABEL = next(label for label, _ in labelled(TUNED) if label["name"] == "forward-by-colleague")
WORDS = Evidence(source="body", start=0, end=1, quote="x")


def extraction(confidence=0.9, **contact):
    fields = tuple(
        FieldValue(
            record="contact", field=field, value=content, confidence=confidence, origin="pattern", evidence=WORDS
        )
        for field, content in contact.items()
    )
    return Extraction(intent="candidate", language="en", people=(Person(index=0, fields=fields),))


def test_right_values_count_for_precision_and_missing_ones_against_recall():
    result = score(
        [(LABEL, extraction(full_name="Brendan O’Brien", email="brendan.obrien@gmail.com"), 4.0)], "patterns"
    )

    assert result["contact"]["precision"] == 1.0
    assert 0 < result["contact"]["recall"] < 1
    assert result["fields"]["email"]["f1"] == 1.0
    assert result["people_f1"] == 1.0
    assert {
        "mail": "forward-by-colleague",
        "person": 0,
        "field": "phone",
        "expected": "+18185550177",
        "got": None,
    } in result["misses"]


def test_a_forbidden_value_is_counted():
    assert (
        score([(LABEL, extraction(full_name="Brendan O'Brien", phone="+13175550119"), 4.0)], "patterns")["must_not"]
        == 1
    )


def test_a_value_that_would_not_be_filled_in_counts_as_missing():
    result = score([(LABEL, extraction(0.4, full_name="Brendan O'Brien", phone="+13175550119"), 4.0)], "patterns")

    assert result["must_not"] == 0
    assert result["fields"]["phone"] == {"precision": 1.0, "recall": 0.0, "f1": 0.0, "n": 1}


def test_somebody_who_should_not_be_there_costs_precision():
    nobody = next(label for label, _ in labelled(TUNED) if "Rosa Trent" in label["must_not"])

    result = score([(nobody, extraction(full_name="Rosa Trent"), 4.0)], "patterns")

    assert result["intent_accuracy"] == 0.0
    assert result["contact"]["precision"] == 0.0
    assert result["filled_precision"] == 0.0
    assert result["must_not"] == 1


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("company", "Acme Wealth, Inc.", "ACME  Wealth, Inc", True),
        ("company_website", "acme.example", "https://www.acme.example/", True),
        ("licenses", ["Series 7", "Series 66"], ["series 66", "series 7"], True),
        ("licenses", ["Series 7"], ["Series 7", "Series 66"], False),
        ("availability", "two weeks", "two weeks'", True),
        ("aum", "$1.4M", "$1.5M", False),
    ],
)
def test_values_are_compared_after_normalisation(field, one, other, same):
    assert is_same(field, one, other) is same


def test_the_label_names_the_firm_and_the_user():
    own = label_own(LABEL)

    assert own.domains == {"well.example"}
    assert own.user is not None
    assert own.user.email == "dana@well.example"
