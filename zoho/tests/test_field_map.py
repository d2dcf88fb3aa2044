"""The field map as administrators see and change it."""

import pytest

from zoho.fieldmap import DEFAULTS
from zoho.models import FieldTarget, SourceName, stored_field_map

pytestmark = pytest.mark.django_db
LIST = "/admin/zoho/fieldtarget/"


def form_of(rows, **changes):
    """The admin's list as its form is sent."""
    total = len(rows)
    sent = {"form-TOTAL_FORMS": total, "form-INITIAL_FORMS": total, "_save": "Save"}
    for number, row in enumerate(rows):
        sent[f"form-{number}-id"] = row.pk
        sent[f"form-{number}-api_name"] = changes.get(f"{row.record}.{row.field}", row.api_name)
    return sent


def test_every_field_of_ours_has_a_row_with_zohos_name(admin_client):
    page = admin_client.get(LIST).content.decode()

    assert FieldTarget.objects.count() == sum(len(fields) for fields in DEFAULTS.values())
    assert "Contingency_Description" in page and "Check against Zoho" in page
    assert stored_field_map(None).targets("contact")["email"] == "Email"


def test_what_an_administrator_changes_is_what_is_written_next(admin_client):
    rows = list(FieldTarget.objects.all())

    admin_client.post(LIST, form_of(rows, **{"deal.aum": "AUM__c", "contact.linkedin_url": ""}))
    referral = SourceName.objects.get(ours="Referral")
    admin_client.post(f"/admin/zoho/sourcename/{referral.pk}/change/", {"theirs": "Friend"})

    field_map = stored_field_map("Intake_Key")
    assert field_map.target("deal", "aum") == "AUM__c"
    assert "linkedin_url" not in field_map.targets("contact")
    assert (field_map.sources["Referral"], field_map.sources["Email Inbound"]) == ("Friend", "Other")
    assert field_map.key_field == "Intake_Key"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"contact.last_name": ""}, "cannot be written without this field"),
        ({"contact.phone": "not a name"}, "letters, digits and underscores only"),
    ],
)
def test_a_map_that_cannot_work_is_refused(admin_client, changes, told):
    rows = list(FieldTarget.objects.all())

    page = admin_client.post(LIST, form_of(rows, **changes)).content.decode()

    assert told in page
    assert stored_field_map(None).target("contact", "phone") == "Phone"


def test_rows_can_be_neither_added_nor_deleted(admin_client):
    row = FieldTarget.objects.first()

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_check_says_when_zoho_is_not_set_up(admin_client):
    page = admin_client.post(f"{LIST}check/", follow=True).content.decode()

    assert "Zoho is not set up" in page
