"""The one verifier of HTTP calls, sockets and pages."""

import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.http.request import split_domain_port, validate_host

from streaming.addresses import Kind
from streaming.callers import Caller
from streaming.log import Database
from wellintake.access.entra import EntraTokens, is_entra
from wellintake.access.keys import LEGACY, holder_by_id, holder_of, note_use
from wellintake.access.tokens import SECONDS, caller_of_token, is_signed, token_for
from wellintake.models import SpentTicket

DEMO = Caller(subject="demo", tenant="default", name="Demo")


@dataclass(frozen=True)
class Origins:
    """Whose pages may open sockets: those of our own `hosts` (as in `ALLOWED_HOSTS`), and of `others`."""

    hosts: Sequence[str]
    others: frozenset[str]

    def allow(self, origin: str | None, host: str) -> bool:
        """No Origin at all is no browser; `null` and strangers are refused. Names that are not ours are strangers, too:
        DNS can make any name lead here, and then Origin and Host agree."""
        if origin is None or origin in self.others:
            return True
        parts = urlsplit(origin)
        is_ours = validate_host(split_domain_port(host)[0], self.hosts)
        return parts.scheme in ("http", "https") and parts.netloc == host and is_ours


class Verifier:
    """`secret` signs our tokens, `legacy_key` is the `API_KEY` of the settings, `entra` is there when it is set up."""

    def __init__(
        self, secret: str, legacy_key: str | None, write: Database, read: Database, entra: EntraTokens | None = None
    ) -> None:
        self._secret = secret
        self._legacy_key = legacy_key
        self._write = write
        self._read = read
        self._entra = entra

    async def caller_of(self, headers: Mapping[str, str]) -> Caller | None:
        """Whoever the headers prove: `X-API-Key`, or `Authorization: Bearer` with a token of ours or of Microsoft's.
        Raises `Problem` 503 when Microsoft is needed for that and does not answer."""
        if key := headers.get("x-api-key"):
            return await self._holder_of(key)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if self._entra and is_entra(token.strip()):
            return await self._entra.caller_of(token.strip())
        return await self._bearer_of(token.strip(), "bearer")

    async def reader_of(self, run_token: str) -> Caller | None:
        """Whoever may read the one run that the token names."""
        return await self._bearer_of(run_token, "run")

    async def sender_of(self, token: str) -> Caller | None:
        """Whose connection at Azure this is."""
        return await self._bearer_of(token, "signalr")

    async def spend(self, ticket: str) -> Caller | None:
        """The caller of a socket ticket, the first time it is shown; None from then on, on every replica."""
        if not (found := caller_of_token(ticket, "ticket", self._secret)):
            return None
        caller, ticket_id = found
        return await self.still(caller) if await self._write(_spend, ticket_id) else None

    def has_signed(self, credential: str) -> bool:
        """Whether a token, or a header that holds one, is of our own making; what its time is does not matter."""
        return is_signed(credential.rpartition(" ")[2], self._secret)

    def token(self, caller: Caller, kind: Kind, run_id: str | None = None) -> str:
        return token_for(caller, kind, self._secret, run_id)

    async def still(self, caller: Caller) -> Caller | None:
        """The caller as far as it is still welcome: nothing that was made from a key outlives it or may do more."""
        kind, _, key_id = caller.subject.partition(":")
        if caller.until is not None and caller.until < time.time():
            return None
        if caller.subject == LEGACY.subject:
            return caller if self._legacy_key else None
        if kind != "key":
            return caller
        holder = await self._read(holder_by_id, key_id)
        if holder is None:
            return None
        return caller if holder.is_staff else replace(caller, scopes=caller.scopes & holder.scopes)

    async def _holder_of(self, key: str) -> Caller | None:
        if self._legacy_key and hmac.compare_digest(key.encode(), self._legacy_key.encode()):
            return LEGACY
        found = await self._read(holder_of, key)
        if found is None:
            return None
        caller, is_stale = found
        if is_stale:
            await self._write(note_use, caller.subject)
        return caller

    async def _bearer_of(self, token: str, kind: Kind) -> Caller | None:
        found = caller_of_token(token, kind, self._secret)
        return await self.still(found[0]) if found else None


def _spend(ticket_id: str) -> bool:
    now = time.time()
    try:
        with transaction.atomic():
            SpentTicket.objects.create(id=ticket_id, expires_at=now + SECONDS["ticket"])
    except IntegrityError:
        return False
    SpentTicket.objects.filter(expires_at__lt=now).delete()
    return True
