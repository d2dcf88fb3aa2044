"""Absolute addresses of a run's resources, as the client sees this server."""

import time
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from django.http import HttpRequest

from streaming.azure.endpoint import CLIENT_SECONDS
from streaming.azure.service import SignalRService
from streaming.callers import Caller

Kind = Literal["bearer", "ticket", "run", "signalr"]
TICKET_SECONDS = 60
FEATURES = {
    "streaming": True,
    "websocket": True,
    "sse": True,
    "ndjson": True,
    "polling": True,
    "signalr": True,
    "review": True,
    "batch": True,
}


class Tokens(Protocol):
    """Makes the signed tokens that stand for a caller."""

    def token(self, caller: Caller, kind: Kind, run_id: str | None = None) -> str: ...

    async def sender_of(self, token: str) -> Caller | None:
        """Whose connection at Azure a token of kind `signalr` was made for; None when it is no good any more."""


class Addresses:
    """`public_url` wins over what the request says. Clients are sent to `signalr` while it is well."""

    def __init__(self, public_url: str | None, tokens: Tokens, signalr: SignalRService | None = None) -> None:
        self._public_url = public_url
        self._tokens = tokens
        self._signalr = signalr

    def base(self, request: HttpRequest) -> str:
        return self._public_url or f"{request.scheme}://{request.get_host()}"

    def base_of(self, scope: Mapping[str, Any]) -> str:
        """The same for a socket's ASGI scope."""
        host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
        return self._public_url or f"{'https' if scope.get('scheme') == 'wss' else 'http'}://{host}"

    def links(self, request: HttpRequest, caller: Caller, run_id: str) -> dict[str, str]:
        """All links of a run. `events` carries a run token, so that a plain `EventSource` can use it."""
        return self.links_at(self.base(request), caller, run_id)

    def links_at(self, base: str, caller: Caller, run_id: str) -> dict[str, str]:
        itself = f"{base}/stream/runs/{run_id}"
        actions = {
            name: f"{itself}/{name}" for name in ("save", "cancel", "retry", "rerun", "undo", "followup", "mail")
        }
        # Who came with a run token gets no new one: it would never expire.
        query = f"?access_token={self._tokens.token(caller, 'run', run_id)}" if caller.run_id is None else ""
        return {
            "self": itself,
            "events": f"{itself}/events{query}",
            **actions,
            "admin": f"{base}/admin/streaming/run/{run_id}/change/",
        }

    def page_of(self, run_id: str) -> str | None:
        """Where people read about a run, for what lies outside; None where the settings name no address."""
        return f"{self._public_url}/admin/streaming/run/{run_id}/change/" if self._public_url else None

    def hub(self, caller: Caller) -> dict[str, Any]:
        """SignalR's own negotiate contract: on to Azure, or to our hub. There the connection's token is a ticket, so
        any replica may be connected to; only WebSockets, since SignalR's other transports need their requests to meet
        one and the same process."""
        if self._signalr and self._signalr.well:
            return self._at_azure(self._signalr, caller)
        ticket = self._tokens.token(caller, "ticket")
        return {
            "negotiateVersion": 1,
            "connectionId": ticket,  # pysignalr connects with this one, whatever the version
            "connectionToken": ticket,
            "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text"]}],
        }

    def connections(self, request: HttpRequest, caller: Caller) -> dict[str, Any]:
        """What negotiate answers: where to connect, with which credentials, and what to fall back to."""
        base = self.base(request)
        socket = {
            "url": f"ws{base.removeprefix('http')}/stream/ws/email-processing",
            "accessToken": self._tokens.token(caller, "ticket"),
        }
        if self._signalr and self._signalr.well:
            first = {**self._at_azure(self._signalr, caller), "mode": "signalr", "expires_in": CLIENT_SECONDS}
            fallbacks = [{"transport": "websocket", **socket}]
        else:
            first = {**socket, "mode": "websocket", "expires_in": TICKET_SECONDS}
            fallbacks = []
        return {
            **first,
            "bearer": self._tokens.token(caller, "bearer"),
            "userId": caller.subject,
            "timestamp": round(time.time(), 3),
            "features": FEATURES,
            "fallbacks": [
                *fallbacks,
                {"transport": "sse", "url": f"{base}/stream/sse/process-email"},
                {"transport": "ndjson", "url": f"{base}/stream/batch/process-email"},
                {"transport": "polling", "url": f"{base}/stream/runs"},
            ],
        }

    async def sender_of(self, token: str) -> Caller | None:
        return await self._tokens.sender_of(token)

    def _at_azure(self, service: SignalRService, caller: Caller) -> dict[str, str]:
        token = service.endpoint.client_token(caller, self._tokens.token(caller, "signalr"))
        return {"url": service.endpoint.client_url, "accessToken": token}
