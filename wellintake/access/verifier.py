"""The one verifier of HTTP calls, sockets and pages."""

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http.request import split_domain_port, validate_host

from streaming.addresses import Kind
from streaming.callers import Caller
from streaming.log import Database
from wellintake.access.keys import caller_of_key
from wellintake.access.tokens import SECONDS, caller_of_token, token_for
from wellintake.models import SpentTicket

DEMO = Caller(subject="demo", tenant="default", name="Demo")


class Verifier:
    """`origins` are those beside the server's own whose pages may open sockets and call it."""

    def __init__(self, secret: str, legacy_key: str | None, origins: frozenset[str], database: Database) -> None:
        self._secret = secret
        self._legacy_key = legacy_key
        self._origins = origins
        self._database = database

    async def caller_of(self, headers: Mapping[str, str]) -> Caller | None:
        """Whoever the headers prove: `X-API-Key`, or `Authorization: Bearer`."""
        if key := headers.get("x-api-key"):
            return await self._database(caller_of_key, key, self._legacy_key)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (found := caller_of_token(token.strip(), "bearer", self._secret)):
            return found[0]
        return None

    def token(self, caller: Caller, kind: Kind, run_id: str | None = None) -> str:
        return token_for(caller, kind, self._secret, run_id)

    def reader_of(self, run_token: str) -> Caller | None:
        """Whoever may read the one run that the token names."""
        found = caller_of_token(run_token, "run", self._secret)
        return found[0] if found else None

    async def spend(self, ticket: str) -> Caller | None:
        """The caller of a socket ticket, the first time it is shown; None from then on, on every replica."""
        if not (found := caller_of_token(ticket, "ticket", self._secret)):
            return None
        caller, ticket_id = found
        return caller if await self._database(_spend, ticket_id) else None

    def origin_allowed(self, origin: str | None, host: str) -> bool:
        """No Origin at all is no browser; `null` and strangers are refused. Names that are not ours are strangers, too:
        DNS can make any name lead here, and then Origin and Host agree."""
        if origin is None:
            return True
        parts = urlsplit(origin)
        ours = parts.scheme in ("http", "https") and parts.netloc == host
        return origin in self._origins or (ours and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS))


def _spend(ticket_id: str) -> bool:
    now = time.time()
    try:
        with transaction.atomic():
            SpentTicket.objects.create(id=ticket_id, expires_at=now + SECONDS["ticket"])
    except IntegrityError:
        return False
    SpentTicket.objects.filter(expires_at__lt=now).delete()
    return True
