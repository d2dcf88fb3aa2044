"""What leaves for analytics: whole logs of closed runs, without a word of the mails unless asked."""

import json
from typing import get_args

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from extraction.events import Event as EventKind
from streaming import export
from streaming.export import PLAIN
from streaming.models import AuditEntry, Event, Run
from wellintake.tests.test_runs import CALLER, MAIL, Office

pytestmark = pytest.mark.django_db(transaction=True)
OF_THE_MAIL = ("jane", "roe", "acme", "wayne", "advisor", "@")


@pytest.fixture
async def office(log, threads):
    """Three runs: saved, previewed, in review."""
    office = Office(log, threads)
    office.saved = await office.start()
    office.previewed = await office.start(MAIL.model_copy(update={"subject": "Again"}), mode="preview")
    office.waiting = await office.start(MAIL.model_copy(update={"subject": "Once more"}), mode="review")
    await office.work()
    return office


@pytest.fixture
def exported(office, capsys):
    async def lines(*options):
        capsys.readouterr()
        await office.read(call_command, "export_runs", *options)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines


def test_every_event_says_which_of_its_fields_are_no_words_of_a_mail():
    kinds = {kind.type: kind for kind in get_args(EventKind)}

    assert set(PLAIN) == set(kinds)
    assert all(set(names) <= set(kinds[name].model_fields) for name, names in PLAIN.items())


async def test_whole_logs_of_closed_runs_without_a_word_of_their_mails(office, exported, monkeypatch):
    monkeypatch.setattr(export, "RUNS_AT_ONCE", 1)
    monkeypatch.setattr(export, "EVENTS_AT_ONCE", 4)

    told = await exported()

    logs = await office.read(lambda: list(Event.objects.order_by("run_id", "sequence").values_list("run_id", "type")))
    closed = [office.saved, office.previewed]
    assert [(line["run_id"], line["type"]) for line in told] == [(str(r), t) for r, t in logs if str(r) in closed]
    assert {line["tenant"] for line in told} == {CALLER.tenant}
    found = next(line for line in told if line["type"] == "extraction_field")
    assert set(found["data"]) == set(PLAIN["extraction_field"])
    data = json.dumps([line["data"] for line in told]).lower()
    assert [word for word in OF_THE_MAIL if word in data] == []


async def test_all_that_was_told_when_asked_and_that_is_put_down(office, exported):
    told = await exported("--with-mail-text")

    said = json.dumps(told).lower()
    assert [word for word in OF_THE_MAIL if word not in said] == []
    entry = await office.read(AuditEntry.objects.filter(action="export").get)
    assert (entry.actor, entry.about) == ("command", "runs .. with mail text")


async def test_runs_of_a_time(office, exported):
    await office.write(Run.objects.filter(pk=office.previewed).update, created_at=86_400.0)

    assert {line["run_id"] for line in await exported("--until", "1970-01-03")} == {office.previewed}
    assert {line["run_id"] for line in await exported("--since", "1970-01-03T00:00Z")} == {office.saved}
    with pytest.raises(CommandError, match="since"):
        await exported("--since", "yesterday")
