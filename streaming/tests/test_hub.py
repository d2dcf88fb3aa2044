"""The SignalR hub, by clients that others wrote: Microsoft's own in JavaScript, and pysignalr."""

import asyncio
import json
from contextlib import suppress

import pytest
import websockets
from pysignalr.client import SignalRClient

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import by_polling, ticket
from wellintake.tests.server import KEY, ROOT

pytestmark = pytest.mark.server
END = "\x1e"
JANE = {"full_name": "Jane Roe", "email": "jane.roe@acmewealth.example"}


class Stock:
    """`@microsoft/signalr` in a process of its own; `await client("Subscribe", run_id, None)`."""

    def __init__(self, process):
        self._process = process

    async def outcome(self, step, *given):
        self._process.stdin.write(json.dumps([step, *given]).encode() + b"\n")
        async with asyncio.timeout(90):
            return json.loads(await self._process.stdout.readline())

    async def __call__(self, step, *given):
        outcome = await self.outcome(step, *given)
        assert "error" not in outcome, outcome
        return outcome["result"]


@pytest.fixture
async def stock():
    processes = []

    async def start(server, key=KEY):
        command = ("node", "addin/tests/hub_client.js", f"{server.url}/stream", key)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=10_000_000
        )
        processes.append(process)
        return Stock(process)

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.wait()


def fresh(**changes):
    return {**MAIL, "subject": f"Role {changes}", **changes}


async def test_a_stock_client_hands_a_mail_in_and_hears_its_whole_story(server, stock):
    client = await stock(server)
    await client("start")
    run_id = (await client("ProcessEmail", fresh(mode="preview")))["run_id"]
    await client("await", "complete", run_id)

    events = [event for event in await client("events") if event["run_id"] == run_id]
    assert events == await by_polling(server, run_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))


async def test_review_save_and_cancel_over_the_hub(server, stock):
    client = await stock(server)
    await client("start")
    saved, dropped = [(await client("ProcessEmail", fresh(to=[f"{n}@x.example"])))["run_id"] for n in range(2)]
    for run_id in (saved, dropped):
        await client("await", "review_ready", run_id)

    assert await client("Cancel", dropped) == "cancelled"
    assert await client("Save", saved, {"allow_duplicate": True}) == "saving"
    await client("await", "complete", saved)
    await client("await", "cancelled", dropped)


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_client_that_is_cut_comes_back_by_itself_and_goes_on_from_its_cursor(
    own_server, stock, scripted_model, kind
):
    server = own_server(kind, **scripted_model(answer_for([JANE]), "--tokens-per-second", "40").settings)
    client = await stock(server)
    await client("start")
    run_id = (await client("ProcessEmail", fresh(mode="preview")))["run_id"]
    await client("await", "extraction_token", run_id)

    await client("drop")
    await client("reconnected")
    cursor = (await client("events"))[-1]["cursor"]
    await client("Subscribe", run_id, cursor)
    await client("await", "complete", run_id)

    events = await client("events")
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events == await by_polling(server, run_id)


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_server_that_restarts_says_so_and_the_client_comes_back(own_server, stock, kind):
    server = own_server(kind)
    client = await stock(server)
    await client("start")
    server.terminate()
    server.wait()
    server.start()
    await client("reconnected")

    assert "The server restarts." in " ".join(await client("states"))
    run_id = (await client("ProcessEmail", fresh(mode="preview")))["run_id"]
    await client("await", "complete", run_id)


async def test_what_cannot_be_done_is_the_invocations_error_and_the_hub_goes_on(server, stock):
    client = await stock(server)
    await client("start")
    unknown = "00000000-0000-7000-8000-000000000000"

    errors = [
        (await client.outcome(*step))["error"]
        for step in (
            ("Dance",),
            ("Subscribe",),
            ("Subscribe", unknown, None),
            ("Subscribe", unknown, "nonsense"),
            ("ProcessEmail", {"subject": "x"}),
            ("ProcessEmail", MAIL, "more"),
            ("Save", unknown),
        )
    ]

    told = ["no such method", "correct", "no such run", "no such run", "correct", "correct", "no such run"]
    assert [words.lower() in error.lower() for words, error in zip(told, errors, strict=True)] == [True] * 7, errors
    assert (await client("ProcessEmail", fresh(mode="preview", cc=["z@x.example"])))["run_id"]


async def test_without_a_key_a_stock_client_does_not_get_in(server, stock):
    client = await stock(server, "wi_no_key")
    assert "401" in (await client.outcome("start"))["error"]


async def test_a_stock_client_over_the_limit_is_told_so(own_server, stock):
    server = own_server(MAX_CONNECTIONS_PER_USER="1")
    first, second = await stock(server), await stock(server)
    await first("start")

    assert "Too many connections." in (await second.outcome("start"))["error"]


async def test_pysignalr_hears_a_run(server):
    client = SignalRClient(f"{server.url}/stream?negotiateVersion=1", headers={"X-API-Key": KEY})
    heard, over = [], asyncio.Event()

    async def event(arguments):
        heard.append(arguments[0])
        if arguments[0]["type"] == "complete":
            over.set()

    async def begin():
        await client.send("ProcessEmail", [fresh(mode="preview", cc=["y@x.example"])])

    client.on("event", event)
    client.on_open(begin)
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(30):
        await over.wait()
    running.cancel()

    told = [envelope for envelope in heard if envelope["sequence"]]
    assert [envelope["sequence"] for envelope in told] == list(range(1, len(told) + 1))


def raw(server, **given):
    return websockets.connect(f"ws://127.0.0.1:{server.port}/stream?id={ticket(server)}", **given)


async def records(socket):
    """All records until the socket is closed."""
    found = []
    async with asyncio.timeout(20):
        with suppress(websockets.ConnectionClosed):
            while True:
                text = await socket.recv()
                assert text.endswith(END)
                found += [json.loads(record) for record in text.split(END)[:-1]]
    return found


@pytest.mark.parametrize(
    "sent",
    [
        "nonsense" + END,
        '{"protocol":"messagepack","version":1}' + END,
        '{"protocol":"json","version":1}',
        '{"protocol":"json","version":1}' + END + "[1]" + END,
        '{"protocol":"json","version":1}' + END + '{"type":"x"}' + END,
    ],
)
async def test_what_is_not_the_protocol_ends_the_connection_in_words(server, sent):
    async with raw(server) as socket:
        await socket.send(sent)
        found = await records(socket)
    assert "not SignalR's JSON protocol" in found[-1]["error"]
    assert socket.close_code == 4400


async def test_a_ticket_opens_one_hub_connection(server):
    async with raw(server) as first:
        address = str(first.request.path)
        async with websockets.connect(f"ws://127.0.0.1:{server.port}{address}") as second:
            await second.send('{"protocol":"json","version":1}' + END)
            found = await records(second)
    assert found == [{"error": "Not signed in."}]
    assert second.close_code == 4401


async def test_a_strange_page_does_not_reach_the_hub(server):
    with pytest.raises(websockets.InvalidStatus):
        async with raw(server, origin="https://evil.example"):
            pass


async def test_streams_are_refused_and_close_is_answered(server):
    async with raw(server) as socket:
        shake = '{"protocol":"json","version":1}' + END
        stream = '{"type":4,"invocationId":"7","target":"ProcessEmail","arguments":[]}' + END
        await socket.send(shake + stream + '{"type":6}' + END + '{"type":7}' + END)
        found = await records(socket)
    assert found[0] == {}
    assert {"type": 3, "invocationId": "7", "error": "This hub has no streams."} in found
    assert found[-1] == {"type": 7, "allowReconnect": False}
