"""What is old is deleted, and whoever asks for it is erased: from mails, logs, memory and our own CRM."""

import json
import time

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from extraction.types import Corrections
from streaming.models import AuditEntry, Event, Run, Step
from streaming.problems import Problem
from streaming.tests.conftest import new_run
from wellintake.models import Erasure, LearnedRule
from wellintake.retention import AT_ONCE, StillSaving, erase_person
from wellintake.tests.test_runs import CALLER, MAIL, Office
from zoho.models import Contact, Deal, Note

pytestmark = pytest.mark.django_db(transaction=True)
JANE = "Jane.Roe@AcmeWealth.example"


@pytest.fixture
def office(log, threads):
    return Office(log, threads)


def everything() -> str:
    """All that the database holds, as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        held = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            held += cursor.fetchall()
    return json.dumps(held, default=str).lower()


async def test_a_person_is_erased_from_everything_and_others_stay(office):
    edited = {"people": [{"index": 0, "contact": {"city": "Muncie"}}]}
    saved = await office.start(mode="review")
    await office.work()
    await office.runs.save(saved, CALLER, Corrections.model_validate(edited))
    await office.work()
    body = "I am Tom Ash of Birch Wealth."
    other = MAIL.model_copy(update={"sender_email": "tom@birch.example", "sender_name": "Tom Ash", "body": body})
    kept = await office.start(other, mode="review")
    waiting = await office.start(MAIL.model_copy(update={"subject": "Once more"}), mode="review")
    before = await office.read(lambda: Run.objects.get(pk=saved).last_sequence)
    assert before > 5

    erased = await office.write(erase_person, JANE)

    assert (erased.runs, erased.contacts, erased.deals, erased.elsewhere) == (2, 1, 1, ())
    held = await office.read(everything)
    assert [words for words in ("jane", "jane.roe", "555-0144", "5550144", "muncie") if words in held] == []
    assert "acme wealth" in held and "birch" in held  # a firm is no person
    run = await office.read(lambda: Run.objects.get(pk=saved))
    assert (run.state, run.last_sequence, run.closed) == ("complete", before, True) and run.erased_at
    for run_id in (saved, waiting):
        with pytest.raises(Problem) as refused:
            await office.runs.visible(run_id, CALLER)
        assert (refused.value.status, refused.value.code) == (410, "erased")
    await office.work()  # whoever was about to work on it finds nothing to do
    assert await office.read(lambda: Event.objects.filter(run_id__in=(saved, waiting)).count()) == 0
    assert await office.read(lambda: [Contact.objects.count(), Deal.objects.count(), Note.objects.count()]) == [0, 0, 0]
    assert await office.read(LearnedRule.objects.count) == 0
    assert await office.state(kept) == "review"


async def test_a_mail_that_is_just_being_saved_is_not_torn_in_two(office):
    run_id = await office.start(mode="review")
    await office.work()
    await office.runs.save(run_id, CALLER, Corrections())
    with pytest.raises(StillSaving):
        await office.write(erase_person, JANE)
    await office.work()
    assert (await office.write(erase_person, JANE)).runs == 1


def test_old_closed_runs_are_deleted_in_portions_and_the_rest_stays():
    old = time.time() - 91 * 86_400
    given = {"tenant": "t", "owner": "o", "correlation_id": "c", "mode": "preview", "digest": "d", "email": "{}"}
    for closed, count in ((True, AT_ONCE + 5), (False, 3)):
        Run.objects.bulk_create(Run(**given, created_at=old, closed=closed) for _ in range(count))
    young = new_run(closed=True)
    forgotten = new_run(state="review", created_at=old, expires_at=time.time() - 1)
    given_up = new_run(state="failed", created_at=old, touched_at=old)
    promised = new_run(state="review", created_at=old, touched_at=old, expires_at=time.time() + 9)
    last = Run.objects.filter(closed=True, created_at=old).first()
    Event.objects.create(run=last, sequence=1, type="complete", timestamp=old, data="{}")
    Step.objects.create(run=last, name="s", result="{}")
    rerun = new_run(closed=True, rerun_of=last)

    call_command("purge_runs")

    assert set(Run.objects.filter(closed=True)) == {young, rerun}
    assert not Run.objects.filter(pk__in=(forgotten.pk, given_up.pk)).exists()
    assert Run.objects.filter(pk=promised.pk).exists()
    assert Run.objects.count() == 6
    assert not Event.objects.exists() and not Step.objects.exists()
    rerun.refresh_from_db()
    assert rerun.rerun_of is None


def test_at_the_command_line_it_counts_before_it_erases(capsys):
    new_run(email=MAIL.model_dump_json(), closed=True, state="complete")
    call_command("erase_person", JANE)
    assert "1 runs name this person" in capsys.readouterr().out
    assert Run.objects.get().erased_at is None
    call_command("erase_person", JANE, "--yes")
    assert "Erased: 1 runs" in capsys.readouterr().out
    assert Run.objects.get().erased_at
    assert [(entry.action, entry.actor) for entry in AuditEntry.objects.all()] == [("erase", "command")]
    with pytest.raises(CommandError, match="whole mail address"):
        call_command("erase_person", "roe", "--yes")


def test_records_at_zoho_are_named_since_only_people_there_can_delete_them():
    run = new_run(email=MAIL.model_dump_json(), closed=True, state="complete")
    page = "https://crm.zoho.com/crm/tab/"
    records = [{"module": module, "url": page + module} for module in ("account", "contact", "deal")]
    Event.objects.create(run=run, sequence=1, type="zoho_complete", timestamp=0, data=json.dumps({"records": records}))
    assert erase_person(JANE).elsewhere == (page + "contact", page + "deal")


def test_in_the_admin_it_takes_two_people():
    new_run(email=MAIL.model_dump_json(), closed=True, state="complete")

    def browser(name, *permissions):
        user = User.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    asking = browser("ann", "add_erasure", "view_erasure", "do_erasure")
    other = browser("bob", "do_erasure")
    neither = browser("eve", "view_erasure")
    asking.post("/admin/wellintake/erasure/add/", {"address": JANE, "reason": "request 7"})
    erasure = Erasure.objects.get()
    assert "1" in other.get(f"/admin/wellintake/erasure/{erasure.pk}/change/").content.decode()
    erase = {"action": "erase", "_selected_action": [erasure.pk]}

    refused = asking.post("/admin/wellintake/erasure/", erase, follow=True).content.decode()
    assert "it takes somebody else than who asked" in refused
    neither.post("/admin/wellintake/erasure/", erase)
    assert Run.objects.get().erased_at is None

    assert "erased 1 runs" in other.post("/admin/wellintake/erasure/", erase, follow=True).content.decode()
    assert Run.objects.get().erased_at
    erasure.refresh_from_db()
    assert (erasure.address, erasure.asked_by.username, erasure.done_by.username) == ("(erased)", "ann", "bob")
    told = AuditEntry.objects.order_by("pk").values_list("actor_name", "action")
    assert list(told) == [("ann", "ask_erasure"), ("bob", "erase")]
    assert JANE.lower() not in everything()
