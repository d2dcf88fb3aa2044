"""The table of who may say what on the sockets, held against their routes, messages and methods on a real server."""

import json
import time
from typing import get_args

import httpx2
import jwt
import pytest
import websockets
from websockets.sync.client import connect

from conftest import MAIL
from streaming.callers import Caller
from streaming.tests.reading import PROTOCOL, ticket
from streaming.transports.hub import METHODS
from streaming.transports.websocket import ClientMessage
from wellintake.access.keys import SCOPES
from wellintake.access.tokens import token_for
from wellintake.tests.access_table import INVOCATIONS, MESSAGES, SIGNED_IN, SOCKETS

pytestmark = [pytest.mark.server, pytest.mark.embedded]
SECRET = "a-secret-for-tests-that-is-long-enough-0123456789"
END = "\x1e"
ANN = Caller("user:ann", "firm")
BEN = Caller("user:ben", "elsewhere")


def ticket_of(caller=ANN, kind="ticket", secret=SECRET, **claims):
    token = token_for(caller, kind, secret)
    if claims:
        token = jwt.encode(jwt.decode(token, options={"verify_signature": False}) | claims, secret, algorithm="HS256")
    return token


def spent(server):
    token = ticket_of()
    with connect(address_of(server, "stream/ws/email-processing", token), proxy=None):
        return token


def address_of(server, route, token=None):
    """The ticket stands where stock SignalR clients and ours put it."""
    name = "id" if route == "stream" else "access_token"
    return f"ws://127.0.0.1:{server.port}/{route}" + (f"?{name}={token}" if token else "")


class Hub:
    """A hub's connection, record by record."""

    def __init__(self, socket):
        self.socket = socket

    async def handshake(self):
        """What the server answers to it; {} is a welcome."""
        await self.socket.send('{"protocol":"json","version":1}' + END)
        return json.loads((await self.socket.recv()).split(END)[0])

    async def outcome(self, target, *arguments):
        """The completion of an invocation."""
        record = {"type": 1, "target": target, "arguments": arguments, "invocationId": "1"}
        await self.socket.send(json.dumps(record) + END)
        async for text in self.socket:
            for said in map(json.loads, text.split(END)[:-1]):
                if said["type"] == 3:
                    return said
        raise AssertionError(f"closed with {self.socket.close_code}")


async def refusal(server, route, token=None, **given):
    """The close code, or the status when there was no handshake at all."""
    try:
        async with websockets.connect(address_of(server, route, token), proxy=None, **given) as socket:
            if route == "stream":
                await socket.send('{"protocol":"json","version":1}' + END)
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    assert "connection_established" not in await socket.recv()
            return socket.close_code
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


def test_every_route_message_and_method_has_a_row_and_every_row_one_of_these():
    from wellintake.asgi import socket_routes

    assert {str(route.pattern) for route in socket_routes} == set(SOCKETS)
    assert {get_args(message.model_fields["type"].annotation)[0] for message in get_args(ClientMessage)} == set(
        MESSAGES
    )
    assert set(METHODS) == set(INVOCATIONS)


STRANGERS = {
    "no ticket": lambda server: None,
    "no token at all": lambda server: "wrong",
    "forged": lambda server: ticket_of(secret="x" * 50),
    "expired": lambda server: ticket_of(exp=int(time.time()) - 1),
    "a bearer": lambda server: ticket_of(kind="bearer"),
    "without a subject": lambda server: ticket_of(sub=None),
    "replayed": spent,
}


@pytest.mark.parametrize("route", [route for route, proof in SOCKETS.items() if proof == "ticket"])
@pytest.mark.parametrize("who", STRANGERS)
async def test_a_ticket_that_is_no_good_ends_a_socket_with_4401(server, route, who):
    assert await refusal(server, route, STRANGERS[who](server)) == 4401


@pytest.mark.parametrize("route", SOCKETS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://"])
async def test_pages_of_other_origins_open_no_socket_and_spend_no_ticket(server, route, origin):
    token = ticket_of()

    assert await refusal(server, route, token, origin=origin) == 403
    if SOCKETS[route] == "ticket":
        async with websockets.connect(address_of(server, route, token), proxy=None, origin=server.url) as socket:
            assert (await Hub(socket).handshake() == {}) if route == "stream" else await socket.recv()


async def test_a_page_of_a_name_that_is_not_ours_opens_no_socket(server):
    """DNS can give any name our address: then Origin and Host agree, and neither is ours."""
    headers = {"Host": "evil.example"}
    refused = await refusal(server, "stream", ticket_of(), origin="http://evil.example", additional_headers=headers)

    assert refused in (400, 403)  # Daphne refuses it by itself


async def test_the_live_page_s_socket_knows_no_ticket(server):
    assert await refusal(server, "admin/live/socket", ticket_of()) == 4403


async def test_a_route_that_is_none_is_refused(server):
    assert await refusal(server, "stream/nothing", ticket_of()) in (403, 404, 500)


async def run_of(server, caller=BEN):
    bearer = token_for(caller, "bearer", SECRET)
    async with httpx2.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {bearer}"}) as http:
        return (await http.post("/stream/runs", json={**MAIL, "mode": "preview"})).json()["run_id"]


def about(kind, run_id, more):
    return {"type": kind, "request_id": 7, "run_id": run_id, **more}


async def test_a_message_about_somebody_else_s_run_is_as_one_about_none(server):
    run_id = await run_of(server)
    found = {}
    async with connected(server) as socket:
        for kind, (_, more) in MESSAGES.items():
            if more is not None:
                await socket.send(json.dumps(about(kind, run_id, more)))
                found[kind] = code_in(await answer_to(socket, 7))

    assert found == dict.fromkeys(found, "no_such_run")
    assert set(found) == {"subscribe", "save", "cancel"}


async def test_an_invocation_about_somebody_else_s_run_is_as_one_about_none(server):
    run_id = await run_of(server)
    found = {}
    async with websockets.connect(address_of(server, "stream", ticket_of()), proxy=None) as socket:
        hub = Hub(socket)
        assert await hub.handshake() == {}
        for target, (_, more) in INVOCATIONS.items():
            if more is not None:
                found[target] = (await hub.outcome(target, run_id, *more))["error"]

    assert found == dict.fromkeys(("Subscribe", "Save", "Cancel"), "There is no such run, or it is not yours.")


def connected(server, caller=ANN):
    return websockets.connect(
        address_of(server, "stream/ws/email-processing"),
        subprotocols=[PROTOCOL, f"ticket.{ticket_of(caller)}"],
        proxy=None,
    )


async def answer_to(socket, request_id):
    async for text in socket:
        said = json.loads(text)
        if said["data"].get("request_id") == request_id:
            return said
    raise AssertionError(f"closed with {socket.close_code}")


async def until_refused(socket):
    """What is said up to the answer to a message of an unknown type."""
    async for text in socket:
        said = json.loads(text)
        yield said
        if code_in(said) == "fields_at_fault":
            return


def code_in(said):
    return said["data"]["code"] if said["type"] == "error" else None


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_scope_opens_what_it_is_for_on_a_socket(server, scope):
    caller = Caller("user:ann", "firm", scopes=frozenset([scope]))
    run_id = await run_of(server, ANN)
    async with connected(server, caller) as socket:
        for kind, (needed, more) in MESSAGES.items():
            if needed != SIGNED_IN:
                said = {"data": MAIL} if more is None else {"run_id": run_id, **more}
                await socket.send(json.dumps({"type": kind, "request_id": kind, **said}))
                await socket.send(json.dumps({"type": "dance", "request_id": kind}))  # a subscription has no answer
                is_refused = "missing_scope" in [code_in(said) async for said in until_refused(socket)]
                assert is_refused == (scope not in (needed, "admin")), kind


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_scope_opens_what_it_is_for_on_the_hub(server, scope):
    caller = Caller("user:ann", "firm", scopes=frozenset([scope]))
    run_id = await run_of(server, ANN)
    async with websockets.connect(address_of(server, "stream", ticket_of(caller)), proxy=None) as socket:
        hub = Hub(socket)
        assert await hub.handshake() == {}
        for target, (needed, more) in INVOCATIONS.items():
            if needed != SIGNED_IN:
                outcome = await hub.outcome(target, *([MAIL] if more is None else [run_id, *more]))
                is_refused = "lacks the scope" in outcome.get("error", "")
                assert is_refused == (scope not in (needed, "admin")), target


async def test_a_ticket_of_negotiate_works_once_whichever_socket_it_is_shown_to(server):
    token = ticket(server)

    async with websockets.connect(address_of(server, "stream", token), proxy=None) as socket:
        assert await Hub(socket).handshake() == {}
        assert await refusal(server, "stream", token) == 4401
        assert await refusal(server, "stream/ws/email-processing", token) == 4401
