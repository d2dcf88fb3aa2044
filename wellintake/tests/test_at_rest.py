"""With MAIL_ENCRYPTION_KEYS the database holds no word of a mail; keys can be changed; a lost one is told as that."""

import base64
import json
import sqlite3
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from extraction.seal import MARK, PLAIN, Seal, Unopened
from extraction.types import Corrections
from streaming.models import Event, Run
from streaming.tests.conftest import followed, new_run
from streaming.tests.reading import by_sse, connected, received
from wellintake.checks import mails_can_be_opened
from wellintake.resealing import COLUMNS
from wellintake.retention import erase_person
from wellintake.tests.server import DISTRIBUTED
from wellintake.tests.test_runs import CALLER, MAIL, Office
from zoho.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
FILE = b"Quicksilver: my plan to leave in March. " * 3
MARKED = MAIL.model_validate(
    MAIL.model_dump(exclude_unset=True)
    | {
        "subject": "Zanzibar subject",
        "body": f"{MAIL.body}\nMy plan is called Operation Quicksilver.",
        "attachments": [{"filename": "plan.txt", "content_base64": base64.b64encode(FILE).decode()}],
    }
)
# The subject, words of the body that events quote, and the file in both of its shapes.
WORDS = [b"zanzibar", b"quicksilver", b"call me at", base64.b64encode(FILE[:30]).lower()]


def held() -> bytes:
    """Whatever the tables that hold mails keep, as bytes."""
    rows = []
    with connection.cursor() as cursor:
        for column in COLUMNS:
            cursor.execute(f'SELECT {column.name} FROM "{column.model._meta.db_table}"')
            rows += [row[0] for row in cursor.fetchall() if row[0] is not None]
    return b"\n".join(row.encode() if isinstance(row, str) else bytes(row) for row in rows)


def in_the_file() -> bytes:
    """Every byte of the database, free pages and the log of writes included."""
    file = Path(connection.settings_dict["NAME"])
    parts = (file.with_name(file.name + suffix) for suffix in ("", "-wal", "-journal"))
    return b"".join(part.read_bytes() for part in parts if part.exists())


def found(words, where):
    # No word of four letters: sooner or later it stands in what is sealed, too.
    return [word for word in words if word in where.lower()]


@pytest.fixture
def office(log, threads):
    return Office(log, threads)


async def saved(office) -> str:
    """A run that went all the way: its mail, corrections, steps, events, and the file in the CRM."""
    run_id = await office.start(MARKED, mode="review")
    await office.work()
    edited = {"people": [{"index": 0, "contact": {"city": "Muncie"}}]}
    await office.runs.save(run_id, CALLER, Corrections.model_validate(edited))
    await office.work()
    return run_id


async def test_the_whole_story_leaves_no_word_in_the_database_and_reads_as_ever(office, settings):
    settings.MAIL_KEYS = (OLD,)
    run_id = await saved(office)

    kept = await office.read(held)
    assert found([*WORDS, b"muncie", b"jane roe", b"jane.roe", b"555-0144"], kept) == []
    assert kept.count(MARK) == await office.read(lambda: sum(column.rows().count() for column in COLUMNS)) > 10
    assert await office.state(run_id) == "complete"
    told = [item.type for item in await followed(office.log, run_id)]
    assert told[0] == "extraction_start" and told[-1] == "complete"
    letter = await office.runs.letter(await office.runs.visible(run_id, CALLER))
    assert "Operation Quicksilver" in letter.sources["body"]
    assert FILE in [bytes(one.content) for one in await office.read(lambda: list(Attachment.objects.all()))]


async def test_without_keys_it_is_kept_as_it_is_and_what_looks_sealed_is_not_taken_for_it(office):
    await saved(office)
    kept = await office.read(held)
    assert found(WORDS, kept) == sorted(WORDS, key=WORDS.index) and MARK not in kept
    for content in (MARK + b"12345678:", PLAIN + b"x"):
        row = await office.write(lambda content=content: Attachment.objects.create(filename="f", content=content))
        assert bytes((await office.read(lambda row=row: Attachment.objects.get(pk=row.pk))).content) == content


async def test_keys_are_changed_under_a_running_server(office, settings, capsys):
    run_id = await saved(office)
    before = await office.log.snapshot(run_id)
    for keys in ((OLD,), (NEW, OLD), (NEW,)):
        settings.MAIL_KEYS = keys
        assert (await office.log.snapshot(run_id))[1] == before[1]  # also what the key before has sealed
        await office.write(call_command, "rotate_mail_keys")
        kept = await office.read(held)
        assert found(WORDS, kept) == []
        newest = Seal(keys).newest.encode()
        assert kept.count(MARK) == kept.count(MARK + newest)
    assert (await office.log.snapshot(run_id))[1] == before[1]
    capsys.readouterr()
    await office.write(call_command, "rotate_mail_keys", "--count")
    told = capsys.readouterr().out
    assert f"with {Seal([NEW]).newest}" in told and "0 plain" in told and found([b"zanzibar"], told.encode()) == []
    await office.write(call_command, "rotate_mail_keys")
    assert "streaming_event.data: 0 sealed anew" in capsys.readouterr().out


@pytest.mark.embedded
@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's file")
def test_no_byte_of_what_was_plain_is_left_in_the_file(settings):
    run = new_run(email=MARKED.model_dump_json(), closed=True)
    Event.objects.create(run=run, sequence=1, type="extraction_token", timestamp=0, data='{"token": "Quicksilver"}')
    assert set(found(WORDS, in_the_file())) > {b"zanzibar", b"quicksilver"}

    settings.MAIL_KEYS = (OLD,)
    call_command("rotate_mail_keys")

    assert found(WORDS, in_the_file()) == []
    with sqlite3.connect(connection.settings_dict["NAME"]) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_what_comes_with_the_older_key_meanwhile_is_told(office, settings, monkeypatch):
    settings.MAIL_KEYS = (OLD,)
    await office.start(MARKED, mode="review")
    settings.MAIL_KEYS = (NEW, OLD)
    # As when it writes behind the place that has been passed.
    monkeypatch.setattr("wellintake.management.commands.rotate_mail_keys.reseal", lambda column: 0)
    with pytest.raises(CommandError, match="restart all servers"):
        await office.write(call_command, "rotate_mail_keys")


async def test_a_lost_key_is_told_and_holds_up_nobody_else(office, settings):
    settings.MAIL_KEYS = (OLD,)
    lost = await office.start(MARKED, mode="review")
    settings.MAIL_KEYS = (NEW,)
    fine = await office.start(MAIL.model_copy(update={"subject": "Another"}), mode="review")
    await office.work()  # with the lost one before it

    assert (await office.state(lost), await office.state(fine)) == ("queued", "review")
    run = await office.runs.visible(lost, CALLER)
    with pytest.raises(Unopened) as refused:
        await office.runs.letter(run)
    assert refused.value.key_id == Seal([OLD]).newest
    for command in (
        ["erase_person", "jane.roe@acmewealth.example"],
        ["rotate_mail_keys", "--count"],
        ["rotate_mail_keys"],
    ):
        with pytest.raises(CommandError, match=Seal([OLD]).newest):
            await office.write(call_command, *command)
    (warning,) = await office.write(_complaints_after_hiding, fine)
    assert Seal([OLD]).newest in warning.msg

    settings.MAIL_KEYS = (NEW, OLD)  # it was only mislaid
    await office.runs.resubmit_left_behind(-1)
    await office.work()
    assert await office.state(lost) == "review"
    assert (await office.write(erase_person, "jane.roe@acmewealth.example")).runs == 2


def _complaints_after_hiding(run_id):
    """The newest mail is the one whose key is lost."""
    Run.objects.filter(pk=run_id).update(created_at=0)
    return mails_can_be_opened(None, databases=["default"])


async def test_who_reads_other_runs_is_not_held_up_by_one_that_cannot_be_opened(office, settings):
    settings.MAIL_KEYS = (OLD,)
    lost, fine = [str((await office.write(new_run)).pk) for _ in range(2)]

    def more():
        for run_id, keys in ((lost, (OLD,)), (fine, (NEW,))):
            settings.MAIL_KEYS = keys
            Event.objects.create(run_id=run_id, sequence=1, type="extraction_token", timestamp=0, data='{"token": "x"}')
            Run.objects.filter(pk=run_id).update(last_sequence=1)

    await office.write(more)
    grown = await office.log._look({lost: 0, fine: 0})
    assert {key: (len(one.entries), one.last_sequence) for key, one in grown.items()} == {lost: (0, 1), fine: (1, 1)}
    with pytest.raises(Unopened):
        await followed(office.log, lost)


@pytest.mark.server
async def test_over_every_transport_it_is_an_answer_in_our_words(server):
    lost = Seal([OLD])
    async with server.client() as http:
        run_id = (await http.post("/stream/runs", json=MARKED.model_dump(exclude_unset=True, mode="json"))).json()[
            "run_id"
        ]
        await by_sse(server, run_id)
        key = run_id if DISTRIBUTED else run_id.replace("-", "")  # SQLite keeps a UUID as 32 digits
        for table, column, where in (("run", "email", "id"), ("event", "data", "run_id")):
            value = lost.seal_text("{}", f"streaming_{table}.{column}")
            server.database.change(f"UPDATE streaming_{table} SET {column} = '{value}' WHERE {where} = '{key}'")
        events = f"/stream/runs/{run_id}/events"
        refused = [await http.get(path) for path in (f"/stream/runs/{run_id}/mail", f"/stream/runs/{run_id}", events)]
        streams = [
            (await http.get(events, headers={"Accept": kind})).text
            for kind in ("text/event-stream", "application/x-ndjson")
        ]
    async with connected(server) as socket:
        await socket.send(json.dumps({"type": "subscribe", "run_id": run_id}))
        told = await received(socket, "error")

    assert [(one.status_code, one.json()["code"], one.headers["Retry-After"]) for one in refused] == [
        (503, "mail_sealed", "60")
    ] * 3
    assert ['"mail_sealed"' in text and "Traceback" not in text for text in streams] == [True, True]
    assert (told["code"], told["run_id"]) == ("mail_sealed", run_id)
    log = server.log.read_text()
    assert lost.newest in log and "Zanzibar" not in log


def test_in_the_admin_it_is_told_too(settings, admin_client):
    settings.MAIL_KEYS = (OLD,)
    file = Attachment.objects.create(filename="plan.txt", content=FILE)
    page = f"/admin/zoho/attachment/{file.pk}/file/"
    assert admin_client.get(page).content == FILE
    settings.MAIL_KEYS = (NEW,)
    answer = admin_client.get(page)
    assert (answer.status_code, answer.json()["code"]) == (503, "mail_sealed")
