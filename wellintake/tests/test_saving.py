"""A save that is cut, raced, taken back, and made again: what is in the CRM afterwards, and what the log says of it."""

import asyncio
import base64
import time

import orjson
import pytest

from extraction.errors import CrmRejected, CrmUnavailable
from extraction.followup import FollowUp
from extraction.ports import Stored
from extraction.types import Corrections, Email
from streaming.callers import Caller
from streaming.models import Run
from streaming.problems import Problem
from streaming.tests.conftest import followed
from streaming.worker import RunWorker
from wellintake.tests.test_runs import CALLER, MAIL, Office, office
from zoho.models import Account, Attachment, Contact, Deal, Note

__all__ = ["office"]

STEPS = ["account", "contact", "deal", "note", "attachment"]
CUTS = [(step, when) for step in STEPS for when in ("before", "after")]
CV = {"filename": "cv.txt", "content_type": "text/plain", "content_base64": base64.b64encode(b"CV").decode()}
WITH_FILE = Email.model_validate(MAIL.model_dump(exclude_unset=True) | {"attachments": [CV]})
NOTHING = [0, 0, 0, 0, 0]
ONE_SET = [1, 1, 1, 1, 1]


async def stored(office: Office) -> list[int]:
    models = (Account, Contact, Deal, Note, Attachment)
    return await office.read(lambda: [model.objects.count() for model in models])


async def saved(office, email=WITH_FILE) -> str:
    run_id = await office.start(email)
    await office.work()
    assert await office.state(run_id) == "complete"
    return run_id


async def undo(office, run_id) -> list[dict]:
    """What became of each record."""
    await office.runs.undo(run_id, CALLER)
    await office.work()
    return (await office.log.snapshot(run_id))[1]["undone"]


async def told(office, run_id, kind) -> list[dict]:
    entries = (await office.log.read(run_id, limit=1000)).entries
    return [orjson.loads(entry.data) for entry in entries if entry.type == kind]


async def go_on_elsewhere(office):
    """As another process does that finds a run without a sign of life."""
    await office.write(lambda: Run.objects.update(touched_at=time.time() - 60))
    await office.worker.sweep()
    await office.work()


# ---------------------------------------------------------------- the save


async def test_the_note_leads_back_to_the_run(office):
    office.worker = RunWorker(
        office.runs, office.crm, office.write, page_of=lambda run_id: f"https://here.example/{run_id}"
    )

    run_id = await saved(office)

    note = await office.read(Note.objects.get)
    assert f"Run: https://here.example/{run_id}" in note.content
    assert "Subject: " in note.content and "Name: Jane Roe" in note.content


@pytest.mark.parametrize(("step", "when"), CUTS)
async def test_a_process_killed_at_any_point_of_a_save_leaves_one_set_after_another_has_gone_on(office, step, when):
    getattr(office.crm, when)[step] = asyncio.CancelledError()  # the work ends here and nothing more is written
    run_id = await office.start(WITH_FILE)
    await office.work()
    assert await office.state(run_id) == "saving"

    await go_on_elsewhere(office)

    assert await office.state(run_id) == "complete"
    assert await stored(office) == ONE_SET
    assert [one["step"] for one in await told(office, run_id, "zoho_progress")] == STEPS
    assert {one["action"] for one in await told(office, run_id, "zoho_progress")} == {"created"}


async def test_a_save_that_fails_midway_says_what_is_stored_and_no_more(office):
    office.crm.before["deal"] = CrmUnavailable()
    run_id = await office.start(WITH_FILE)
    await office.work()

    assert [one["step"] for one in await told(office, run_id, "zoho_progress")] == ["account", "contact"]
    assert await told(office, run_id, "zoho_complete") == await told(office, run_id, "complete") == []
    assert [one["retryable"] for one in await told(office, run_id, "error")] == [True]
    assert await stored(office) == [1, 1, 0, 0, 0]


async def test_saves_of_many_mails_about_one_person_at_once_give_one_firm_and_one_contact(office):
    runs = [
        await office.start(MAIL.model_copy(update={"subject": f"Hello {n}", "allow_duplicate": True})) for n in range(3)
    ]

    await asyncio.gather(*(office.worker.process(run_id) for run_id in runs))

    assert {await office.state(run_id) for run_id in runs} == {"complete"}
    assert await stored(office) == [1, 1, 3, 3, 0]


async def test_two_users_who_save_the_same_message_at_once_get_one_set(office):
    message = WITH_FILE.model_copy(update={"internet_message_id": "<one@acme.example>"})
    other = Caller(subject="key:two", tenant="firm", name="Two")
    mine, theirs = [(await office.runs.start(message, caller, "review")).run_id for caller in (CALLER, other)]
    await office.work()

    await asyncio.gather(*(office.runs.save(mine, caller, Corrections()) for caller in (CALLER, other)))
    await office.work()

    assert mine == theirs
    assert await stored(office) == ONE_SET


async def test_what_the_user_corrected_wins_over_what_the_crm_held(office):
    await saved(office)
    await office.write(lambda: Contact.objects.update(title="Partner", city="Erie"))
    given = {"people": [{"index": 0, "contact": {"title": "Chief of Staff"}}], "allow_duplicate": True}
    again = await office.start(MAIL.model_copy(update={"subject": "Again"}), mode="review")
    await office.work()

    await office.runs.save(again, CALLER, Corrections.model_validate(given))
    await office.work()

    contact = await office.read(Contact.objects.get)
    assert (contact.title, contact.city) == ("Chief of Staff", "Erie")


# ---------------------------------------------------------------- taking it back


async def test_a_save_that_is_taken_back_leaves_nothing_and_the_run_in_review(office):
    run_id = await saved(office)
    end = (await office.log.snapshot(run_id))[0].last_sequence

    states = [await office.runs.undo(run_id, CALLER) for _ in range(2)]
    await office.work()

    events = (await office.log.read(run_id, end)).entries
    assert states == ["undoing", "undoing"]
    assert [event.type for event in events] == ["undo_start", *["undo_progress"] * 5, "undo_complete", "review_ready"]
    assert [one["step"] for one in await told(office, run_id, "undo_progress")] == STEPS[::-1]
    assert {one["outcome"] for one in await told(office, run_id, "undo_progress")} == {"deleted"}
    assert await told(office, run_id, "undo_start") == [
        {"message": "Taking the save back", "target": "embedded", "by": "One"}
    ]
    assert await stored(office) == NOTHING
    assert await office.runs.undo(run_id, CALLER) == "review"


async def test_what_was_taken_back_can_be_corrected_saved_and_taken_back_again(office):
    run_id = await saved(office)
    await undo(office, run_id)
    given = {"people": [{"index": 0, "contact": {"first_name": "Janet"}}]}

    await office.runs.save(run_id, CALLER, Corrections.model_validate(given))
    await office.work()

    assert await office.state(run_id) == "complete"
    assert await stored(office) == ONE_SET
    assert (await office.read(Contact.objects.get)).first_name == "Janet"
    assert len(await told(office, run_id, "zoho_start")) == len(await told(office, run_id, "zoho_complete")) == 2
    state = (await office.log.snapshot(run_id))[1]
    assert (state["status"], len(state["records"]), state["undone"]) == ("saved", 5, [])
    assert {one["outcome"] for one in await undo(office, run_id)} == {"deleted"}
    assert await stored(office) == NOTHING


@pytest.mark.parametrize("error", [CrmUnavailable(), asyncio.CancelledError()])
@pytest.mark.parametrize(("step", "when"), CUTS)
async def test_an_undo_that_is_cut_anywhere_goes_on_there(office, step, when, error):
    run_id = await saved(office)
    getattr(office.crm, when)[f"undo {step}"] = error
    await undo(office, run_id)
    assert await stored(office) != NOTHING or (step, when) == ("account", "after")

    if isinstance(error, CrmUnavailable):
        assert await office.state(run_id) == "failed"
        assert await office.runs.retry(run_id, CALLER) == "undoing"
        await office.work()
    else:
        await go_on_elsewhere(office)

    assert await office.state(run_id) == "review"
    assert await stored(office) == NOTHING
    assert [one["step"] for one in await told(office, run_id, "undo_progress")] == STEPS[::-1]
    assert {one["outcome"] for one in await told(office, run_id, "undo_progress")} == {"deleted"}


@pytest.mark.parametrize("error", [CrmUnavailable, CrmRejected])
@pytest.mark.parametrize(("step", "when"), CUTS)
async def test_half_a_save_can_be_taken_back_also_what_nobody_heard_the_answer_of(office, step, when, error):
    getattr(office.crm, when)[step] = error()
    run_id = await office.start(WITH_FILE)
    await office.work()
    assert await office.state(run_id) == "failed"

    await undo(office, run_id)

    assert await office.state(run_id) == "review"
    assert await stored(office) == NOTHING


async def test_a_record_that_the_crm_keeps_refusing_does_not_stand_in_the_way_of_the_undo(office, monkeypatch):
    upsert = office.crm.upsert

    async def refuse_deals(record, key):
        if record.step == "deal":
            raise CrmRejected
        return await upsert(record, key)

    monkeypatch.setattr(office.crm, "upsert", refuse_deals)
    run_id = await office.start(WITH_FILE)
    await office.work()

    outcomes = await undo(office, run_id)

    assert [one["module"] for one in outcomes] == ["contact", "account"]
    assert await stored(office) == NOTHING


async def test_a_file_that_the_crm_did_not_take_is_not_told_as_taken_back(office, monkeypatch):
    upsert = office.crm.upsert

    async def take_no_files(record, key):
        if record.step == "attachment":
            return Stored(record.deal_id, None, "skipped")
        return await upsert(record, key)

    monkeypatch.setattr(office.crm, "upsert", take_no_files)
    run_id = await saved(office)

    outcomes = await undo(office, run_id)

    assert [one["module"] for one in outcomes] == ["note", "deal", "contact", "account"]


async def test_what_somebody_changed_since_stays_and_each_record_says_what_became_of_it(office):
    run_id = await saved(office)
    deal = await office.read(Deal.objects.get)
    deal.stage = "Engaged"
    await office.write(deal.save)

    outcomes = {one["module"]: (one["outcome"], one["reason"]) for one in await undo(office, run_id)}

    assert outcomes == {
        "attachment": ("deleted", None),
        "note": ("deleted", None),
        "deal": ("kept", "Somebody has changed it since."),
        "contact": ("kept", "Other records belong to it."),
        "account": ("kept", "Other records belong to it."),
    }
    assert await stored(office) == [1, 1, 1, 0, 0]


async def test_what_was_kept_is_found_again_by_the_next_save(office):
    run_id = await saved(office)
    deal = await office.read(Deal.objects.get)
    deal.stage = "Engaged"
    await office.write(deal.save)
    await undo(office, run_id)

    await office.runs.save(run_id, CALLER, Corrections(allow_duplicate=True))
    await office.work()

    assert await stored(office) == ONE_SET
    assert (await office.read(Deal.objects.get)).stage == "Engaged"


async def test_a_contact_that_was_there_before_gets_back_what_it_held(office):
    await office.write(
        lambda: Contact.objects.create(last_name="Roe", email="jane.roe@acmewealth.example", title="Partner")
    )
    run_id = await saved(office)
    assert (await office.read(Contact.objects.get)).phone

    outcomes = {one["module"]: one["outcome"] for one in await undo(office, run_id)}

    contact = await office.read(Contact.objects.get)
    assert (outcomes["contact"], contact.title, contact.phone, contact.account_id) == (
        "restored",
        "Partner",
        None,
        None,
    )
    assert await stored(office) == [0, 1, 0, 0, 0]


async def test_two_people_of_one_firm_share_its_account_and_it_is_taken_back_once(office):
    run_id = await office.start(mode="review")
    await office.work()
    john = {
        "index": 1,
        "company": {"company_name": "ACME Wealth", "city": "Gary"},
        "contact": {"full_name": "John Poe", "email": "john@acmewealth.example"},
        "deal": {"target_title": "Advisor"},
    }
    jane = {"index": 0, "company": {"company_name": "Acme Wealth"}}
    await office.runs.save(run_id, CALLER, Corrections.model_validate({"people": [jane, john]}))
    await office.work()
    assert await stored(office) == [1, 2, 2, 2, 0]

    outcomes = await undo(office, run_id)

    assert await stored(office) == NOTHING
    assert [one["module"] for one in outcomes].count("account") == 1


async def test_undo_is_refused_in_clear_words_where_there_is_nothing_to_undo(office):
    preview = await office.start(mode="preview")
    saving = await office.start(MAIL.model_copy(update={"subject": "Other"}), mode="review")
    await office.work()
    await office.runs.save(saving, CALLER, Corrections())

    for run_id, code in ((preview, "nothing_to_undo"), (saving, "still_saving")):
        with pytest.raises(Problem) as refused:
            await office.runs.undo(run_id, CALLER)
        assert (refused.value.status, refused.value.code) == (409, code)
    with pytest.raises(Problem) as refused:
        await office.runs.undo(saving, Caller("key:two", "elsewhere"))
    assert refused.value.status == 404


async def test_half_a_save_of_a_mail_that_was_started_again_is_undone_there(office):
    message = WITH_FILE.model_copy(update={"internet_message_id": "<one@acme.example>"})
    office.crm.before["deal"] = CrmUnavailable()
    first = await office.start(message)
    await office.work()
    second = await office.start(message)
    await office.work()

    with pytest.raises(Problem) as refused:
        await office.runs.undo(first, CALLER)
    assert refused.value.code == "started_again"
    await undo(office, second)

    assert await stored(office) == NOTHING


async def test_half_a_save_that_was_given_up_can_still_be_taken_back(office):
    office.crm.before["deal"] = CrmUnavailable()
    run_id = await office.start(WITH_FILE)
    await office.work()
    await office.runs.cancel(run_id, CALLER)

    await undo(office, run_id)

    assert await office.state(run_id) == "review"
    assert await stored(office) == NOTHING


async def test_an_undo_under_way_is_neither_cancelled_nor_saved(office):
    run_id = await saved(office)
    await office.runs.undo(run_id, CALLER)

    for act in (office.runs.cancel(run_id, CALLER), office.runs.save(run_id, CALLER, Corrections())):
        with pytest.raises(Problem) as refused:
            await act
        assert refused.value.status == 409


async def test_who_comes_back_with_the_cursor_of_a_closed_log_hears_of_the_undo(office):
    run_id = await saved(office)
    end = (await followed(office.log, run_id))[-1]
    await undo(office, run_id)
    await office.runs.cancel(run_id, CALLER)

    rest = await followed(office.log, run_id, end.cursor)

    assert [rest[0].sequence, rest[0].type, rest[-1].type] == [end.sequence + 1, "undo_start", "cancelled"]


# ---------------------------------------------------------------- what comes after it


class SlowResearch:
    """Too slow for the run, and remembered afterwards."""

    def __init__(self, facts):
        self.facts = facts
        self.asked = 0

    async def find(self, domain):
        self.asked += 1
        if self.asked == 1:
            raise TimeoutError
        return self.facts

    async def close(self):
        pass


@pytest.fixture
async def late_office(log, threads):
    office = Office(log, threads)
    office.research = SlowResearch({"website": "acmewealth.example", "industry": "Wealth management", "city": "Erie"})
    office.runs = office.new_runs()
    office.worker = RunWorker(office.runs, office.crm, office.write)
    return office


async def offered(office, run_id):
    return await office.runs.followup(await office.runs.visible(run_id, CALLER))


async def test_research_that_came_too_late_is_offered_and_changes_nothing_by_itself(late_office):
    run_id = await saved(late_office)
    before = await late_office.read(lambda: Account.objects.values().get())

    offer = await offered(late_office, run_id)

    assert offer["industry"] == "Wealth management"
    assert await late_office.read(lambda: Account.objects.values().get()) == before


async def test_what_was_approved_of_it_is_added_once_where_the_crm_holds_nothing(late_office):
    run_id = await saved(late_office)
    await late_office.write(lambda: Account.objects.update(city="Gary"))
    facts = FollowUp(company={"industry": "Wealth management", "city": "Erie"})
    end = (await late_office.log.snapshot(run_id))[0].last_sequence

    states = [await late_office.runs.follow_up(run_id, CALLER, facts) for _ in range(2)]
    await late_office.work()
    states.append(await late_office.runs.follow_up(run_id, CALLER, facts))

    account = await late_office.read(Account.objects.get)
    events = (await late_office.log.read(run_id, end)).entries
    assert states == ["saving", "saving", "complete"]
    assert (account.industry, account.city) == ("Wealth management", "Gary")
    assert [event.type for event in events] == ["zoho_start", "zoho_progress", "zoho_complete", "complete"]
    assert orjson.loads(events[1].data)["action"] == "updated"
    assert await offered(late_office, run_id) == {}
    assert await stored(late_office) == ONE_SET


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_addition_that_is_cut_goes_on_and_is_taken_back_with_the_save(late_office, when):
    run_id = await saved(late_office)
    await late_office.runs.follow_up(run_id, CALLER, FollowUp(company={"industry": "Wealth management"}))
    getattr(late_office.crm, when)["account"] = asyncio.CancelledError()
    await late_office.work()
    await go_on_elsewhere(late_office)
    assert (await late_office.read(Account.objects.get)).industry == "Wealth management"

    await undo(late_office, run_id)

    assert await stored(late_office) == NOTHING


async def test_facts_are_added_only_to_a_firm_that_was_saved(late_office):
    run_id = await late_office.start(mode="review")

    for _ in ("queued", "in review"):
        with pytest.raises(Problem) as refused:
            await late_office.runs.follow_up(run_id, CALLER, FollowUp(company={"city": "Erie"}))
        assert refused.value.code == "no_saved_firm"
        assert await offered(late_office, run_id) == {}
        await late_office.work()


@pytest.mark.server
async def test_over_http_a_save_is_taken_back_and_the_stream_tells_it(server):
    mail = MAIL.model_dump(exclude_unset=True) | {"mode": "auto", "allow_duplicate": True}
    async with server.client() as http:
        run = (await http.post("/stream/batch/process-email?stream_chunks=false", json=mail)).json()["data"]
        here = f"/stream/runs/{run['run_id']}"
        links = (await http.get(here)).json()["links"]

        answer = await http.post(links["undo"])
        lines = await http.get(f"{here}/events?after={run['cursor']}", headers={"Accept": "application/x-ndjson"})
        after = (await http.get(here)).json()

    assert (run["status"], answer.status_code, answer.json()["state"]) == ("saved", 202, "undoing")
    types = [orjson.loads(line)["type"] for line in lines.text.splitlines()]
    assert [kind for kind in types if kind not in ("connection_established", "keepalive", "undo_progress")] == [
        "undo_start",
        "undo_complete",
        "review_ready",
    ]
    assert (after["state"], after["status"], after["records"]) == ("review", None, [])
    assert {one["module"] for one in after["undone"]} == {"account", "contact", "deal", "note"}
