"""What Zoho would not take, or does not let us do: said in words that tell what to do, without the values."""

import pytest

from extraction import records
from extraction.errors import CrmRejected
from zoho.accounts import Accounts, OAuthClient
from zoho.data_centres import Whereabouts
from zoho.errors import ZohoNotConnected
from zoho.tests.fake_zoho import CLIENT_SECRET, FakeZoho
from zoho.tests.held import AskedTokens, crm_behind

JANE = records.Contact("Roe", first_name="Jane", email="jane@acme.example")


@pytest.fixture
async def zoho():
    async with FakeZoho.serving() as zoho:
        yield zoho


@pytest.fixture
async def crm(zoho):
    async with crm_behind(zoho, default_owner_email="zoe@wellrecruiting.example") as crm:
        yield crm


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (records.Contact("", email="jane@acme.example"), "Zoho demands a value for the contact's last name."),
        (records.Contact("Roe", email="jane at acme"), "Zoho does not take the value for the contact's email"),
        (records.Contact("R" * 81, email="jane@acme.example"), "last name cannot be saved: it is longer than the 80"),
        (records.Account("Acme " * 41), "company name cannot be saved: it is longer than the 200"),
        (records.Deal("Advisor", stage="Dreaming"), "stage cannot be saved: Zoho's picklist Stage does not know"),
        (records.Deal("Advisor", closing_date="soon"), "Zoho does not take the value for the deal's closing date"),
    ],
)
async def test_a_record_that_cannot_be_written_is_refused_by_the_name_of_the_field(zoho, crm, record, told):
    with pytest.raises(CrmRejected) as refused:
        await crm.upsert(record, "one")

    assert told in refused.value.message and "save again" in refused.value.message
    assert not any(value in refused.value.message for value in ("jane", "RRR", "Acme", "Dreaming", "soon"))
    assert not any(zoho.rows(module) for module in ("Accounts", "Contacts", "Deals"))


async def test_a_value_that_zoho_does_not_take_is_left_out_and_told(zoho, crm):
    zoho.organisation.change("Accounts", "Industry", data_type="picklist", picklist=("Banking",))
    zoho.organisation.drop("Contacts", "LinkedIn")

    account = await crm.upsert(records.Account("Acme Wealth", industry="Wealth"), "one")
    again = await crm.upsert(records.Account("Acme Wealth", industry="Wealth"), "of another mail")
    contact = await crm.upsert(records.Contact("Roe", linkedin_url="linkedin.com/in/roe", phone="1" * 31), "two")
    deal = await crm.upsert(records.Deal("Advisor " * 20, source="LinkedIn Outbound Spam"), "three")

    assert account.remark == "industry left out: Zoho's picklist Industry does not know the value"
    assert (again.action, again.remark) == ("reused", account.remark)
    assert "linkedin url left out: the organisation has no field LinkedIn" in contact.remark
    assert "phone left out: it is longer than the 30 characters" in contact.remark
    assert deal.remark.startswith("source left out") and len(zoho.rows("Deals")[0]["Deal_Name"]) <= 120


async def test_an_organisation_without_a_field_that_a_record_needs_refuses_it_before_it_is_sent(zoho, crm):
    zoho.organisation.drop("Contacts", "Email")

    with pytest.raises(CrmRejected, match="the organisation has no field Email"):
        await crm.upsert(JANE, "one")

    assert not any(call.startswith(("POST /Contacts", "PUT")) for call in zoho.calls)


async def test_a_revoked_grant_asks_for_a_new_one_and_the_save_can_be_tried_again(zoho, crm):
    zoho.revoked = True

    with pytest.raises(ZohoNotConnected, match="connect it again in the admin") as refused:
        await crm.upsert(JANE, "one")
    zoho.revoked = False

    assert refused.value.retryable
    assert (await crm.upsert(JANE, "one")).action == "created"


async def test_a_client_of_another_data_centre_is_told_to_look_at_the_settings(zoho):
    tokens = AskedTokens(zoho)
    whereabouts = Whereabouts(accounts_url=zoho.url, api_url=zoho.url)
    tokens._accounts = Accounts(OAuthClient("of-another-data-centre", CLIENT_SECRET), whereabouts)

    async with crm_behind(zoho, tokens=tokens) as crm:
        with pytest.raises(ZohoNotConnected, match="ZOHO_DC"):
            await crm.upsert(JANE, "one")


@pytest.mark.parametrize("megabytes", [21, 30])
async def test_a_file_that_is_too_large_is_skipped_and_told(zoho, crm, megabytes):
    deal = await crm.upsert(records.Deal("Advisor"), "deal")
    large = records.File("film.mp4", "video/mp4", 0, bytes(megabytes * 1_000_000), deal_id=deal.id)

    stored = await crm.upsert(large, "file")

    assert (stored.action, stored.url) == ("skipped", deal.url)
    assert stored.remark == "larger than the 20 MB that Zoho takes; share it another way"
    assert zoho.rows("Attachments") == []
    assert (await crm.undo("attachment", stored)).outcome == "kept"


async def test_a_file_of_20_mb_is_taken(zoho, crm):
    deal = await crm.upsert(records.Deal("Advisor"), "deal")
    content = bytes(20_000_000)

    await crm.upsert(records.File("cv ü.pdf", "application/pdf", 0, content, deal_id=deal.id), "file")

    (attachment,) = zoho.rows("Attachments")
    assert (attachment["File_Name"], zoho.content(attachment["id"]) == content) == ("cv ü.pdf", True)


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ("Rick@WellRecruiting.example", "Rick Recruiter"),
        ("gone@wellrecruiting.example", "Zoe Admin"),
        ("nobody@wellrecruiting.example", "Zoe Admin"),
        (None, "Zoe Admin"),
    ],
)
async def test_a_record_belongs_to_the_user_whom_zoho_knows_else_to_the_default(zoho, crm, user, owner):
    await crm.upsert(records.Deal("Advisor", owner_email=user), "one")

    assert zoho.rows("Deals")[0]["Owner"]["name"] == owner


async def test_what_was_seen_a_moment_ago_is_believed_only_after_zoho_has_said_so_again(zoho, crm):
    first = await crm.upsert(JANE, "one")
    zoho.change("Contacts", first.id, Phone="+12605550199")

    filled = await crm.upsert(records.Contact("Roe", email="jane@acme.example", phone="1", mobile="2"), "two")
    await crm.undo("contact", filled)
    zoho._rows["Contacts"].clear()
    again = await crm.upsert(JANE, "three")

    assert filled.before == {"mobile": None}
    assert again.action == "created" and len(zoho.rows("Contacts")) == 1


async def test_a_contact_that_somebody_deletes_a_moment_later_is_written_anew(zoho, crm):
    await crm.upsert(JANE, "one")
    zoho._rows["Contacts"].clear()

    assert (await crm.upsert(JANE, "two")).action == "created"
    zoho._rows["Contacts"].clear()
    assert (await crm.upsert(records.Contact("Roe", email="jane@acme.example", phone="1"), "three")).action == "created"


async def test_a_note_on_a_deal_that_somebody_has_deleted_says_so(zoho, crm):
    deal = await crm.upsert(records.Deal("Advisor"), "deal")
    zoho._rows["Deals"].clear()
    crm._save.forget()  # as another process knows it

    with pytest.raises(CrmRejected, match="no longer in Zoho"):
        await crm.upsert(records.Note("Intake", "What the mail said", deal_id=deal.id), "note")


async def test_what_the_user_decided_goes_over_what_zoho_held(zoho, crm):
    await crm.upsert(records.Contact("Roe", email="jane@acme.example", title="Partner", phone="1"), "one")
    chosen = records.Contact("Poe", email="jane@acme.example", title="Advisor", phone="2", chosen=frozenset({"title"}))

    stored = await crm.upsert(chosen, "two")

    (contact,) = zoho.rows("Contacts")
    assert (stored.action, stored.before) == ("updated", {"title": "Partner"})
    assert (contact["Last_Name"], contact["Title"], contact["Phone"]) == ("Roe", "Advisor", "1")
