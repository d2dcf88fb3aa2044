"""The promise of the `Crm` port, kept by the embedded CRM."""

import asyncio
import time

import pytest

from extraction import records
from extraction.types import FieldValue, Person
from wellintake.database import DatabaseThreads
from zoho.embedded import EmbeddedCrm
from zoho.models import Account, Attachment, Contact, Deal


@pytest.fixture
def database(transactional_db):
    threads = DatabaseThreads("test")
    yield threads
    threads.close()


@pytest.fixture
def crm(database):
    return EmbeddedCrm(database, "https://crm.example")


def person(**values):
    places = {"email": "contact", "job_title": "deal", "company_name": "company"}
    fields = [
        FieldValue(record=places[name], field=name, value=value, confidence=0.9, origin="pattern")
        for name, value in values.items()
    ]
    return Person(index=0, fields=tuple(fields))


async def filed(crm, key="k", **deal):
    account = await crm.upsert(records.Account(company_name="Acme Wealth"), f"{key}:account")
    contact = await crm.upsert(
        records.Contact(last_name="Roe", email="jane@acme.example", account_id=account.id), f"{key}:contact"
    )
    given = {"deal_name": "Advisor - Acme Wealth", "job_title": "Advisor"} | deal
    return await crm.upsert(records.Deal(account_id=account.id, contact_id=contact.id, **given), f"{key}:deal")


async def test_the_same_key_gives_the_same_record(crm, database):
    first = await filed(crm)
    second = await filed(crm)

    assert (first.action, second.action, first.id) == ("created", "reused", second.id)
    assert await database(lambda: [m.objects.count() for m in (Account, Contact, Deal)]) == [1, 1, 1]
    assert first.url == f"https://crm.example/admin/zoho/deal/{first.id}/change/"


async def test_two_users_who_save_the_same_mail_at_once_get_one_set(crm, database):
    deals = await asyncio.gather(*(filed(crm) for _ in range(5)))

    assert len({deal.id for deal in deals}) == 1
    assert await database(lambda: [m.objects.count() for m in (Account, Contact, Deal)]) == [1, 1, 1]


async def test_a_known_contact_is_reused_and_only_its_empty_fields_are_filled(crm, database):
    await crm.upsert(records.Contact(last_name="Roe", email="Jane@acme.example", title="Partner"), "one")

    again = await crm.upsert(
        records.Contact(last_name="Roe-Smith", email="jane@ACME.example", title="Advisor", phone="+12605550144"), "two"
    )

    stored = await database(Contact.objects.get)
    assert (again.action, again.before) == ("updated", {"phone": None})
    assert (stored.last_name, stored.title, stored.phone) == ("Roe", "Partner", "+12605550144")


async def test_people_without_an_address_are_never_taken_for_one_another(crm, database):
    for key in ("one", "two"):
        await crm.upsert(records.Contact(last_name="Roe"), key)

    assert await database(Contact.objects.count) == 2


async def test_a_firm_is_known_by_its_name_in_whatever_case(crm):
    first = await crm.upsert(records.Account(company_name="Acme Wealth"), "one")
    second = await crm.upsert(records.Account(company_name="ACME wealth"), "two")

    assert (second.id, second.action) == (first.id, "reused")


async def test_a_deal_is_a_duplicate_only_if_open_recent_and_of_the_same_title_and_firm(crm, database):
    stored = await filed(crm)
    same = person(email="jane@acme.example", job_title="advisor", company_name="ACME WEALTH")
    other_title = person(email="jane@acme.example", job_title="Partner", company_name="Acme Wealth")

    async def modules(someone):
        return [match.module for match in await crm.find(someone)]

    assert await modules(same) == ["contact", "deal"]
    assert await modules(other_title) == ["contact"]
    assert await modules(person(email="nobody@acme.example")) == []
    await database(lambda: Deal.objects.update(created_at=time.time() - 31 * 86_400))
    assert await modules(same) == ["contact"]
    await database(lambda: Deal.objects.filter(pk=stored.id).update(created_at=time.time(), stage="Closed Lost"))
    assert await modules(same) == ["contact"]


async def test_an_attachment_keeps_its_bytes(crm, database):
    deal = await filed(crm)
    file = records.File("cv.pdf", "application/pdf", 0, b"%PDF-\x00\xff", deal.id)

    await crm.upsert(file, "file")

    stored = await database(Attachment.objects.get)
    assert (bytes(stored.content), stored.filename, str(stored.deal_id)) == (b"%PDF-\x00\xff", "cv.pdf", deal.id)
