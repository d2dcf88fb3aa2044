"""A service on a socket that does what Azure SignalR does in serverless mode, and on demand what it does on bad days.

In a test: `async with AzureStandIn.serving() as azure:` gives `azure.connection_string`. Tokens and audiences are
checked, each REST call is held to the service's own OpenAPI document where that stands beside the checkout
(`azure.strays`), clients connect with SignalR's JSON protocol, and what they say is posted to `azure.upstream`.

Facts: the REST reference, `concept-upstream` and the official emulator's source.
"""

import asyncio
import hashlib
import hmac
import json
import random
import re
import secrets
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx2
import jwt
import uvicorn
from jsonschema import Draft4Validator

DOCUMENT = Path(__file__).parents[3] / "shared" / "reference" / "azure-signalr-V20220601.json"
HUB = "emailprocessing"
END = "\x1e"


@dataclass
class Weather:
    """How the service behaves: shares of messages from 0 to 1; `refusals` are the statuses of the next
    messages that we are to send, `most_bytes` is how large they may be."""

    drop: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    refusals: list[int] = field(default_factory=list)
    most_bytes: int = 1_000_000
    down: bool = False  # every call is answered by 503


@dataclass
class Client:
    id: str
    user: str | None
    claims: dict[str, Any]
    send: Any
    shaken: bool = False
    held: str | None = None  # a message that the next one is to overtake
    closed: asyncio.Event = field(default_factory=asyncio.Event)


class AzureStandIn:
    def __init__(self, keys: tuple[str, ...] = ("",)) -> None:
        self.keys = tuple(key or secrets.token_hex(16) for key in keys)
        self.weather = Weather()
        self.upstream: str | None = None
        self.port = 0
        self.clients: dict[str, Client] = {}
        self.members: defaultdict[str, set[str]] = defaultdict(set)  # group → `user U`, `connection C`
        self.calls: list[str] = []
        self.bodies: list[bytes] = []
        self.strays: list[str] = []
        self._chance = random.Random(7)

    @classmethod
    @asynccontextmanager
    async def serving(cls, **given: Any) -> AsyncIterator["AzureStandIn"]:
        azure = cls(**given)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            azure.port = listening.getsockname()[1]
            config = uvicorn.Config(azure, ws="websockets-sansio", lifespan="off", log_level="critical")
            server = QuietServer(config)
            running = asyncio.create_task(server.serve([listening]))
            try:
                yield azure
            finally:
                for client in azure.clients.values():
                    client.closed.set()
                server.should_exit = server.force_exit = True
                await running

    @property
    def connection_string(self) -> str:
        return f"Endpoint=http://127.0.0.1;Port={self.port};AccessKey={self.keys[0]};Version=1.0;"

    def cut(self) -> None:
        """Drop all connections, as an outage does."""
        for client in list(self.clients.values()):
            client.closed.set()

    # ------------------------------------------------------------ the door

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode())
        if scope["type"] == "websocket":
            return await self._websocket(headers, dict(query), receive, send)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["method"] == "OPTIONS":
            status, answer = 200, None
        elif scope["path"].startswith("/client"):
            status, answer = self._negotiate(headers, dict(query))
        else:
            status, answer = await self._rest(scope["method"], scope["raw_path"].decode(), query, headers, body)
        told = [(b"content-type", b"application/json"), (b"access-control-allow-origin", b"*")]
        told += [(b"access-control-allow-headers", b"authorization,content-type,x-requested-with,x-signalr-user-agent")]
        await send({"type": "http.response.start", "status": status, "headers": told})
        text = b"" if answer is None or scope["method"] == "HEAD" else json.dumps(answer).encode()
        await send({"type": "http.response.body", "body": text})
        return None

    def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        for key in self.keys:
            try:
                options = {"require": ["exp", "aud"]}
                return jwt.decode(token, key, algorithms=["HS256"], audience=audience, leeway=300, options=options)
            except jwt.InvalidTokenError:
                continue
        return None

    # ------------------------------------------------------------ clients

    def _client_claims(self, token: str) -> dict[str, Any] | None:
        return self._claims(token, f"http://127.0.0.1/client/?hub={HUB}")

    def _negotiate(self, headers: dict[str, str], query: dict[str, str]) -> tuple[int, Any]:
        if self.weather.down:
            return 503, None
        if query.get("hub") != HUB or not self._client_claims(headers.get("authorization", "")[7:]):
            return 401, None
        transports = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
        name = secrets.token_urlsafe(16)
        told = {"connectionId": name, "connectionToken": name, "negotiateVersion": 1}
        return 200, {**told, "availableTransports": transports}

    async def _websocket(self, headers: dict[str, str], query: dict[str, str], receive: Any, send: Any) -> None:
        await receive()
        # Browsers can send no header with a socket; other clients do.
        claims = self._client_claims(query.get("access_token") or headers.get("authorization", "")[7:])
        if claims is None or self.weather.down:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})

        async def say(text: str) -> None:
            try:
                await send({"type": "websocket.send", "text": text})
            except Exception:  # noqa: BLE001  (it has gone)
                client.closed.set()

        client = Client(query.get("id") or secrets.token_urlsafe(16), claims.get("nameid"), claims, say)
        self.clients[client.id] = client
        hearing = asyncio.create_task(self._hear(client, receive))
        closing = asyncio.create_task(client.closed.wait())
        await asyncio.wait({hearing, closing}, return_when=asyncio.FIRST_COMPLETED)
        for task in (hearing, closing):
            task.cancel()
        del self.clients[client.id]
        try:
            await send({"type": "websocket.close", "code": 1001})
        except Exception:  # noqa: BLE001
            return

    async def _hear(self, client: Client, receive: Any) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            for text in message["text"].split(END)[:-1]:
                record = json.loads(text)
                if not client.shaken:
                    client.shaken = True
                    await client.send("{}" + END)
                elif record["type"] == 6:
                    await client.send('{"type":6}' + END)
                elif record["type"] == 1:
                    if self.upstream is None:
                        return  # "SignalR Service will disconnect any client that sends messages"
                    await self._ask_upstream(client, record)

    async def _ask_upstream(self, client: Client, record: dict[str, Any]) -> None:
        claims = {name: value for name, value in client.claims.items() if name not in ("aud", "exp", "iat")}
        headers = {
            "Content-Type": "application/json",
            "X-ASRS-Connection-Id": client.id,
            "X-ASRS-Hub": HUB,
            "X-ASRS-Category": "messages",
            "X-ASRS-Event": record["target"],
            "X-ASRS-User-Id": client.user or "",
            "X-ASRS-User-Claims": ", ".join(f"{name}: {value}" for name, value in claims.items()),
            "X-ASRS-Signature": ", ".join(self.signature(client.id, key) for key in self.keys),
        }
        async with httpx2.AsyncClient() as http:
            answer = await http.post(self.upstream or "", json=record, headers=headers)
        if "invocationId" not in record:
            return
        if answer.status_code == 200:
            await client.send(answer.text)
        else:
            error = f"Invocation failed, status code {answer.status_code}"
            completion = {"type": 3, "invocationId": record["invocationId"], "error": error}
            await client.send(json.dumps(completion) + END)

    @staticmethod
    def signature(connection_id: str, key: str) -> str:
        return f"sha256={hmac.new(key.encode(), connection_id.encode(), hashlib.sha256).hexdigest()}"

    # ------------------------------------------------------------ REST

    async def _rest(
        self, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        self.strays += strays_of(method, path, query, headers, body)
        if self.weather.down:
            return 503, None
        if self._claims(headers.get("authorization", "")[7:], f"http://127.0.0.1{path}") is None:
            return 401, None
        parts = [unquote(part) for part in path.removeprefix(f"/api/hubs/{HUB}/").split("/")]
        match (method, *parts):
            case ("HEAD", "groups", group):
                return (200 if self._in_group(group) else 404), None
            case ("PUT", "users", user, "groups", group):
                self.members[group].add(f"user {user}")
                return 200, None
            case ("PUT" | "DELETE", "groups", group, "connections", name):
                if name not in self.clients:
                    return 404, None
                (self.members[group].add if method == "PUT" else self.members[group].discard)(f"connection {name}")
                return 200, None
            case ("DELETE", "users", user, "groups"):
                for members in self.members.values():
                    members.discard(f"user {user}")
                return 200, None
            case ("POST", "users", user, ":closeConnections"):
                for client in list(self.clients.values()):
                    if client.user == user:
                        client.closed.set()
                return 204, None
            case ("POST", *_, ":send") if self.weather.refusals:
                return self.weather.refusals.pop(0), None
            case ("POST", *_, ":send") if len(body) > self.weather.most_bytes:
                return 413, None
            case ("POST", *to, ":send"):
                self.bodies.append(body)
                await self._send(to, json.loads(body))
                return 202, None
        return 404, None

    def _in_group(self, group: str) -> list[Client]:
        members = self.members[group]
        return [one for one in self.clients.values() if {f"user {one.user}", f"connection {one.id}"} & members]

    async def _send(self, to: list[str], message: dict[str, Any]) -> None:
        match to:
            case ["groups", group]:
                clients = self._in_group(group)
            case ["connections", name]:
                clients = [self.clients[name]] if name in self.clients else []
            case _:
                clients = list(self.clients.values())
        text = json.dumps({"type": 1, **message}) + END
        for client in clients:
            await self._deliver(client, text)

    async def _deliver(self, client: Client, text: str) -> None:
        weather = self.weather
        if weather.delay:
            await asyncio.sleep(weather.delay)
        if self._chance.random() < weather.drop:
            return
        if client.held is None and self._chance.random() < weather.reorder:
            client.held = text
            return
        held, client.held = client.held, None
        for one in (text, held):
            if one:
                await client.send(one)
                if self._chance.random() < weather.double:
                    await client.send(one)


class QuietServer(uvicorn.Server):
    """Leaves the test's signals alone."""

    @contextmanager
    def capture_signals(self):
        yield


# ---------------------------------------------------------------- the service's own document


@cache
def _document() -> dict[str, Any] | None:
    return json.loads(DOCUMENT.read_text()) if DOCUMENT.is_file() else None


def strays_of(method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes) -> list[str]:
    """Where a call does not keep the document, by rule, never by value."""
    if (document := _document()) is None:
        return []
    name = method + " " + re.sub("(users|groups|connections)/[^/:]+", r"\1/X", path)
    fitting = [
        (known.count("{"), known)
        for known in document["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path) and method.lower() in document["paths"][known]
    ]
    if not fitting:
        return [f"{name} is not in the document"]
    known = min(fitting)[1]
    found = []
    parameters = {one["name"]: one for one in document["paths"][known][method.lower()]["parameters"]}
    values = dict(query) | dict(zip(re.findall(r"\{(\w+)\}", known), map(unquote, _matched(known, path)), strict=True))
    for one in parameters.values():
        if one["in"] == "body":
            if headers.get("content-type") not in ("application/json", "application/json; charset=utf-8"):
                found.append(f"{name} sent as {headers.get('content-type')}")
            schema = {**one["schema"], "definitions": document["definitions"]}
            found += [
                f"{name} breaks {error.validator}" for error in Draft4Validator(schema).iter_errors(json.loads(body))
            ]
        elif one.get("required") and one["name"] not in values:
            found.append(f"{name} lacks {one['name']}")
        elif "pattern" in one and one["name"] in values and not re.search(one["pattern"], values[one["name"]]):
            found.append(f"{name} breaks the pattern of {one['name']}")
    return found + [f"{name} has an unknown {given}" for given, _ in query if given not in parameters]


def _matched(known: str, path: str) -> tuple[str, ...]:
    found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", known), path)
    assert found
    return found.groups()
