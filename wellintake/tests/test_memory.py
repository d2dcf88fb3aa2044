"""Corrections remembered, in the database, in runs and over the real server."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection

from conftest import MAIL
from extraction.errors import MemoryUnavailable
from extraction.memory import Lesson, Scope
from extraction.types import Corrections, Email
from streaming.callers import Caller
from streaming.tests.reading import by_polling
from wellintake import memory as module
from wellintake.memory import StoredMemory
from wellintake.models import LearnedRule, RuleUse
from wellintake.tests.test_runs import CALLER, Office

ACME = Scope("domain", "acmewealth.example")
BY_NAME = Scope("company", "acme wealth")
RUN = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def memory(threads):
    return StoredMemory(*threads)


def lesson(value="Acme Wealth Partners", original="Acme Wealth", scope=ACME, replaces=None):
    return Lesson(scope, "company", "company_name", original, value, replaces)


async def learn(memory, *lessons, tenant="firm", author="One"):
    await memory.learn(tenant, lessons, author, RUN)


async def values(memory, *scopes, tenant="firm"):
    return [rule.value for rule in await memory.recall(tenant, scopes or (ACME, BY_NAME))]


async def listed(threads):
    """All rules with who revoked them, the oldest first."""
    rows = LearnedRule.objects.order_by("id").values_list("value", "learned_by", "revoked_by")
    return await threads[1](lambda: list(rows))


# ---------------------------------------------------------------- the promise of the port


async def test_what_was_learned_is_recalled_as_it_was_in_its_scope_and_tenant_only(memory):
    await learn(memory, lesson(), lesson("acme.example", None, BY_NAME))

    (rule,) = await memory.recall("firm", [ACME])
    assert (rule.scope, rule.record, rule.field) == (ACME, "company", "company_name")
    assert (rule.original, rule.value) == ("Acme Wealth", "Acme Wealth Partners")
    assert abs(rule.learned_at - datetime.now(UTC).timestamp()) < 60
    assert (await memory.recall("firm", [BY_NAME]))[0].original is None
    assert await values(memory, Scope("company", "acmewealth.example"), Scope("domain", "other.example")) == []
    assert await values(memory, tenant="elsewhere") == []


async def test_learning_the_same_again_changes_nothing(memory, threads):
    for author in ("One", "Two"):
        await learn(memory, lesson(), author=author)

    assert await listed(threads) == [("Acme Wealth Partners", "One", "")]


async def test_of_two_users_who_correct_the_same_differently_the_later_one_wins(memory, threads):
    await learn(memory, lesson("Acme Partners"), author="One")
    await learn(memory, lesson("Acme Group", "ACME WEALTH"), author="Two")

    assert await values(memory) == ["Acme Group"]
    assert await listed(threads) == [("Acme Partners", "One", "Two"), ("Acme Group", "Two", "")]


async def test_other_mistakes_of_the_same_scope_stand_beside_each_other(memory):
    await learn(memory, lesson("Acme Partners"), lesson("Acme Group", "Acme"), lesson("Acme", None))

    assert sorted(await values(memory)) == ["Acme", "Acme Group", "Acme Partners"]


async def test_who_takes_a_rules_value_back_revokes_it_whatever_its_scope_but_never_anothers(memory, threads):
    await learn(memory, lesson(scope=BY_NAME))
    (rule,) = await memory.recall("firm", [BY_NAME])

    await learn(memory, lesson(None, replaces=rule.id), tenant="elsewhere", author="Mallory")
    assert await values(memory) == ["Acme Wealth Partners"]
    await learn(memory, lesson(None, replaces=rule.id), author="Two")

    assert await values(memory) == []
    assert await listed(threads) == [("Acme Wealth Partners", "One", "Two")]


async def test_edits_of_the_same_instant_leave_one_rule(memory):
    await asyncio.gather(*(learn(memory, lesson(f"Acme {n}"), author=str(n)) for n in range(12)))

    assert len(await values(memory)) == 1


async def test_a_run_counts_once_and_runs_beside_each_other_all_count(memory, threads):
    await learn(memory, lesson())
    (rule,) = await memory.recall("firm", [ACME])
    runs = [f"00000000-0000-7000-8000-0000000000{n:02}" for n in range(20)]

    await asyncio.gather(*(memory.used([rule.id], run_id) for run_id in runs * 2))

    assert await threads[1](RuleUse.objects.filter(rule=rule.id).count) == 20


async def test_a_look_up_is_one_query(memory, threads, django_assert_num_queries):
    await learn(memory, lesson(), lesson("acme.example", None, BY_NAME))

    def recall():
        with django_assert_num_queries(1, connection=connection):
            return module._recalled("firm", [ACME, BY_NAME])

    assert len(await threads[1](recall)) == 2


@pytest.mark.parametrize("fault", [DatabaseError("no such table: Jane Roe"), None])
async def test_a_database_that_fails_or_stalls_is_no_memory_in_time_and_in_our_words(memory, monkeypatch, fault):
    stalled = asyncio.Event()

    async def bad(*given):
        if fault:
            raise fault
        await stalled.wait()

    monkeypatch.setattr(module, "SECONDS", 0.05)
    broken = StoredMemory(bad, bad)

    for work in (broken.recall("firm", [ACME]), broken.learn("firm", [lesson()], "One", RUN), broken.used([1], RUN)):
        with pytest.raises(MemoryUnavailable) as raised:
            await work
        assert "Jane" not in raised.value.message


# ---------------------------------------------------------------- runs

OTHER = Caller(subject="key:two", tenant="elsewhere", name="Two")
PARTNERS = Corrections.model_validate({"people": [{"index": 0, "company": {"company_name": "Acme Wealth Partners"}}]})


def mail(name="jane.roe", **given):
    """A mail of somebody at the same firm."""
    shown = name.replace(".", " ").title()
    body = MAIL["body"].replace("Jane Roe", shown)
    return Email.model_validate(
        MAIL | {"sender_email": f"{name}@acmewealth.example", "sender_name": shown, "body": body} | given
    )


@pytest.fixture
def office(log, threads):
    return Office(log, threads)


async def reviewed(office, email, caller=CALLER, mode="review"):
    run_id = (await office.runs.start(email, caller, mode)).run_id
    await office.work()
    return run_id


async def saved(office, email, corrections, caller=CALLER):
    run_id = await reviewed(office, email, caller)
    await office.runs.save(run_id, caller, corrections)
    await office.work()
    assert await office.state(run_id) == "complete"
    return run_id


async def company_of(office, run_id):
    _, state = await office.log.snapshot(run_id)
    fields = {(field["record"], field["field"]): field for field in state["people"][0]["fields"]}
    return fields["company", "company_name"]


async def test_only_what_is_saved_is_remembered(office, threads):
    run_id = await reviewed(office, mail())
    await office.runs.cancel(run_id, CALLER)
    await reviewed(office, mail("bob.stone", user_corrections=PARTNERS.model_dump()), mode="auto")
    assert await listed(threads) == []

    await saved(office, mail("ann.lee"), PARTNERS)

    assert await listed(threads) == [("Acme Wealth Partners", "One", "")]


async def test_a_colleague_profits_a_stranger_does_not(office):
    await saved(office, mail(), PARTNERS)
    colleague = Caller(subject="key:three", tenant=CALLER.tenant, name="Three")

    mine = await company_of(office, await reviewed(office, mail("bob.stone"), colleague))
    theirs = await company_of(office, await reviewed(office, mail("bob.stone"), OTHER))

    assert (mine["value"], mine["origin"]) == ("Acme Wealth Partners", "rule")
    assert (theirs["value"], theirs["origin"]) == ("Acme Wealth", "pattern")


async def test_who_saves_is_who_taught_it_whoever_started_the_run(office, threads):
    run_id = await reviewed(office, mail())
    await office.runs.save(run_id, Caller("key:three", CALLER.tenant, name="Three"), PARTNERS)
    await office.work()

    assert await listed(threads) == [("Acme Wealth Partners", "Three", "")]


async def test_runs_beside_each_other_are_all_counted_and_saving_counts_nothing_more(office, threads):
    await saved(office, mail(), PARTNERS)
    office.runs._limit = 20

    run_ids = [(await office.runs.start(mail(f"bob.no{chr(97 + n)}"), CALLER, "review")).run_id for n in range(10)]
    office.queue.clear()
    await asyncio.gather(*(office.worker.process(run_id) for run_id in run_ids))
    await office.runs.save(run_ids[0], CALLER, Corrections())
    await office.work()

    assert await threads[1](RuleUse.objects.count) == 10
    assert len(await listed(threads)) == 1


async def test_correcting_back_revokes_correcting_otherwise_replaces(office, threads):
    await saved(office, mail(), PARTNERS)
    group = Corrections.model_validate({"people": [{"index": 0, "company": {"company_name": "Acme Group"}}]})
    back = Corrections.model_validate({"people": [{"index": 0, "company": {"company_name": "Acme Wealth"}}]})

    await saved(office, mail("bob.stone"), group)
    assert (await company_of(office, await reviewed(office, mail("ann.lee"))))["value"] == "Acme Group"
    await saved(office, mail("carl.ames"), back)

    assert (await company_of(office, await reviewed(office, mail("dora.fox"))))["origin"] == "pattern"
    assert await listed(threads) == [("Acme Wealth Partners", "One", "One"), ("Acme Group", "One", "One")]


async def test_a_memory_that_fails_fails_no_run_and_no_save(office, threads, monkeypatch):
    async def broken(*given):
        raise DatabaseError("away")

    office.memory._read = office.memory._write = broken

    run_id = await saved(office, mail(), PARTNERS)

    _, state = await office.log.snapshot(run_id)
    assert (state["status"], [issue["code"] for issue in state["issues"]]) == ("saved", ["rules_unknown"])
    assert await listed(threads) == []


async def test_a_mail_of_a_retry_is_learned_from_once(office, threads):
    from extraction.errors import CrmUnavailable

    run_id = await reviewed(office, mail())
    office.crm.after["note"] = CrmUnavailable()
    await office.runs.save(run_id, CALLER, PARTNERS)
    await office.work()
    assert await listed(threads) == []

    await office.runs.retry(run_id, CALLER)
    await office.work()

    assert await listed(threads) == [("Acme Wealth Partners", "One", "")]


# ---------------------------------------------------------------- over the real server


async def admin_of(server, http):
    """Signs in to the admin; the list of rules as its visitor reads it."""
    user = {"DJANGO_SUPERUSER_PASSWORD": "a-password-for-tests"}
    server.environment |= user
    await asyncio.to_thread(
        server.manage, "createsuperuser", "--noinput", "--username", "chief", "--email", "chief@well.example"
    )
    await _post(
        http, "/admin/login/", {"username": "chief", "password": user["DJANGO_SUPERUSER_PASSWORD"], "next": "/admin/"}
    )


async def _post(http, path, form):
    page = await http.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    answer = await http.post(
        path, data=form | {"csrfmiddlewaretoken": token}, headers={"Referer": str(http.base_url) + path}
    )
    assert answer.status_code in (200, 302), answer.text
    return answer


async def rules_shown(http, query=""):
    text = (await http.get(f"/admin/wellintake/learnedrule/{query}")).text
    rows = re.findall(r"<tr><td class=\"action-checkbox\">.*?</tr>", text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


async def extracted(http, **given):
    """A run until its review: its id, what it says of the company, its state."""
    answer = await http.post(
        "/stream/batch/process-email?stream_chunks=false", json=mail(**given).model_dump(exclude_unset=True)
    )
    state = answer.json()["data"]
    fields = {(field["record"], field["field"]): field for field in state["people"][0]["fields"]}
    return state["run_id"], fields["company", "company_name"], state


@pytest.mark.server
async def test_a_correction_becomes_a_rule_that_is_seen_used_listed_and_revoked(own_server):
    server = own_server()
    stranger = (await asyncio.to_thread(server.manage, "create_api_key", "stranger")).stdout.decode().strip()
    async with server.client() as http:
        first, _, state = await extracted(http)
        await http.post(f"/stream/runs/{first}/save", json={"corrections": PARTNERS.model_dump()})
        await by_polling(server, first, after=state["cursor"])

        second, company, _ = await extracted(http, name="bob.stone")
        events = (await http.get(f"/stream/runs/{second}/events", headers={"Accept": "application/json"})).json()
        _, elsewhere, _ = await extracted(http, name="ann.lee", sender_email="ann.lee@other.example")
        async with server.client(headers={"X-API-Key": stranger}) as theirs:
            _, foreign, _ = await extracted(theirs, name="bob.stone")

        async with server.client(follow_redirects=True) as admin:
            del admin.headers["X-API-Key"]
            await admin_of(server, admin)
            (shown,) = await rules_shown(admin, "?valid=yes&q=Partners")
            nothing = await rules_shown(admin, "?q=nobody")
            number = company["learned"]["rule"]
            await _post(admin, "/admin/wellintake/learnedrule/", {"action": "revoke", "_selected_action": str(number)})
            assert await rules_shown(admin, "?valid=yes") == []
            (page,) = [await admin.get(f"/admin/wellintake/learnedrule/{number}/change/")]

        _, after, _ = await extracted(http, name="carl.ames")

    today = datetime.now(UTC).date().isoformat()
    assert (company["value"], company["origin"]) == ("Acme Wealth Partners", "rule")
    assert company["evidence"]["quote"] == "Acme Wealth"
    assert [(other["value"], other["origin"]) for other in company["alternatives"]] == [("Acme Wealth", "pattern")]
    assert (company["learned"]["original"], company["learned"]["edited_at"][:10]) == ("Acme Wealth", today)
    told = [one["data"] for one in events["events"] if one["data"].get("field") == "company_name"]
    assert [(one["value"], one["origin"], one["supersedes"]) for one in told] == [
        ("Acme Wealth", "pattern", None),
        ("Acme Wealth Partners", "rule", "pattern"),
    ]
    assert (elsewhere["value"], foreign["value"], after["value"]) == ("Acme Wealth",) * 3
    assert "Acme Wealth → Acme Wealth Partners company.company_name acmewealth.example" in shown
    assert "1 time " in shown
    assert nothing == []
    assert "chief" in page.text
    assert f"/admin/streaming/run/{first}/change/" in page.text
