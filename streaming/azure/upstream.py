"""What clients whose connections Azure holds say to us: the service posts it here, and hands our answer back to them.

Upstream protocol: https://learn.microsoft.com/azure/azure-signalr/concept-upstream. Three things prove a message: the
secret in the address, the service's signature of the connection's id, and our own token among the user's claims, which
says who it is and expires; the first two alone could be replayed.
"""

import hmac
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from pydantic import ValidationError

from extraction.types import Corrections, Email
from streaming.addresses import Addresses
from streaming.azure.endpoint import CLAIM, group_of
from streaming.azure.push import Push
from streaming.azure.service import ServiceAway, SignalRService, not_now
from streaming.callers import Caller
from streaming.problems import Problem
from streaming.requests import content_of, endpoint
from streaming.runs import Runs
from streaming.transports.hub import INVOCATION, Record, completion_of, outcome_of
from streaming.wire import Cursor, Reset

CATCH_UP_SECONDS = 5.0


class Upstream:
    """`secret` is what the service's upstream address ends in: `…/stream/signalr/upstream?code=<secret>`."""

    def __init__(self, runs: Runs, service: SignalRService, push: Push, addresses: Addresses, secret: str) -> None:
        self._runs = runs
        self._service = service
        self._push = push
        self._addresses = addresses
        self._secret = secret

    @endpoint("POST")
    async def hear(self, request: HttpRequest) -> HttpResponseBase:
        """One message of one client. 204 where nobody waits for an answer."""
        connection_id = request.headers.get("X-ASRS-Connection-Id", "")
        signatures = request.headers.get("X-ASRS-Signature", "")
        known = hmac.compare_digest(request.GET.get("code", "").encode(), self._secret.encode())
        if not (known and self._service.endpoint.signed_by_service(connection_id, signatures)):
            raise Problem(401, "not_signed_by_azure", "This address is for Azure SignalR Service.")
        if request.headers.get("X-ASRS-Hub", "").lower() != self._service.endpoint.hub:
            raise Problem(404, "no_such_hub", "There is no such hub here.")
        if request.headers.get("X-ASRS-Category", "").lower() != "messages":
            return HttpResponse(status=204)
        record = _record_from(request)
        if record.type != INVOCATION:
            return HttpResponse(status=204)
        caller = await self._addresses.sender_of(_claims_of(request).get(CLAIM, ""))
        if caller is None:
            outcome: dict[str, Any] = {"error": "The sign-in of this connection is over. Connect again."}
        else:
            links = partial(self._addresses.links, request, caller)
            client = RemoteClient(self._runs, self._service, self._push, links, caller, connection_id)
            outcome = await outcome_of(client, record)
        if record.invocationId is None:
            return HttpResponse(status=204)
        return HttpResponse(completion_of(record, outcome), content_type="application/json")


class RemoteClient:
    """The hub's methods (`streaming.transports.hub.Methods`) for a connection that Azure holds. `links` makes those of
    a run."""

    def __init__(
        self,
        runs: Runs,
        service: SignalRService,
        push: Push,
        links: Callable[[str], dict[str, str]],
        caller: Caller,
        connection_id: str,
    ) -> None:
        self._runs = runs
        self._service = service
        self._push = push
        self._links = links
        self._caller = caller
        self._connection_id = connection_id

    async def process_email(self, email: Email) -> dict[str, str]:
        started = await self._runs.start(email, self._caller)
        return {"run_id": started.run_id}

    async def subscribe(self, run_id: str, after: str | None) -> None:
        await self._runs.visible(run_id, self._caller)
        cursor = Cursor.parse(after)
        try:
            await self._service.add_connection(group_of(run_id), self._connection_id)
            # Only what there is by now; what comes from here on comes through the group.
            follow = self._runs.log.follow(run_id, cursor, keepalive=0.001, seconds=CATCH_UP_SECONDS)
            async with aclosing(follow) as arrivals:
                async for items in arrivals:
                    if not items:
                        break
                    told = [one.with_links(self._links(run_id)) if isinstance(one, Reset) else one for one in items]
                    await self._push.catch_up(self._connection_id, told)
        except ServiceAway:
            raise not_now() from None

    async def leave(self, run_id: str) -> None:
        try:
            await self._service.remove_connection(group_of(run_id), self._connection_id)
        except ServiceAway:
            raise not_now() from None

    async def save(self, run_id: str, corrections: Corrections | None) -> str:
        return str(await self._runs.save(run_id, self._caller, corrections or Corrections()))

    async def cancel(self, run_id: str) -> str:
        return str(await self._runs.cancel(run_id, self._caller))

    async def acknowledge(self, run_id: str, sequence: int) -> None:
        """The service reads as fast as we send."""


def _record_from(request: HttpRequest) -> Record:
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", "This hub speaks SignalR's JSON protocol only.")
    try:
        given = orjson.loads(content_of(request))
        # The documentation writes the names with capitals, the service without.
        lower = {name.lower(): value for name, value in given.items()}
        return Record.model_validate({"invocationId": lower.pop("invocationid", None), **lower})
    except (orjson.JSONDecodeError, AttributeError, ValidationError):
        raise Problem(400, "malformed", "This is not a message of SignalR's JSON protocol.") from None


def _claims_of(request: HttpRequest) -> dict[str, str]:
    """`X-ASRS-User-Claims` is `type: value` by commas."""
    pairs = (claim.partition(":") for claim in request.headers.get("X-ASRS-User-Claims", "").split(","))
    return {name.strip(): value.strip() for name, _, value in pairs}
