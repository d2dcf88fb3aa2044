"""The audit log: who did what to which run, and when; only added to, and without a word of a mail."""

import json
import time

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from extraction.types import Corrections
from streaming.audit import Deed, Looks
from streaming.behind import Behind
from streaming.callers import Caller
from streaming.models import AuditEntry
from wellintake.tests.test_runs import CALLER, MAIL, Office

pytestmark = pytest.mark.django_db(transaction=True)
COLLEAGUE = Caller("key:two", CALLER.tenant, "Two")


@pytest.fixture
def office(log, threads):
    return Office(log, threads)


async def entries(office):
    return await office.read(
        lambda: list(AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "about"))
    )


async def test_whoever_changes_something_is_put_down_with_it(office):
    run_id = await office.start(mode="review")
    await office.work()
    for _ in range(2):  # a second click changes nothing, and is no second deed
        await office.runs.save(run_id, COLLEAGUE, Corrections())
    await office.work()
    await office.runs.undo(run_id, CALLER)
    await office.work()
    await office.runs.cancel(run_id, COLLEAGUE)
    again = await office.start(mode="preview")
    repeated = [await office.start(MAIL, "review", key="k") for _ in range(2)]
    assert repeated[0] == repeated[1]

    assert await entries(office) == [
        ("One", "start", "review"),
        ("Two", "save", ""),
        ("One", "undo", ""),
        ("Two", "cancel", ""),
        ("One", "start", "preview"),
        ("One", "start", "review"),
    ]
    runs = await office.read(lambda: [str(one) for one in AuditEntry.objects.values_list("run_id", flat=True)])
    assert runs[:5] == [run_id] * 4 + [again]
    kept = await office.read(lambda: json.dumps(list(AuditEntry.objects.values()), default=str))
    assert "Roe" not in kept and "acmewealth" not in kept


async def test_a_colleagues_look_is_put_down_once_an_hour_and_the_owners_not_at_all(office, monkeypatch):
    behind = Behind(office.write)
    office.runs.saw = Looks(behind.tell).saw
    run_id = await office.start(mode="preview")
    for caller in (CALLER, COLLEAGUE, COLLEAGUE):
        await office.runs.visible(run_id, caller)
    await behind.flush()
    assert await entries(office) == [("One", "start", "preview"), ("Two", "read", "")]

    now = time.monotonic()
    monkeypatch.setattr("streaming.audit.time.monotonic", lambda: now + 3700)
    await office.runs.visible(run_id, COLLEAGUE)
    await behind.flush()
    assert len(await entries(office)) == 3


def test_an_entry_is_neither_changed_nor_deleted_until_its_time_is_over():
    Deed("save", CALLER).entry().save()
    entry = AuditEntry.objects.get()
    for change in (entry.save, entry.delete, AuditEntry.objects.all().delete, AuditEntry.objects.update):
        with pytest.raises(TypeError):
            change()
    assert AuditEntry.objects.expire(entry.at) == 0
    assert AuditEntry.objects.expire(entry.at + 1) == 1


def test_the_admin_shows_entries_and_puts_down_what_staff_do():
    staff = Client()
    staff.force_login(User.objects.create_superuser("boss"))
    form = {"name": "probe", "tenant": "", "scopes": ["read"], "expires_at_0": "", "expires_at_1": ""}
    staff.post("/admin/wellintake/apikey/add/", form)
    key = AuditEntry.objects.get().about
    for _ in range(2):
        staff.post("/admin/wellintake/apikey/", {"action": "revoke", "_selected_action": [key]})

    told = list(AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "about"))
    assert told == [("boss", "make_key", key), ("boss", "revoke_key", key)]
    page = staff.get("/admin/streaming/auditentry/?action=revoke_key").content.decode()
    assert "revoked a key" in page and key in page
    first = AuditEntry.objects.first().pk
    assert staff.get(f"/admin/streaming/auditentry/{first}/change/").status_code == 200
    assert staff.post(f"/admin/streaming/auditentry/{first}/change/", {"actor": "me"}).status_code == 403
    assert staff.post(f"/admin/streaming/auditentry/{first}/delete/", {"post": "yes"}).status_code == 403


def test_it_is_exported_as_lines_of_json_and_that_is_an_entry_too(capsys):
    Deed("save", CALLER).entry().save()
    call_command("export_audit", "--since", "2026-01-01")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["actor"], line["action"]) for line in lines] == [("key:one", "save"), ("command", "export")]
    assert set(lines[0]) == {"at", "action", "actor", "actor_name", "tenant", "run_id", "about"}
