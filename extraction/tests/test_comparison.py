"""Two readings of one mail, side by side."""

from extraction.comparison import differences
from extraction.types import Evidence, Extraction, FieldValue, Person


def reading(*people: dict[tuple[str, str], object]) -> Extraction:
    quote = Evidence(source="body", start=0, end=3, quote="secret words")
    return Extraction(
        intent="candidate",
        people=tuple(
            Person(
                index=index,
                fields=tuple(
                    FieldValue(record=record, field=field, value=value, confidence=0.9, origin="model", evidence=quote)
                    for (record, field), value in fields.items()
                ),
            )
            for index, fields in enumerate(people)
        ),
    )


def changes(before: Extraction, after: Extraction) -> dict[str, str]:
    return {
        f"{one['person']}.{one['record']}.{one['field']}": one["change"]
        for one in (difference.view() for difference in differences(before, after))
    }


def test_every_field_of_either_reading_is_added_changed_the_same_or_gone():
    before = reading({("contact", "email"): "a@x.example", ("contact", "city"): "Reno", ("deal", "job_title"): "CFO"})
    after = reading(
        {("contact", "email"): "a@x.example", ("contact", "city"): "Elko", ("company", "website"): "x.example"}
    )

    assert changes(before, after) == {
        "0.contact.email": "same",
        "0.contact.city": "changed",
        "0.company.website": "added",
        "0.deal.job_title": "gone",
    }


def test_a_list_in_another_order_is_the_same():
    licenses = ("deal", "licenses")

    assert changes(reading({licenses: ["7", "66"]}), reading({licenses: ["66", "7"]})) == {"0.deal.licenses": "same"}
    assert changes(reading({licenses: ["7"]}), reading({licenses: ["66"]})) == {"0.deal.licenses": "changed"}


def test_a_person_whom_only_one_reading_knows_is_added_or_gone_in_the_order_of_the_fields():
    one, two = {("contact", "city"): "Reno"}, {("deal", "aum"): "$1M", ("contact", "full_name"): "Ann Lee"}

    assert list(changes(reading(one), reading(one, two)).items()) == [
        ("0.contact.city", "same"),
        ("1.contact.full_name", "added"),
        ("1.deal.aum", "added"),
    ]
    assert set(changes(reading(one, two), reading()).values()) == {"gone"}


def test_words_of_the_mail_are_no_part_of_it():
    told = [difference.view() for difference in differences(reading(), reading({("contact", "city"): "Reno"}))]

    assert told[0]["after"] == {"value": "Reno", "confidence": 0.9, "origin": "model"}
    assert "secret" not in str(told)
