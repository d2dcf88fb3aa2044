"""Runs without a server: a CRM that fails, a worker that is replaced, a bug, a full disk."""

import asyncio
import time

import orjson
import pytest
from django.db import OperationalError

from extraction.errors import CrmRejected, CrmUnavailable
from extraction.pipeline import Tools
from extraction.types import Corrections, Email, OwnFirm
from streaming.callers import Caller
from streaming.models import Run, Step
from streaming.problems import Problem
from streaming.runs import Runs, touch
from streaming.tests.conftest import followed
from streaming.worker import MOST_ATTEMPTS, RunWorker
from wellintake.memory import StoredMemory
from zoho.embedded import EmbeddedCrm
from zoho.models import Account, Contact, Deal, Note

CALLER = Caller(subject="key:one", tenant="firm", name="One")
MAIL = Email(
    sender_email="jane.roe@acmewealth.example",
    sender_name="Jane Roe",
    subject="Hello",
    body="My name is Jane Roe, Senior Advisor at Acme Wealth in Fort Wayne, Indiana. Call me at (260) 555-0144.",
)


class StumblingCrm(EmbeddedCrm):
    """The embedded CRM behind a bad line: it fails before or after the write, as often as it is told."""

    before: dict = {}
    after: dict = {}

    def _stumble(self, when, doing):
        error = when.pop(doing, None)
        if error:
            raise error

    async def upsert(self, record, key):
        self._stumble(self.before, record.step)
        stored = await super().upsert(record, key)
        self._stumble(self.after, record.step)
        return stored

    async def undo(self, step, stored):
        self._stumble(self.before, f"undo {step}")
        undone = await super().undo(step, stored)
        self._stumble(self.after, f"undo {step}")
        return undone


class Office:
    """Runs and one worker, without a queue: submitted runs wait in `queue`."""

    research = None

    def __init__(self, log, threads):
        self.write, self.read = threads
        self.queue = []
        self.crm = StumblingCrm(self.write)
        self.crm.before, self.crm.after = {}, {}
        self.memory = StoredMemory(self.write, self.read)
        self.log = log
        self.runs = self.new_runs()
        self.worker = RunWorker(self.runs, self.crm, self.write)

    def new_runs(self):
        async def submit(run_id, state):
            self.queue.append(run_id)

        tools = Tools(own=OwnFirm(), crm=self.crm, memory=self.memory, research=self.research)
        return Runs(self.log, self.write, self.read, tools, submit, limit=3)

    async def start(self, email=MAIL, mode="auto", **given):
        return (await self.runs.start(email, CALLER, mode, **given)).run_id

    async def work(self):
        while self.queue:
            await self.worker.process(self.queue.pop(0))

    async def types(self, run_id):
        page = await self.log.read(run_id, limit=1000)
        assert [entry.sequence for entry in page.entries] == list(range(1, page.run.last_sequence + 1))
        return [entry.type for entry in page.entries]

    async def state(self, run_id):
        return (await self.runs.visible(run_id, CALLER)).state

    async def stored(self):
        return await self.read(lambda: [model.objects.count() for model in (Account, Contact, Deal, Note)])


@pytest.fixture
def office(log, threads):
    return Office(log, threads)


@pytest.mark.parametrize("step", ["account", "contact", "deal", "note"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_save_that_is_cut_anywhere_goes_on_there_and_writes_everything_once(office, step, when):
    getattr(office.crm, when)[step] = CrmUnavailable()
    run_id = await office.start()
    await office.work()
    assert await office.state(run_id) == "failed"

    await office.runs.retry(run_id, CALLER)
    await office.work()

    types = await office.types(run_id)
    assert await office.state(run_id) == "complete"
    assert await office.stored() == [1, 1, 1, 1]
    assert [kind for kind in types if kind in ("error", "complete")] == ["error", "complete"]
    assert types.count("zoho_progress") == 4
    assert types.count("zoho_complete") == 1


async def test_a_refusal_for_good_closes_the_run(office):
    office.crm.before["deal"] = CrmRejected()
    run_id = await office.start()
    await office.work()

    (*_, last) = await followed(office.log, run_id)

    assert (last.type, orjson.loads(last.data)["retryable"]) == ("error", False)
    with pytest.raises(Problem) as refused:
        await office.runs.retry(run_id, CALLER)
    assert refused.value.status == 409


async def test_a_bug_ends_the_run_visibly_and_says_nothing_of_itself(office, monkeypatch):
    async def broken(*given):
        raise ZeroDivisionError("the secret of Jane Roe")

    run_id = await office.start()
    office.worker = RunWorker(office.runs, office.crm, office.write, broken)
    await office.work()

    (entry,) = (await office.log.read(run_id)).entries
    assert entry.type == "error"
    assert "Jane" not in entry.data
    assert orjson.loads(entry.data)["code"] == "internal"


async def test_a_run_that_never_ends_is_given_up_visibly(office, threads):
    run_id = await office.start()
    await threads[0](lambda: Run.objects.update(attempts=MOST_ATTEMPTS))

    await office.work()

    assert orjson.loads((await office.log.read(run_id)).entries[-1].data)["code"] == "too_many_attempts"


async def test_a_database_that_fails_leaves_the_run_for_the_sweep(office, threads, monkeypatch):
    from streaming import log as module

    insert = module.insert

    def full(batches):
        raise OperationalError("database or disk is full")

    run_id = await office.start()
    monkeypatch.setattr(module, "insert", full)
    monkeypatch.setattr("wellintake.database.RETRY_SECONDS", 0.0)
    await office.work()
    assert await office.state(run_id) == "queued"

    monkeypatch.setattr(module, "insert", insert)
    await threads[0](lambda: Run.objects.update(touched_at=time.time() - 60))
    await office.worker.sweep()
    await office.work()

    assert await office.state(run_id) == "complete"
    assert await office.stored() == [1, 1, 1, 1]


async def test_the_sweep_leaves_alone_what_is_alive(office, threads):
    run_id = await office.start()
    office.queue.clear()
    await threads[0](lambda: Run.objects.update(touched_at=time.time() - 60, lease=1))
    await threads[0](touch, {run_id: 1})

    await office.worker.sweep()

    assert office.queue == []


async def test_two_workers_of_one_run_write_one_log(office, log, threads):
    run_id = await office.start()
    other = RunWorker(office.new_runs(), office.crm, office.write)

    await asyncio.gather(office.worker.process(run_id), other.process(run_id))
    await office.runs.resubmit_left_behind(-60)
    await office.work()

    types = await office.types(run_id)
    assert await office.state(run_id) == "complete"
    assert types.count("complete") == 1
    assert await office.stored() == [1, 1, 1, 1]


async def test_save_approves_with_corrections_and_a_second_click_changes_nothing(office):
    run_id = await office.start(mode="review")
    await office.work()
    given = Corrections.model_validate({"people": [{"index": 0, "contact": {"first_name": "Janet"}}]})

    states = [await office.runs.save(run_id, CALLER, given) for _ in range(2)]
    await office.work()
    states.append(await office.runs.save(run_id, CALLER, Corrections()))

    assert states == ["saving", "saving", "complete"]
    assert await office.stored() == [1, 1, 1, 1]
    assert await office.read(lambda: Contact.objects.get().first_name) == "Janet"


async def test_a_save_that_follows_review_at_once_is_not_lost(office):
    run_id = await office.start(mode="review")
    office.queue.clear()
    extracting = asyncio.create_task(office.worker.process(run_id))
    async for items in office.log.follow(run_id):
        if items and items[-1].type == "review_ready":
            await office.runs.save(run_id, CALLER, Corrections())
            await office.work()
            break

    await extracting
    assert await office.state(run_id) == "complete"


async def test_the_same_deal_of_another_mail_is_a_duplicate_that_may_be_saved_all_the_same(office):
    await office.start()
    await office.work()
    second = await office.start(MAIL.model_copy(update={"subject": "Hello again"}))
    await office.work()

    assert "duplicate_found" in await office.types(second)
    assert await office.state(second) == "review"
    with pytest.raises(Problem) as refused:
        await office.runs.save(second, CALLER, Corrections())
    assert (refused.value.status, refused.value.code) == (409, "duplicate_found")
    await office.runs.save(second, CALLER, Corrections(allow_duplicate=True))
    await office.work()

    assert await office.state(second) == "complete"
    assert await office.stored() == [1, 1, 2, 2]


async def test_a_deal_that_came_into_the_crm_during_the_review_is_found_by_the_save(office):
    waiting = await office.start(mode="review")
    await office.work()
    await office.start(MAIL.model_copy(update={"subject": "Hello again"}))
    await office.work()
    assert "duplicate_found" not in await office.types(waiting)

    with pytest.raises(Problem) as refused:
        await office.runs.save(waiting, CALLER, Corrections())

    deal = await office.read(lambda: str(Deal.objects.get().pk))
    assert refused.value.errors == [{"field": "people.0", "code": "duplicate", "message": deal}]


async def test_a_match_of_values_that_the_user_has_replaced_is_no_duplicate(office):
    await office.start()
    await office.work()
    second = await office.start(MAIL.model_copy(update={"subject": "Hello again"}))
    await office.work()
    other = {"people": [{"index": 0, "contact": {"email": "john@other.example"}}]}

    await office.runs.save(second, CALLER, Corrections.model_validate(other))
    await office.work()

    assert await office.stored() == [1, 2, 2, 2]


async def test_a_crm_that_cannot_be_asked_leaves_what_was_known(office, monkeypatch):
    await office.start()
    await office.work()
    second = await office.start(MAIL.model_copy(update={"subject": "Hello again"}))
    await office.work()

    async def out_of_reach(person):
        raise CrmUnavailable

    monkeypatch.setattr(office.crm, "find", out_of_reach)
    with pytest.raises(Problem) as refused:
        await office.runs.save(second, CALLER, Corrections())
    assert refused.value.code == "duplicate_found"


async def test_cancel_is_final_and_idempotent_and_the_worker_stops_quietly(office):
    run_id = await office.start(mode="review")
    assert [await office.runs.cancel(run_id, CALLER) for _ in range(2)] == ["cancelled", "cancelled"]
    await office.work()

    assert await office.types(run_id) == ["cancelled"]


async def test_what_is_being_saved_cannot_be_cancelled(office):
    run_id = await office.start(mode="review")
    await office.work()
    await office.runs.save(run_id, CALLER, Corrections())

    with pytest.raises(Problem) as refused:
        await office.runs.cancel(run_id, CALLER)

    assert refused.value.code == "not_cancellable"


async def test_a_stranger_sees_nothing(office):
    run_id = await office.start()

    for stranger in (None, Caller("key:two", "elsewhere"), Caller("key:one", "firm", run_id="another")):
        with pytest.raises(Problem) as refused:
            await office.runs.visible(run_id, stranger)
        assert refused.value.status == 404


async def test_corrections_that_come_with_the_mail_hold_in_mode_auto_too(office):
    given = {"people": [{"index": 0, "skip": True}], "attachments": []}
    run_id = await office.start(MAIL.model_copy(update={"user_corrections": Corrections.model_validate(given)}))
    await office.work()

    assert await office.state(run_id) == "review"
    assert await office.stored() == [0, 0, 0, 0]


async def test_a_save_of_what_was_cancelled_meanwhile_is_refused(office, monkeypatch):
    run_id = await office.start(mode="review")
    await office.work()
    check = office.runs._check

    async def check_and_be_overtaken(*given):
        await check(*given)
        await office.runs.cancel(run_id, CALLER)

    monkeypatch.setattr(office.runs, "_check", check_and_be_overtaken)

    with pytest.raises(Problem) as refused:
        await office.runs.save(run_id, CALLER, Corrections())
    assert refused.value.code == "not_in_review"


async def test_a_preview_writes_nothing_anywhere(office):
    run_id = await office.start(mode="preview")
    await office.work()

    assert await office.state(run_id) == "complete"
    assert await office.stored() == [0, 0, 0, 0]
    assert not await office.read(Step.objects.filter(name__startswith="save").count)


async def test_a_run_knows_whose_it_is_how_long_its_first_outcome_took_and_why_it_failed(office):
    office.crm.before["deal"] = CrmUnavailable()
    run_id = await office.start()
    await office.work()
    failed = await office.runs.visible(run_id, CALLER)
    await office.runs.retry(run_id, CALLER)
    await office.work()
    saved = await office.runs.visible(run_id, CALLER)

    assert (failed.owner_name, failed.state, failed.error_code) == ("One", "failed", "crm_unavailable")
    assert 0 < failed.seconds == saved.seconds
    assert (saved.state, saved.error_code) == ("complete", None)
    assert saved.saved_at == saved.saving_at == failed.saved_at
