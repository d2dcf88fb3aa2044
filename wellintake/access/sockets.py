"""The door of every socket: whose page opens it, and who shows a ticket."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from channels.security.websocket import WebsocketDenier

from streaming.problems import Problem
from wellintake.access.door import Door
from wellintake.access.proxies import Proxies
from wellintake.access.verifier import Origins

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[Any]]


class Doorkeeper:
    """Refuses before the handshake strange origins, and addresses that come or fail too often. Puts `scope["caller"]`:
    None when the ticket is no good, so that the consumer can say so in a frame that browsers let a page see; and
    `scope["address"]`."""

    def __init__(self, application: Application, door: Door, origins: Origins, proxies: Proxies) -> None:
        self._application = application
        self._door = door
        self._origins = origins
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._origins.allow(headers.get("origin"), headers.get("host", "")):
            return await WebsocketDenier()(scope, receive, send)
        peer = scope.get("client") or (None,)
        address = self._proxies.client_of(peer[0], headers.get("x-forwarded-for", ""))
        try:
            caller = await self._door.spender_of(_ticket(scope), address)
        except Problem:
            return await WebsocketDenier()(scope, receive, send)
        return await self._application({**scope, "caller": caller, "address": address}, receive, send)


def _ticket(scope: Scope) -> str | None:
    """From the subprotocols, or from the query: `id` of a SignalR client, else `access_token`. Used, it is harmless
    in a log."""
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith("ticket."):
            return str(protocol.removeprefix("ticket."))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    found = query.get("id") or query.get("access_token")
    return found[0] if found else None
