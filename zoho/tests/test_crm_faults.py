"""Whatever goes wrong on the way to Zoho, and wherever: after a retry there is exactly one of each."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import stamina

from extraction import records
from extraction.errors import CrmError
from zoho.fieldmap import FieldMap
from zoho.tests.fake_zoho import FakeZoho
from zoho.tests.filed import JANE, STEPS, filed, person
from zoho.tests.held import AskedTokens, BehindZoho, crm_behind, with_key_field

KINDS = ("429", "500", "cut_before", "cut_after", "spent", "refused")
ONE_SET = [1, 1, 1, 1, 2]  # two files
LAG_SECONDS = 60  # a search sees nothing of what was written


@pytest.fixture(autouse=True)
def no_pauses():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(params=["a key field", "no key field"])
async def office(request):
    async with AsyncExitStack() as stack:
        yield Office(stack, has_key_field=request.param == "a key field")


class Office:
    """Gives a Zoho of its own to every round."""

    def __init__(self, stack, has_key_field):
        self._stack, self._has_key_field = stack, has_key_field

    async def zoho(self):
        zoho = await self._stack.enter_async_context(FakeZoho.serving())
        self._field_map = with_key_field(zoho) if self._has_key_field else FieldMap()
        return zoho

    async def crm(self, zoho, **given):
        return await self._stack.enter_async_context(crm_behind(zoho, self._field_map, patience=0.3, **given))

    async def counts(self, zoho):
        held = BehindZoho(zoho, None, self._field_map)
        return [len(await held.rows(step)) for step in STEPS]

    async def calls_of_a_save(self):
        zoho = await self.zoho()
        await saved(await self.crm(zoho))
        return list(dict.fromkeys(zoho.calls))


async def saved(crm):
    await crm.find(person(**JANE))
    stored = await filed(crm)
    file = records.File("photo.png", "image/png", 1, b"png", deal_id=stored["deal"].id)
    return {**stored, "photo": await crm.upsert(file, "mail.0.attachment.1")}


@pytest.mark.parametrize("kind", KINDS)
async def test_one_fault_at_any_call_leaves_one_set(office, kind):
    for call in await office.calls_of_a_save():
        zoho = await office.zoho()
        crm = await office.crm(zoho)
        zoho.fail(kind, on=call)

        for _ in range(2):
            try:
                await saved(crm)
            except CrmError as error:
                assert kind == "refused" or "oauth" in call, (call, error)

        assert await office.counts(zoho) == ONE_SET, call


@pytest.mark.parametrize("kind", ["500", "cut_before", "cut_after"])
async def test_faults_that_last_fail_the_save_and_another_process_goes_on(office, kind):
    for call in await office.calls_of_a_save():
        zoho = await office.zoho()
        zoho.search_lag = LAG_SECONDS
        fault = zoho.fail(kind, on=call, times=None)
        try:
            await saved(await office.crm(zoho))
        except CrmError as error:
            assert error.retryable, call
        fault.times = 0

        await saved(await office.crm(zoho))

        assert await office.counts(zoho) == ONE_SET, call


async def test_a_process_that_dies_at_any_call_leaves_one_set_to_the_next(office):
    for number in range(1, len(await office.calls_of_a_save()) + 1):
        zoho = await office.zoho()
        zoho.search_lag = LAG_SECONDS
        dying = asyncio.create_task(saved(await office.crm(zoho)))
        while len(zoho.calls) < number and not dying.done():
            await asyncio.sleep(0)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)

        await saved(await office.crm(zoho))

        assert await office.counts(zoho) == ONE_SET, zoho.calls


async def test_what_a_lost_answer_had_created_is_told_as_created_and_can_be_undone(office):
    zoho = await office.zoho()
    crm = await office.crm(zoho)
    for call in ("POST /Accounts", "POST /Contacts", "POST /Deals", "POST /Notes"):
        zoho.fail("cut_after", on=call)

    stored = await filed(crm)
    assert {stored[step].action for step in STEPS} == {"created"}
    undone = [(await crm.undo(step, stored[step])).outcome for step in reversed(STEPS)]

    assert undone == ["deleted"] * 5


async def test_a_fill_whose_answer_is_lost_is_told_with_what_was_there_before(office):
    zoho = await office.zoho()
    crm = await office.crm(zoho)
    jane = records.Contact("Roe", email="jane@acme.example")
    await crm.upsert(jane, "one")
    zoho.fail("cut_after", on="PUT /Contacts")

    filled = await crm.upsert(records.Contact("Roe", email="jane@acme.example", phone="+12605550144"), "two")

    assert (filled.action, filled.before) == ("updated", {"phone": None})
    assert (await crm.undo("contact", filled)).outcome == "restored"


@pytest.mark.parametrize("kind", ["500", "cut_before", "cut_after"])
async def test_an_undo_that_is_cut_gives_the_same_the_second_time(office, kind):
    zoho = await office.zoho()
    crm = await office.crm(zoho)
    stored = await filed(crm)
    fault = zoho.fail(kind, on="DELETE", times=None)

    for step in reversed(STEPS):
        try:
            await crm.undo(step, stored[step])
        except CrmError as error:
            assert error.retryable
    fault.times = 0
    again = [(await crm.undo(step, stored[step])).outcome for step in reversed(STEPS)]

    assert again == ["deleted"] * 5
    assert await office.counts(zoho) == [0, 0, 0, 0, 0]


async def test_many_mails_at_once_in_a_storm_of_refusals_are_all_there_once(office):
    zoho = await office.zoho()
    tokens = AskedTokens(zoho)
    crm = await office.crm(zoho, tokens=tokens)
    await crm.check()
    zoho.latency = 0.002
    zoho.fail("429", on="POST", times=20, retry_after=0)

    async def mail(number):
        for _ in range(10):
            try:
                return await filed(crm, f"mail{number}.0", f"jane{number}@acme.example")
            except CrmError as error:
                assert error.retryable
        raise AssertionError("A save was lost.")

    await asyncio.gather(*(mail(number) for number in range(20)))

    assert await office.counts(zoho) == [1, 20, 20, 20, 20]
    assert zoho.peak <= 10


async def test_a_new_contact_costs_six_calls_of_which_three_in_sequence_before_the_deal(office):
    zoho = await office.zoho()
    crm = await office.crm(zoho)
    await crm.check()
    zoho.calls.clear()

    await crm.find(person(**JANE))
    await crm.find(person(**JANE))  # again when the user saves
    await filed(crm)

    searches, writes = sorted(zoho.calls[:2]), [call.split("/")[1] for call in zoho.calls[2:]]
    assert searches == ["GET /Accounts/search", "GET /Contacts/search"]
    assert writes == ["Accounts", "Contacts", "Deals", "Notes", "Deals"]  # the last one is the file
