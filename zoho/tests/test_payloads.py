"""What of a record goes to Zoho, and what is said about the rest."""

import pytest

from extraction import records
from extraction.errors import CrmRejected
from zoho.fieldmap import FieldMap
from zoho.organisation import Organisation, OrganisationField
from zoho.payloads import news_for, payload_for, reference_of, says_reference, token_of


def organisation_with(**modules):
    return Organisation({name: {field.api_name: field for field in fields} for name, fields in modules.items()})


def text(name, length=255, **given):
    return OrganisationField(name, "text", length, **given)


CONTACTS = [
    *(text(name) for name in ("First_Name", "Email", "Title")),
    text("Last_Name", 20),
    text("Phone", 12),
    OrganisationField("Account_Name", "lookup"),
    OrganisationField("Owner", "ownerlookup"),
]
DEALS = [
    text("Deal_Name", 30),
    OrganisationField("Stage", "picklist", values=frozenset({"Lead"})),
    OrganisationField("Pipeline", "picklist", values=frozenset({"Sales Pipeline"})),
    OrganisationField("Source", "picklist", values=frozenset({"Referral", "Other"})),
    text("Contingency_Description", 120),
    text("AUM__c"),
    text("Intake_Key"),
]
ZOHO = organisation_with(Contacts=CONTACTS, Deals=DEALS, Notes=[text("Note_Content", 200), text("Note_Title", 20)])


def test_fields_go_by_the_map_links_by_id_and_what_is_empty_not_at_all():
    contact = records.Contact(last_name="Roe", first_name=" Jane ", email="jane@acme.example", account_id="7", title="")

    payload = payload_for(contact, "k", FieldMap(), ZOHO, owner_id="9")

    assert payload.values == {
        "Last_Name": "Roe",
        "First_Name": "Jane",
        "Email": "jane@acme.example",
        "Account_Name": {"id": "7"},
        "Owner": {"id": "9"},
    }
    assert payload.remark is None


def test_what_zoho_would_not_take_is_left_out_and_told_without_its_value():
    contact = records.Contact(last_name="Roe", email="j@a.example", phone="+1 260 555 0144", mobile="+1 260 555 0145")

    payload = payload_for(contact, "k", FieldMap(), ZOHO)

    assert set(payload.values) == {"Last_Name", "Email"}
    assert payload.left_out == (
        "phone left out: it is longer than the 12 characters that Zoho takes",
        "mobile left out: the organisation has no field Mobile",
    )
    assert "555" not in payload.remark


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (records.Contact(last_name="R" * 21, email="j@a.example"), "contact's last name .* longer than the 20"),
        (records.Deal("Advisor", stage="Engaged"), "deal's stage .* picklist Stage does not know"),
        (records.Account("Acme"), "account's company name .* no field Account_Name"),
    ],
)
def test_without_a_value_that_a_record_cannot_be_without_nothing_is_sent(record, told):
    with pytest.raises(CrmRejected, match=told) as refused:
        payload_for(record, "k", FieldMap(), ZOHO)

    assert not refused.value.retryable and "save again" in refused.value.message


def test_a_source_is_written_as_zoho_calls_it_and_one_that_it_lacks_is_left_out():
    def written(source):
        return payload_for(records.Deal("Advisor", source=source), "k", FieldMap(), ZOHO)

    assert written("Email Inbound").values["Source"] == "Other"
    assert written("Referral").values["Source"] == "Referral"
    assert "Source" not in written("LinkedIn Inbound").values
    assert "source left out" in written("LinkedIn Inbound").remark


def test_a_long_text_is_cut_at_a_word_and_its_reference_stays():
    deal = records.Deal("Senior Financial Advisor (Fort Wayne, IN)", description_of_reqs="word " * 60)

    values = payload_for(deal, "k", FieldMap(), ZOHO).values

    assert values["Deal_Name"] == "Senior Financial Advisor…"
    assert len(values["Contingency_Description"]) <= 120
    assert values["Contingency_Description"].endswith(f"word…\n{reference_of('k')}")
    assert says_reference(values["Contingency_Description"] + "\n", "k")
    assert not says_reference(values["Contingency_Description"], "another")


def test_with_a_key_field_the_key_goes_there_and_the_description_is_the_users_alone():
    values = payload_for(records.Deal("Advisor"), "k", FieldMap(key_field="Intake_Key"), ZOHO).values

    assert values["Intake_Key"] == token_of("k")
    assert "Contingency_Description" not in values


def test_a_contact_without_an_address_and_every_note_say_their_reference():
    places = FieldMap({("contact", "reference"): "Title"})

    contact = payload_for(records.Contact("Roe"), "k", places, ZOHO).values
    note = payload_for(records.Note("Intake", "What it said", deal_id="5"), "n", FieldMap(), ZOHO).values

    assert contact["Title"] == reference_of("k")
    assert note["Note_Content"] == f"What it said\n{reference_of('n')}"
    assert note["Parent_Id"] == {"module": {"api_name": "Deals"}, "id": "5"}


def test_figures_go_where_an_administrator_has_put_them():
    deal = records.Deal("Advisor", figures={"aum": "$120M", "production": "$1M"})

    values = payload_for(deal, "k", FieldMap({("deal", "aum"): "AUM__c"}), ZOHO).values

    assert values["AUM__c"] == "$120M"
    assert "$1M" not in values.values()


def test_only_what_is_empty_in_zoho_is_filled_and_the_owner_stays():
    held = {"Phone": None, "Title": "Partner", "Mobile": "", "Owner": None}

    news = news_for(held, {"Phone": "1", "Title": "Advisor", "Mobile": "2", "Owner": {"id": "9"}, "LinkedIn": "in/roe"})

    assert news == {"Phone": "1", "Mobile": "2", "LinkedIn": "in/roe"}
