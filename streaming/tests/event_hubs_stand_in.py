"""A namespace of Azure Event Hubs on a socket, as far as its REST interface takes batches: it checks signatures as the
service does, keeps what it was given, and refuses on demand.

In a test: `async with EventHubsStandIn.serving() as hubs:` gives `hubs.connection_string`, `hubs.events`.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import uvicorn

from streaming.tests.azure_stand_in import QuietServer

HUB = "runs"
POLICY = "Send only"


class EventHubsStandIn:
    """`refusals` are what the next calls are answered: a status, with the seconds of Retry-After or None. With
    `forgets` the next batch is taken, and the answer is an error all the same."""

    def __init__(self) -> None:
        self.key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.port = 0
        self.events: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.statuses: list[int] = []
        self.refusals: list[tuple[int, int | None]] = []
        self.forgets = False
        self.most_bytes = 256_000
        self.grown = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def serving(cls) -> AsyncIterator["EventHubsStandIn"]:
        hubs = cls()
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            hubs.port = listening.getsockname()[1]
            server = QuietServer(uvicorn.Config(hubs, lifespan="off", log_level="critical"))
            running = asyncio.create_task(server.serve([listening]))
            try:
                yield hubs
            finally:
                server.should_exit = server.force_exit = True
                await running

    @property
    def connection_string(self) -> str:
        return (
            f"Endpoint=sb://127.0.0.1:{self.port}/;SharedAccessKeyName={POLICY};SharedAccessKey={self.key};"
            "UseDevelopmentEmulator=true;"
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        status, after = self._answer(scope, headers, body)
        self.statuses.append(status)
        told = [(b"retry-after", str(after).encode())] if after is not None else []
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b""})

    def _answer(self, scope: Any, headers: dict[str, str], body: bytes) -> tuple[int, int | None]:
        if self.refusals:
            return self.refusals.pop(0)
        if not self._is_signed(headers.get("authorization", "")):
            return 401, None
        if (scope["method"], scope["path"]) != ("POST", f"/{HUB}/messages"):
            return 404, None
        if dict(parse_qsl(scope["query_string"].decode())).get("api-version") != "2014-01":
            return 400, None
        if headers.get("content-type") != "application/vnd.microsoft.servicebus.json":
            return 400, None
        if len(body) > self.most_bytes:
            return 413, None
        taken = [json.loads(one["Body"]) for one in json.loads(body)]
        self.events += taken
        self.batches.append(len(taken))
        self.grown.set()
        if self.forgets:
            self.forgets = False
            return 500, None
        return 201, None

    def _is_signed(self, authorization: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        given = {name: values[0] for name, values in parse_qs(rest).items()}
        if scheme != "SharedAccessSignature" or set(given) != {"sr", "sig", "se", "skn"}:
            return False
        encoded = rest.partition("&")[0].removeprefix("sr=")  # what was signed is the encoded form
        signed = hmac.new(self.key.encode(), f"{encoded}\n{given['se']}".encode(), hashlib.sha256).digest()
        good = base64.b64encode(signed).decode() == given["sig"] and given["skn"] == POLICY
        covers = f"http://127.0.0.1:{self.port}/{HUB}".startswith(given["sr"])
        return good and covers and time.time() < int(given["se"]) < time.time() + 86_400
