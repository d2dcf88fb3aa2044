"""Closed runs' events at Azure Event Hubs: at least once, whatever the hub says, and never in a run's way."""

import asyncio
import json
from pathlib import Path

import pytest

from extraction.types import Corrections
from streaming.analytics import BATCH_BYTES, Analytics, batches_of
from streaming.azure.endpoint import BadConnectionString
from streaming.azure.event_hubs import EventHub, HubAddress
from streaming.export import lines_of
from streaming.models import Run
from streaming.tests.event_hubs_stand_in import HUB, EventHubsStandIn
from wellintake.tests.server import ROOT, Server
from wellintake.tests.test_runs import CALLER, MAIL, Office

GOOD = "Endpoint=sb://firm.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=a2V5LW9mLXRlc3Rz="


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        (GOOD, "runs", "https://firm.servicebus.windows.net/runs"),
        (f"{GOOD};EntityPath=runs;", None, "https://firm.servicebus.windows.net/runs"),
        (f" {GOOD} ; entitypath = Runs ", "runs", "https://firm.servicebus.windows.net/runs"),
        (f"{GOOD};UseDevelopmentEmulator=true", "runs", "http://firm.servicebus.windows.net/runs"),
    ],
)
def test_a_connection_string_says_where_the_hub_is(text, name, url):
    address = HubAddress.parse(text, name)
    assert (address.url, address.key_name, address.key) == (url, "send", b"a2V5LW9mLXRlc3Rz=")
    assert "a2V5" not in repr(address)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "runs", "Endpoint"),
        (GOOD.replace("SharedAccessKey=", "Key="), "runs", "SharedAccessKey"),
        (GOOD.replace("SharedAccessKeyName=send;", ""), "runs", "SharedAccessKeyName"),
        (GOOD.replace("sb://", "https://"), "runs", "sb://"),
        (GOOD, None, "EVENT_HUB_NAME"),
        (f"{GOOD};EntityPath=other", "runs", "EntityPath"),
    ],
)
def test_a_connection_string_at_fault_is_told_without_its_values(text, name, words):
    with pytest.raises(BadConnectionString, match=words) as told:
        HubAddress.parse(text, name)
    assert "a2V5" not in str(told.value) and "firm" not in str(told.value)


def test_a_token_is_signed_as_microsofts_own_samples_sign():
    # Computed with the NodeJS sample of learn.microsoft.com/rest/api/eventhub/generate-sas-token.
    assert HubAddress.parse(GOOD, "runs").token(1_700_000_000.9) == (
        "SharedAccessSignature sr=https%3A%2F%2Ffirm.servicebus.windows.net%2Fruns"
        "&sig=zq5fUvhOSVzaF8Tg2ZohWQZaPF0AivWFHeGpm6sZZoY%3D&se=1700000900&skn=send"
    )


def test_batches_keep_the_order_and_their_size():
    lines = [b'"%d"' % number + b"x" * 70_000 for number in range(5)] + [b"y" * (BATCH_BYTES * 2), b"z"]

    batches = batches_of(lines)

    assert [line for batch in batches for line in batch] == lines
    assert [len(batch) for batch in batches] == [2, 2, 1, 1, 1]
    assert batches_of([]) == []


# ---------------------------------------------------------------- runs


@pytest.fixture
async def hubs():
    async with EventHubsStandIn.serving() as hubs:
        yield hubs


@pytest.fixture
async def office(log, threads, hubs):
    """Two runs that are over and one in review, and the way to the hub."""
    office = Office(log, threads)
    office.saved = await office.start()
    office.previewed = await office.start(MAIL.model_copy(update={"subject": "Again"}), mode="preview")
    await office.start(MAIL.model_copy(update={"subject": "Once more"}), mode="review")
    await office.work()
    hub = EventHub(HubAddress.parse(hubs.connection_string, HUB))
    office.now = 1000.0
    office.analytics = Analytics(hub, *threads, mail_text=False, clock=lambda: office.now)
    yield office
    await office.analytics.close()


async def logs_of(office, *run_ids):
    def read():
        runs = Run.objects.filter(pk__in=run_ids).order_by("pk")
        return [json.loads(line) for run in runs for _, line in lines_of(run, mail_text=False)]

    return await office.read(read)


db = pytest.mark.django_db(transaction=True)


@db
async def test_runs_that_are_over_are_told_once(office, hubs):
    await office.analytics.tell()
    await office.analytics.tell()

    assert hubs.events == await logs_of(office, office.saved, office.previewed)
    assert len(hubs.batches) == 1


@db
async def test_a_run_that_is_taken_back_is_told_again_whole(office, hubs):
    await office.analytics.tell()
    hubs.events.clear()
    await office.runs.undo(office.saved, CALLER)
    await office.work()
    await office.analytics.tell()
    assert hubs.events == []  # it is in review again

    await office.runs.save(office.saved, CALLER, Corrections())
    await office.work()
    await office.analytics.tell()

    assert hubs.events == await logs_of(office, office.saved)
    assert {"undo_complete", "complete"} <= {event["type"] for event in hubs.events}


@db
@pytest.mark.parametrize(
    ("refusal", "seconds"), [((429, 7), 7), ((500, None), 5), ((503, 10_000), 300), ((401, None), 60), ((404, 1), 60)]
)
async def test_a_hub_that_refuses_is_left_alone_for_a_while_and_told_all_of_it_then(office, hubs, refusal, seconds):
    hubs.refusals = [refusal]
    await office.analytics.tell()
    office.now += seconds - 1
    await office.analytics.tell()
    assert (hubs.events, hubs.statuses) == ([], [refusal[0]])

    office.now += 1
    await office.analytics.tell()

    assert hubs.events == await logs_of(office, office.saved, office.previewed)


@db
async def test_a_batch_whose_answer_was_lost_is_told_twice_rather_than_never(office, hubs):
    hubs.forgets = True
    await office.analytics.tell()
    office.now += 60
    await office.analytics.tell()

    assert hubs.events == 2 * await logs_of(office, office.saved, office.previewed)


@db
async def test_what_is_too_large_goes_in_parts_and_a_single_event_without_its_data(office, hubs):
    hubs.most_bytes = 400
    await office.analytics.tell()

    logs = await logs_of(office, office.saved, office.previewed)
    assert [(event["run_id"], event["sequence"]) for event in hubs.events] == [
        (event["run_id"], event["sequence"]) for event in logs
    ]
    large = [event for event in hubs.events if event.get("too_large")]
    assert large and all(event["data"] == {} for event in large)
    assert all(told in logs for told in hubs.events if told not in large)

    hubs.most_bytes = 10
    await office.write(Run.objects.update, exported=False)
    await office.analytics.tell()
    assert await office.read(Run.objects.filter(exported=True).count) == 0


@db
async def test_a_hub_that_is_not_there_costs_no_event(office, hubs, threads):
    away = Analytics(
        EventHub(HubAddress.parse(GOOD.replace("firm.servicebus", "127.0.0.1:1/x"), HUB)), *threads, mail_text=False
    )
    await away.tell()
    await away.close()

    await office.analytics.tell()

    assert hubs.events == await logs_of(office, office.saved, office.previewed)


@db
async def test_an_erased_run_has_nothing_to_tell_and_holds_nobody_up(office, hubs):
    await office.write(lambda: Run.objects.get(pk=office.saved).events.all().delete())
    await office.analytics.tell()

    assert hubs.events == await logs_of(office, office.previewed)
    assert await office.read(Run.objects.filter(exported=True).count) == 2


@pytest.mark.server
@pytest.mark.embedded
async def test_the_engine_tells_what_was_over_before_it_started(tmp_path: Path, migrated, hubs):
    server = Server(tmp_path, "uvicorn")
    server.copy_database_from(migrated)
    sample = sorted((ROOT / "addin" / "samples").glob("*.eml"))[0]
    await asyncio.to_thread(server.manage, "intake", str(sample), "--mode", "preview")
    assert hubs.events == []
    server.environment |= {"EVENT_HUBS_CONNECTION_STRING": hubs.connection_string, "EVENT_HUB_NAME": HUB}
    try:
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            await hubs.grown.wait()
    finally:
        await asyncio.to_thread(server.stop)

    assert [event["sequence"] for event in hubs.events] == list(range(1, len(hubs.events) + 1))
    assert hubs.events[-1]["type"] == "complete"
