"""The promise of the `Crm` port, kept by each CRM: the embedded one, and Zoho behind a server that behaves like it."""

import asyncio

import pytest

from extraction import records
from wellintake.database import DatabaseThreads
from zoho.fieldmap import FieldMap
from zoho.tests.fake_zoho import FakeZoho
from zoho.tests.filed import JANE, STEPS, filed, person
from zoho.tests.held import BehindZoho, Embedded, crm_behind, with_key_field


@pytest.fixture
def database(transactional_db):
    threads = DatabaseThreads("test")
    yield threads
    threads.close()


@pytest.fixture(params=["embedded", "zoho with a key field", "zoho without"])
async def held(request, database):
    if request.param == "embedded":
        yield Embedded(database)
        return
    async with FakeZoho.serving() as zoho:
        field_map = with_key_field(zoho) if request.param == "zoho with a key field" else FieldMap()
        async with crm_behind(zoho, field_map) as crm:
            yield BehindZoho(zoho, crm, field_map)
        assert [stray for stray in zoho.strays if " sent" in stray] == []


async def counts(held):
    return [len(await held.rows(step)) for step in STEPS]


async def test_a_save_gives_one_record_of_each_kind_that_belong_together(held):
    stored = await filed(held.crm)

    (contact,), (deal,), (note,) = [await held.rows(step) for step in ("contact", "deal", "note")]
    assert [stored[step].action for step in STEPS] == ["created"] * 5
    assert (contact["last_name"], contact["account_id"]) == ("Roe", stored["account"].id)
    assert (deal["contact_id"], deal["account_id"]) == (stored["contact"].id, stored["account"].id)
    assert (deal["pipeline"], deal["stage"], deal["source"]) == ("Sales Pipeline", "Lead", "Referral")
    assert note["content"].startswith("What the mail said")
    assert stored["deal"].url.startswith("https://crm.example/") and stored["deal"].id in stored["deal"].url
    assert await held.files(stored["deal"].id) == {"cv.pdf": b"%PDF-\x00\xff"}


async def test_the_same_key_gives_the_same_record(held):
    first = await filed(held.crm)

    second = await filed(held.crm)

    assert {step: second[step].id for step in STEPS} == {step: first[step].id for step in STEPS}
    assert await counts(held) == [1, 1, 1, 1, 1]


async def test_users_who_save_the_same_mail_at_once_get_one_set(held):
    saves = await asyncio.gather(*(filed(held.crm) for _ in range(4)))

    assert len({stored["deal"].id for stored in saves}) == 1
    assert await counts(held) == [1, 1, 1, 1, 1]


async def test_another_mail_of_the_same_person_gives_another_deal_and_no_other_person(held):
    await filed(held.crm, "one")

    again = await filed(held.crm, "two")

    assert [again[step].action for step in STEPS] == ["reused", "reused", "created", "created", "created"]
    assert await counts(held) == [1, 1, 2, 2, 2]


async def test_a_known_contact_is_reused_and_only_its_empty_fields_are_filled(held):
    await held.crm.upsert(records.Contact("Roe", email="Jane@acme.example", title="Partner"), "one")

    again = await held.crm.upsert(
        records.Contact("Roe-Smith", email="jane@ACME.example", title="Advisor", phone="+12605550144"), "two"
    )

    (contact,) = await held.rows("contact")
    assert (again.action, again.before) == ("updated", {"phone": None})
    assert (contact["last_name"], contact["title"], contact["phone"]) == ("Roe", "Partner", "+12605550144")


async def test_people_without_an_address_are_never_taken_for_one_another(held):
    account = await held.crm.upsert(records.Account("Acme Wealth"), "account")
    for key in ("one", "two", "one"):
        await held.crm.upsert(records.Contact("Roe", account_id=account.id), key)
        await held.crm.upsert(records.Contact("Doe"), f"{key} without a firm")

    assert sorted(contact["last_name"] for contact in await held.rows("contact")) == ["Doe", "Doe", "Roe", "Roe"]


async def test_a_firm_is_known_by_its_whole_name_in_whatever_case(held):
    first = await held.crm.upsert(records.Account("Hart, Lowe & Co. (NY)"), "one")
    again = await held.crm.upsert(records.Account("hart, lowe & co. (ny)"), "two")
    other = await held.crm.upsert(records.Account("Hart, Lowe & Co."), "three")

    assert (again.id, again.action) == (first.id, "reused")
    assert (other.id == first.id, other.action) == (False, "created")


async def test_a_deal_is_a_duplicate_only_if_open_recent_and_of_the_same_title_and_firm(held):
    deal = (await filed(held.crm))["deal"]

    async def modules(**changes):
        return [match.module for match in await held.crm.find(person(**JANE | changes))]

    assert await modules() == ["contact", "deal"]
    assert await modules(job_title="ADVISOR", company_name="ACME WEALTH") == ["contact", "deal"]
    assert await modules(job_title="Partner") == ["contact"]
    assert await modules(company_name="Acme") == ["contact"]
    assert await modules(email="nobody@acme.example") == []
    await held.age(deal.id, days=31)
    assert await modules() == ["contact"]
    await held.age(deal.id, days=1)
    await held.change("deal", deal.id, stage="Closed Lost")
    assert await modules() == ["contact"]


async def test_a_match_shows_what_the_crm_holds(held):
    stored = await filed(held.crm)

    contact, deal = await held.crm.find(person(**JANE))

    assert (contact.id, contact.url, contact.matched_on) == (stored["contact"].id, stored["contact"].url, "email")
    assert (contact.record["first_name"], contact.record["last_name"]) == ("Jane", "Roe")
    assert deal.record["deal_name"] == "Advisor (Fort Wayne, IN) - Acme Wealth"


# ---------------------------------------------------------------- undo


async def undone(crm, stored):
    return [(await crm.undo(step, stored[step])).outcome for step in reversed(STEPS)]


async def test_undo_deletes_what_a_save_has_created_and_can_be_told_twice(held):
    stored = await filed(held.crm)

    assert await undone(held.crm, stored) == ["deleted"] * 5
    assert await undone(held.crm, stored) == ["deleted"] * 5
    assert await counts(held) == [0, 0, 0, 0, 0]


async def test_after_undo_the_same_mail_can_be_saved_again(held):
    await undone(held.crm, await filed(held.crm))

    again = await filed(held.crm)

    assert {again[step].action for step in STEPS} == {"created"}
    assert await counts(held) == [1, 1, 1, 1, 1]


async def test_undo_empties_what_was_filled_and_can_be_told_twice(held):
    await held.crm.upsert(records.Contact("Roe", email="jane@acme.example", title="Partner"), "one")
    filled = await held.crm.upsert(records.Contact("Roe", email="jane@acme.example", phone="+12605550144"), "two")

    outcomes = [(await held.crm.undo("contact", filled)).outcome for _ in range(2)]

    (contact,) = await held.rows("contact")
    assert outcomes == ["restored", "restored"]
    assert (contact["title"], contact.get("phone")) == ("Partner", None)


async def test_undo_keeps_what_somebody_has_changed_since_and_says_so(held):
    created = (await filed(held.crm))["deal"]
    filled = await held.crm.upsert(records.Contact("Roe", email="jane@acme.example", phone="+12605550144"), "two")
    await held.change("deal", created.id, stage="Engaged")
    await held.change("contact", filled.id, phone="+12605550199")

    kept = [await held.crm.undo("deal", created), await held.crm.undo("contact", filled)]

    (deal,), (contact,) = [await held.rows(step) for step in ("deal", "contact")]
    assert [undo.outcome for undo in kept] == ["kept", "kept"] and all(undo.reason for undo in kept)
    assert (deal["stage"], contact["phone"]) == ("Engaged", "+12605550199")


async def test_undo_keeps_a_firm_and_a_person_that_others_have_used_since(held):
    first = await filed(held.crm, "one")
    await filed(held.crm, "two")

    outcomes = await undone(held.crm, first)

    assert outcomes == ["deleted", "deleted", "deleted", "kept", "kept"]
    assert await counts(held) == [1, 1, 1, 1, 1]


async def test_undo_keeps_what_was_there_before(held):
    await filed(held.crm, "one")
    reused = await held.crm.upsert(records.Account("Acme Wealth"), "two")

    kept = await held.crm.undo("account", reused)

    assert kept.outcome == "kept" and kept.reason
    assert len(await held.rows("account")) == 1
