"""Azure SignalR in serverless mode, against a stand-in on a socket: what clients hear is what the log says."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2
import pytest
import websockets
from django.utils import timezone
from websockets.protocol import State

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from streaming.azure.endpoint import BadConnectionString, Endpoint, user_of
from streaming.azure.service import SignalRService
from streaming.callers import Caller
from streaming.tests.azure_stand_in import HUB, AzureStandIn
from streaming.tests.reading import by_polling, connected
from streaming.tests.test_hub import JANE, fresh, stock
from wellintake.access.farewell import look_once_at_azure
from wellintake.access.keys import id_of, make_key
from wellintake.models import ApiKey
from wellintake.tests.server import KEY

__all__ = ["stock"]
SECRET = "a-secret-of-the-upstream-address"
KEY_OF_SERVICE = "c2VjcmV0LWtleS1vZi10aGUtc2VydmljZQ=="
ADDRESS = f"Endpoint=https://x.service.signalr.net;AccessKey={KEY_OF_SERVICE};Version=1.0;"


# ---------------------------------------------------------------- connection strings, tokens, signatures


@pytest.mark.parametrize(
    ("text", "rest", "client"),
    [
        (ADDRESS, "https://x.service.signalr.net", "https://x.service.signalr.net"),
        (
            f" endpoint = https://x.service.signalr.net/ ;ACCESSKEY={KEY_OF_SERVICE};;",
            "https://x.service.signalr.net",
            "https://x.service.signalr.net",
        ),
        (
            "Endpoint=http://localhost;Port=8888;AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH;Version=1.0;",
            "http://localhost:8888",
            "http://localhost:8888",
        ),
        (
            ADDRESS + "ClientEndpoint=https://door.example/;ServerEndpoint=https://inside.example:8443;Unknown=1",
            "https://inside.example:8443",
            "https://door.example",
        ),
    ],
)
def test_a_connection_string_says_where_the_service_is(text, rest, client):
    endpoint = Endpoint.parse(text, "EmailProcessing")
    assert endpoint.rest("/:send")[0] == f"{rest}/api/hubs/emailprocessing/:send"
    assert endpoint.client_url == f"{client}/client/?hub=emailprocessing"


@pytest.mark.parametrize(
    ("text", "hub", "words"),
    [
        ("", "h", "form"),
        ("Endpoint=https://x.example", "h", "form"),
        ("Endpoint=https://x.example;Version=1.0", "h", "AccessKey"),
        ("AccessKey=k;Version=1.0", "h", "Endpoint"),
        (ADDRESS + "endpoint=https://y.example", "h", "twice"),
        ("Endpoint=x.example;AccessKey=k", "h", "address"),
        ("Endpoint=https://x.example;AccessKey=k;Port=99999", "h", "port"),
        ("Endpoint=https://x.example;AccessKey=k;Port=x", "h", "port"),
        (ADDRESS + "ClientEndpoint=door", "h", "ClientEndpoint"),
        ("Endpoint=https://x.example;AccessKey=k;Version=2.0", "h", "Version"),
        ("Endpoint=https://x.example;AuthType=azure.msi", "h", "AuthType"),
        (ADDRESS, "1hub", "hub"),
        (ADDRESS, "a b", "hub"),
    ],
)
def test_a_connection_string_at_fault_is_told_without_its_values(text, hub, words):
    with pytest.raises(BadConnectionString, match=words) as told:
        Endpoint.parse(text, hub)
    assert KEY_OF_SERVICE not in str(told.value) and "example" not in str(told.value)


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        ("7aab239577fd4f24bc919802fb629f5f", "7767effcb3946f3e1de039df4b986ef02c110b1469d02c0a06f41b3b727ab561"),
        ("a5f2815d0d0c4b00bd27e832432f91ab", "d4aefb65547a00a9881fa8ac8bd03d0faf77af9da5205d45c6e57cbda4377760"),
    ],
)
def test_the_service_signs_with_both_of_its_keys(key, signature):
    """Vectors of the official emulator."""
    endpoint = Endpoint.parse(f"Endpoint=https://x.example;AccessKey={key}", "h")
    connection = "0f9c97a2f0bf4706afe87a14e0797b11"
    assert endpoint.signed_by_service(connection, f"sha256={'0' * 64}, SHA256={signature.upper()}")
    assert not endpoint.signed_by_service(connection, f"sha256={'0' * 64}")
    assert not endpoint.signed_by_service("another", f"sha256={signature}")


# ---------------------------------------------------------------- a server whose clients Azure holds

server_test = [pytest.mark.server]


@pytest.fixture
async def azure():
    async with AzureStandIn.serving(keys=("", "")) as azure:
        yield azure
        assert azure.strays == []


@pytest.fixture
def at_azure(own_server, azure):
    """A server that sends its clients to the stand-in; ready once it has seen it."""

    async def start(kind="uvicorn", **given):
        server = await asyncio.to_thread(
            own_server,
            kind,
            AZURE_SIGNALR_CONNECTION_STRING=azure.connection_string,
            AZURE_SIGNALR_UPSTREAM_SECRET=SECRET,
            **given,
        )
        azure.upstream = f"{server.url}/stream/signalr/upstream?code={SECRET}"
        await signalr_is(server, "ok")
        return server

    return start


async def signalr_is(server, beginning):
    async with asyncio.timeout(30), server.client() as http:
        while not (told := (await http.get("/stream/health")).json()["checks"]["signalr"]).startswith(beginning):
            await asyncio.sleep(0.1)
    return told


async def posted(server, **changes):
    async with server.client() as http:
        answer = await http.post("/stream/runs", json=fresh(**changes))
        assert answer.status_code == 202, answer.text
        return answer.json()["run_id"]


@pytest.mark.server
async def test_stock_clients_are_sent_to_azure_and_hear_what_the_log_says(at_azure, azure, stock, scripted_model):
    server = await at_azure(**scripted_model(answer_for([JANE]), "--tokens-per-second", "200").settings)
    client = await stock(server)
    await client("start")
    assert len(azure.clients) == 1

    by_http = await posted(server, mode="preview")  # whoever starts a run hears it on all of their connections
    by_hub = (await client("ProcessEmail", fresh(mode="preview", cc=["a@b.example"])))["run_id"]
    for run_id in (by_http, by_hub):
        await client("await", "complete", run_id)
        told = [event for event in await client("events") if event["run_id"] == run_id]
        assert told == await by_polling(server, run_id)

    tokens = sum(event["type"] == "extraction_token" for event in await client("events"))
    assert len(azure.bodies) < tokens  # words that come together are sent together


@pytest.mark.server
async def test_the_hubs_methods_work_through_azure(at_azure, azure, stock):
    server = await at_azure()
    client = await stock(server)
    await client("start")
    saved, dropped = [(await client("ProcessEmail", fresh(to=[f"{n}@x.example"])))["run_id"] for n in range(2)]
    for run_id in (saved, dropped):
        await client("await", "review_ready", run_id)
    assert await client("Cancel", dropped) == "cancelled"
    assert await client("Save", saved, {"allow_duplicate": True}) == "saving"
    await client("await", "complete", saved)
    assert "no such method" in (await client.outcome("Dance"))["error"]
    assert "no such run" in (await client.outcome("Subscribe", "x", None))["error"].lower()

    late = await stock(server)
    await late("start")
    await late("Subscribe", saved, "1.2")
    await late("await", "complete", saved)
    log = await by_polling(server, saved)
    log += await by_polling(server, saved, log[-1]["cursor"])
    assert [event["sequence"] for event in await late("events")] == [event["sequence"] for event in log[2:]]
    await late("Unsubscribe", saved)


@pytest.mark.server
async def test_a_refused_message_is_sent_again_and_a_large_one_in_parts(at_azure, azure, stock):
    server = await at_azure()
    client = await stock(server)
    await client("start")

    azure.weather.refusals = [429, 500]
    run_id = await posted(server, mode="preview")
    await client("await", "complete", run_id)
    log = await by_polling(server, run_id)
    assert await client("events") == log

    azure.weather.most_bytes = 1500
    run_id = await posted(server, mode="preview", cc=["a@b.example"])
    log = await by_polling(server, run_id)
    small = [event["sequence"] for event in log if len(json.dumps(event, ensure_ascii=False).encode()) < 1300]
    assert len(small) < len(log)

    async def heard():
        return [event["sequence"] for event in await client("events") if event["run_id"] == run_id]

    async with asyncio.timeout(20):
        while len(await heard()) < len(small):
            await asyncio.sleep(0.1)
    assert set(small) <= set(await heard())


@pytest.mark.server
async def test_an_azure_that_is_away_is_left_out_until_it_is_back(at_azure, azure):
    server = await at_azure()
    azure.weather.down = True
    run_id = await posted(server, mode="preview")
    assert (await by_polling(server, run_id))[-1]["type"] == "complete"
    await signalr_is(server, "away since 20")
    async with server.client() as http:
        assert (await http.get("/stream/health")).json()["status"] == "degraded"
        terms = (await http.get("/stream/negotiate")).json()
        stock_terms = (await http.post("/stream/negotiate?negotiateVersion=1")).json()
        assert terms["mode"] == "websocket"
        assert "availableTransports" in stock_terms
        assert (await http.post(f"/stream/runs/{run_id}/subscribe")).json()["code"] == "signalr_away"

    azure.weather.down = False
    await signalr_is(server, "ok")
    async with server.client() as http:
        terms = (await http.get("/stream/negotiate")).json()
        assert terms["mode"] == "signalr"
        assert (await http.post(f"/stream/runs/{run_id}/subscribe")).status_code == 202
    by_way = {one["transport"]: one for one in terms["fallbacks"]}
    protocols = ["wellintake.v1", f"ticket.{by_way['websocket']['accessToken']}"]
    async with connected(server, address=by_way["websocket"]["url"], subprotocols=protocols) as socket:
        assert json.loads(await socket.recv())["type"] == "connection_established"


@pytest.mark.server
async def test_only_the_service_itself_may_say_what_clients_say(at_azure, azure, stock):
    server = await at_azure()
    client = await stock(server)
    await client("start")
    (held,) = azure.clients.values()
    good = {
        "X-ASRS-Connection-Id": held.id,
        "X-ASRS-Hub": "EmailProcessing",
        "X-ASRS-Category": "messages",
        "X-ASRS-Signature": azure.signature(held.id, azure.keys[0]),
        "X-ASRS-User-Claims": f"nameid: {held.user}, wi: {held.claims['wi']}",
    }
    message = {"Type": 1, "InvocationId": "1", "Target": "ProcessEmail", "Arguments": [{**MAIL, "mode": "preview"}]}

    async def said(changes=None, code=SECRET, **given):
        given = given or {"json": message}
        async with httpx2.AsyncClient() as http:
            headers = {**good, **(changes or {})}
            return await http.post(
                f"{server.url}/stream/signalr/upstream", params={"code": code}, headers=headers, **given
            )

    first = await said()
    assert first.status_code == 200 and json.loads(first.text.rstrip("\x1e"))["result"]["run_id"]
    foreign = {"X-ASRS-Signature": azure.signature(held.id, "another key")}
    assert [(await said(foreign)).status_code, (await said(code="x")).status_code] == [401, 401]
    assert (await said({"X-ASRS-Signature": azure.signature("other", azure.keys[0])})).status_code == 401
    assert (await said({"X-ASRS-Hub": "chat"})).status_code == 404
    assert (await said({"X-ASRS-Category": "connections"}, json={"type": 10})).status_code == 204
    assert (await said(content=b"\x92\x01\x02", changes={"Content-Type": "application/x-msgpack"})).status_code == 415
    assert (await said(json=[1])).status_code == 400
    for claims in ("", f"nameid: {held.user}", f"wi: {held.claims['wi'][:-2]}xx", f"wi: {KEY}"):
        answer = await said({"X-ASRS-User-Claims": claims})
        assert "Connect again" in json.loads(answer.text.rstrip("\x1e"))["error"]


@pytest.mark.django_db(transaction=True)
async def test_a_key_that_ends_ends_its_connections_at_azure_for_as_long_as_its_token_is_good(azure, threads):
    write, read = threads
    keys = [await write(make_key, name, "firm") for name in ("ended", "good", "long ended")]
    for key, hours in ((keys[0], 0), (keys[2], 3)):
        await write(revoke, key, timezone.now() - timedelta(hours=hours))
    service = SignalRService(Endpoint.parse(azure.connection_string, HUB))
    users = [user_of(Caller(f"key:{id_of(key)}", "firm")) for key in keys]
    async with AsyncExitStack() as stack:

        async def arrive(key):
            token = service.endpoint.client_token(Caller(f"key:{id_of(key)}", "firm"), "own")
            address = f"ws://127.0.0.1:{azure.port}/client/?hub={HUB}&access_token={token}"
            socket = await stack.enter_async_context(websockets.connect(address, proxy=None))
            await socket.send('{"protocol":"json","version":1}\x1e')
            assert await socket.recv() == "{}\x1e"
            return socket

        ended, good, long_ended = [await arrive(key) for key in keys]
        for user in users:
            await service.add_user("run-1", user)
        for _ in range(2):  # it comes back with the token that it has
            await look_once_at_azure(service, read)
            await ended.wait_closed()
            ended = await arrive(keys[0])
        azure.weather.down = True
        await look_once_at_azure(service, read)

        assert {client.user for client in azure.clients.values()} >= set(users[1:])
        assert azure.members["run-1"] == {f"user {user}" for user in users[1:]}
        assert (good.state, long_ended.state) == (State.OPEN, State.OPEN)
    await service.close()


def revoke(key, at):
    ApiKey.objects.filter(pk=id_of(key)).update(revoked_at=at)
