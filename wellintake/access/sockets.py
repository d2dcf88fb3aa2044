"""The door of every socket: whose page opens it, and who shows a ticket."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from channels.security.websocket import WebsocketDenier

from wellintake.access.verifier import Origins, Verifier

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[Any]]


class Doorkeeper:
    """Refuses strange origins before the handshake, and puts `scope["caller"]`: None when the ticket is no good, so
    that the consumer can say so in a frame that browsers let a page see."""

    def __init__(self, application: Application, verifier: Verifier, origins: Origins) -> None:
        self._application = application
        self._verifier = verifier
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._origins.allow(headers.get("origin"), headers.get("host", "")):
            return await WebsocketDenier()(scope, receive, send)
        ticket = _ticket(scope)
        caller = await self._verifier.spend(ticket) if ticket else None
        return await self._application({**scope, "caller": caller}, receive, send)


def _ticket(scope: Scope) -> str | None:
    """From the subprotocols, or from the query: `id` of a SignalR client, else `access_token`. Used, it is harmless
    in a log."""
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith("ticket."):
            return str(protocol.removeprefix("ticket."))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    found = query.get("id") or query.get("access_token")
    return found[0] if found else None
