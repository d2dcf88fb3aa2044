"""The promise of the `Crm` port, kept by the embedded CRM."""

import asyncio
import time

import pytest
from django.db import IntegrityError, OperationalError

from extraction import records
from extraction.errors import CrmRejected, CrmUnavailable
from extraction.ports import Undone
from extraction.types import FieldValue, Person
from wellintake.database import DatabaseThreads
from zoho import embedded
from zoho.embedded import EmbeddedCrm
from zoho.models import Account, Attachment, Contact, Deal, Note


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

    assert (first.action, second.action, first.id) == ("created", "created", second.id)
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


@pytest.mark.parametrize(
    "record", [records.Account(company_name="Acme Wealth"), records.Contact(last_name="Roe", email="jane@acme.example")]
)
async def test_of_two_saves_that_both_found_nothing_the_slower_one_finds_the_others_record(crm, monkeypatch, record):
    first = await crm.upsert(record, "one")
    look, looks = embedded._held, []

    def look_too_early(*given):
        looks.append(given)
        return None if len(looks) == 1 else look(*given)

    monkeypatch.setattr(embedded, "_held", look_too_early)

    second = await crm.upsert(record, "two")

    assert (second.id, second.action, len(looks)) == (first.id, "reused", 2)


async def test_a_firm_and_an_address_are_there_once_whoever_enters_them(crm, database):
    await filed(crm)

    for entry in (
        lambda: Account.objects.create(company_name="ACME Wealth"),
        lambda: Contact.objects.create(email="Jane@acme.example"),
    ):
        with pytest.raises(IntegrityError):
            await database(entry)


async def test_what_the_user_chose_wins_over_what_the_crm_held(crm, database):
    await crm.upsert(records.Contact(last_name="Roe", email="jane@acme.example", title="Partner", city="Erie"), "one")
    chosen = records.Contact(
        last_name="Roe", email="jane@acme.example", title="Advisor", city="Gary", chosen=frozenset({"title"})
    )

    again = await crm.upsert(chosen, "two")

    stored = await database(Contact.objects.get)
    assert (again.action, again.before) == ("updated", {"title": "Partner"})
    assert (stored.title, stored.city) == ("Advisor", "Erie")


async def test_a_corrected_name_or_address_means_another_record_not_a_renamed_one(crm, database):
    chosen = frozenset({"company_name", "email"})
    first = await crm.upsert(records.Account("Acme Wealth"), "account")
    other = [await crm.upsert(records.Account("Beta Wealth", chosen=chosen), "account") for _ in range(2)]
    nameless = await crm.upsert(records.Contact("Roe"), "contact")
    named = await crm.upsert(records.Contact("Roe", email="jane@acme.example", chosen=chosen), "contact")
    someone = await crm.upsert(records.Contact("Poe", email="john@acme.example", chosen=chosen), "contact")

    names = await database(lambda: list(Account.objects.order_by("id").values_list("company_name", flat=True)))
    assert names == ["Acme Wealth", "Beta Wealth"]
    assert other[0].id == other[1].id != first.id
    assert nameless.id == named.id != someone.id


async def test_a_retry_hears_the_answer_that_a_cut_attempt_did_not(crm):
    await crm.upsert(records.Account(company_name="Acme Wealth"), "one")
    news = records.Account(company_name="Acme Wealth", website="acme.example")

    unheard = await crm.upsert(news, "two")
    heard = await crm.upsert(news, "two")

    assert heard == unheard
    assert heard.before == {"website": None}


@pytest.mark.parametrize(
    ("failure", "error"), [(OperationalError("disk is full"), CrmUnavailable), (IntegrityError("gone"), CrmRejected)]
)
async def test_a_database_that_fails_is_a_crm_that_fails(failure, error):
    async def broken(function, *given):
        raise failure

    with pytest.raises(error) as raised:
        await EmbeddedCrm(broken).upsert(records.Account(company_name="Acme Wealth"), "one")

    assert raised.value.__cause__ is failure
    assert "disk" not in str(raised.value)


# ---------------------------------------------------------------- taking back


async def test_what_a_save_created_is_deleted_in_reverse_order_and_twice_gives_the_same(crm, database):
    account = await crm.upsert(records.Account(company_name="Acme Wealth"), "k.account")
    contact = await crm.upsert(records.Contact(last_name="Roe", account_id=account.id), "k.contact")
    deal = await crm.upsert(records.Deal("Advisor", account_id=account.id, contact_id=contact.id), "k.deal")
    note = await crm.upsert(records.Note("Intake", "text", deal.id), "k.note")
    written = [("note", note), ("deal", deal), ("contact", contact), ("account", account)]

    outcomes = [await crm.undo(step, stored) for step, stored in written * 2]

    assert outcomes == [Undone("deleted")] * 8
    assert await database(lambda: [m.objects.count() for m in (Account, Contact, Deal, Note)]) == [0, 0, 0, 0]


async def test_what_somebody_changed_since_is_kept_and_they_are_told_why(crm, database):
    created = await crm.upsert(records.Account(company_name="Acme Wealth"), "one")
    filled = await crm.upsert(records.Account(company_name="Acme Wealth", website="acme.example"), "two")
    account = await database(Account.objects.get)
    account.phone = "+12605550144"
    await database(account.save)

    assert await crm.undo("account", filled) == embedded.CHANGED
    assert await crm.undo("account", created) == embedded.CHANGED
    assert await database(lambda: Account.objects.get().website) == "acme.example"


async def test_what_others_belong_to_is_kept(crm, database):
    account = await crm.upsert(records.Account(company_name="Acme Wealth"), "one")
    await crm.upsert(records.Contact(last_name="Poe", account_id=account.id), "of another mail")

    assert await crm.undo("account", account) == embedded.NEEDED


async def test_what_was_filled_is_emptied_again_and_what_was_there_before_stays(crm, database):
    reused = await crm.upsert(records.Account(company_name="Acme Wealth", city="Erie"), "one")
    filled = await crm.upsert(records.Account(company_name="Acme Wealth", website="acme.example"), "two")
    again = await crm.upsert(records.Account(company_name="Acme Wealth"), "three")

    assert [await crm.undo("account", filled) for _ in range(2)] == [Undone("restored")] * 2
    assert await crm.undo("account", again) == embedded.NOT_OURS

    account = await database(Account.objects.get)
    assert (str(account.pk), account.website, account.city) == (reused.id, None, "Erie")
    assert (await crm.upsert(records.Account(company_name="Acme Wealth"), "two")).action == "reused"


async def test_what_is_gone_cannot_be_restored(crm, database):
    await crm.upsert(records.Account(company_name="Acme Wealth"), "one")
    filled = await crm.upsert(records.Account(company_name="Acme Wealth", website="acme.example"), "two")
    await database(lambda: Account.objects.all().delete())

    assert await crm.undo("account", filled) == embedded.GONE
