"""What an organisation lacks is said before the first save, in words that tell what to do."""

import pytest

from zoho.fieldmap import FieldMap
from zoho.tests.fake_organisation import Field
from zoho.tests.fake_zoho import FakeZoho
from zoho.tests.held import KEY_FIELD, crm_behind, with_key_field


@pytest.fixture
async def zoho():
    async with FakeZoho.serving() as zoho:
        yield zoho


async def findings(zoho, field_map=None):
    async with crm_behind(zoho, field_map) as crm:
        return await crm.check()


async def test_an_organisation_as_the_defaults_expect_it_has_nothing_to_find(zoho):
    assert await findings(zoho) == []
    assert await findings(zoho, with_key_field(zoho)) == []


@pytest.mark.parametrize(
    ("module", "name", "change", "told"),
    [
        ("Contacts", "LinkedIn", None, "Contacts, linkedin url: the organisation has no field LinkedIn. Create it"),
        ("Contacts", "Last_Name", {"length": 20}, "Last_Name takes 20 characters, values may have 40. Make the field"),
        ("Deals", "Stage", {"picklist": ("New",)}, "picklist Stage does not have “Lead”. Add the value"),
        ("Deals", "Pipeline", {"picklist": ("Sales",)}, "picklist Pipeline does not have “Sales Pipeline”"),
        ("Deals", "Closing_Date", {"data_type": "text"}, "Closing_Date is of the type text, wanted is date"),
        ("Deals", "Source", {"picklist": ("Other", "Referral")}, "picklist Source does not have “LinkedIn Inbound”"),
        ("Deals", "Amount", {"mandatory": True}, "Amount: Zoho demands a value and none of ours goes there"),
    ],
)
async def test_each_thing_that_does_not_fit_is_found(zoho, module, name, change, told):
    if change is None:
        zoho.organisation.drop(module, name)
    else:
        zoho.organisation.change(module, name, **change)

    assert any(told in str(found) for found in await findings(zoho))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({("contact", "mobile"): "Phone"}, "Contacts, phone: Phone holds mobile already"),
        ({("deal", "aum"): "Amount"}, "Amount is of the type currency, wanted is picklist or text or textarea"),
        ({("contact", "last_name"): ""}, "Contacts, last name: it has no field in Zoho"),
        ({("deal", "description_of_reqs"): ""}, "no place in a deal for the reference"),
    ],
)
async def test_a_map_that_cannot_work_is_found(zoho, changed, told):
    assert any(told in str(found) for found in await findings(zoho, FieldMap(changed)))


async def test_a_source_is_looked_for_under_the_name_that_it_is_given_in_zoho(zoho):
    sources = FieldMap(sources={"Email Inbound": "E-Mail", "Referral": "Friend"})

    told = "\n".join(map(str, await findings(zoho, sources)))

    assert "“E-Mail”" in told and "“Friend”" in told and "in the admin, under CRM, Zoho sources" in told


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (None, "the organisation has no field Intake_Key"),
        (Field(KEY_FIELD, length=255), "Intake_Key is not unique"),
        (Field(KEY_FIELD, length=10, unique=True), "Intake_Key is not a text of at least 20 characters"),
    ],
)
async def test_the_key_field_has_to_be_there_unique_and_long_enough(zoho, field, told):
    if field:
        zoho.organisation.put("Deals", field)

    (found,) = await findings(zoho, FieldMap(key_field=KEY_FIELD))

    assert found.severity == "error" and told in str(found) and "ZOHO_DEAL_KEY_FIELD" in found.remedy
