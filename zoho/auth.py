"""One access token for all processes of an installation, in one row; of many who find it old, one renews it.

Who renews takes a lease in the row first and asks Zoho outside of the transaction: a lock that is held while a far
server answers would hold up everybody who writes. The others go on with the old token as long as it lives.
"""

import asyncio
import secrets
import time
from typing import Any

import structlog
from django.db import transaction

from extraction.errors import CrmError
from zoho.accounts import Accounts, Grant, Granted
from zoho.client import Token
from zoho.embedded import Database
from zoho.errors import ZohoNotConnected, ZohoRateLimited, ZohoUnavailable
from zoho.grants import Grants
from zoho.models import Connection
from zoho.vault import Vault

RENEWED_AT = 0.8  # of its life
MARGIN_SECONDS = 30.0  # a token that dies sooner is not sent any more
RENEWING_SECONDS = 20.0  # longer than asking may take; who has not come back by then has died
LOOK_SECONDS = 0.1
REMEMBERED_SECONDS = {ZohoNotConnected: 60.0, ZohoUnavailable: 2.0}  # a failure, before Zoho is asked again
logger = structlog.get_logger()


class StoredTokens:
    """Keeps the promise of `zoho.client.TokenSource`."""

    def __init__(self, accounts: Accounts, grants: Grants, read: Database, write: Database) -> None:
        self._accounts = accounts
        self._grants = grants
        self._read = read
        self._write = write
        self._one_at_a_time = asyncio.Lock()
        self._asking: asyncio.Task[Token] | None = None

    async def token(self) -> Token:
        row = await self._read(stored)
        is_fresh = time.time() < row.renew_at
        if is_fresh and (token := self._token_in(row, self._grant_of(row))):
            return token
        # A fresh one that cannot be used, sealed with a key that we do not have, is as good as refused.
        return await self._renew(newer_than=row.renewals if is_fresh else -1)

    async def renewed(self, refused: Token) -> Token:
        return await self._renew(newer_than=refused.renewal)

    async def _renew(self, newer_than: int) -> Token:
        """The newest token: renewed by us, or by whoever holds the lease, for whom we wait."""
        me, until = secrets.token_hex(8), time.monotonic() + 2 * RENEWING_SECONDS
        async with self._one_at_a_time:
            while time.monotonic() < until:
                grant = self._grant_of(await self._read(stored))
                row = await self._write(_claimed, me, grant.mark, newer_than)
                if row.renewing_by == me:
                    # A caller who goes away takes nothing with it: the others are waiting for this one, too.
                    self._asking = asyncio.create_task(self._ask(grant, row, newer_than))
                    return await asyncio.shield(self._asking)
                if row.renewals > newer_than and (token := self._token_in(row, grant)):
                    return token
                if failure := _remembered(row):
                    raise failure
                await asyncio.sleep(LOOK_SECONDS)
        raise ZohoUnavailable("No access token of Zoho could be had in time.", sent=False)

    async def _ask(self, grant: Grant, row: Connection, newer_than: int) -> Token:
        try:
            granted = await asyncio.to_thread(self._accounts.refresh, grant)
        except CrmError as error:
            logger.warning("zoho_token_failed", code=error.code)
            await self._write(_failed, row.renewing_by, grant.mark, error)
            if row.renewals > newer_than and (token := self._token_in(row, grant)):
                return token  # the old one is good for a while
            raise
        kept = await self._write(_kept, row.renewing_by, self._grants.vault, granted, grant)
        return Token(granted.access_token, granted.api_url, kept.renewals)

    def _grant_of(self, row: Connection) -> Grant:
        grant = self._grants.of(row)
        if grant is None:
            raise ZohoNotConnected
        return grant

    def _token_in(self, row: Connection, grant: Grant) -> Token | None:
        """The row's token, if it is of this grant and still alive."""
        if row.grant_mark != grant.mark or time.time() > row.expires_at - MARGIN_SECONDS:
            return None
        token = self._grants.vault.open(row.access_token)
        return Token(token, row.api_url, row.renewals) if token else None


def _remembered(row: Connection) -> CrmError | None:
    """The failure that Zoho's accounts server told somebody of us a moment ago."""
    left = row.ask_again_at - time.time()
    if left <= 0:
        return None
    match row.error_code:
        case ZohoRateLimited.code:
            return ZohoRateLimited(row.error, retry_after=left)
        case ZohoNotConnected.code:
            return ZohoNotConnected(row.error)
        case _:
            return ZohoUnavailable(row.error, sent=False)


# ---------------------------------------------------------------- statements (each runs on a database thread)


def stored() -> Connection:
    return Connection.objects.filter(pk="zoho").first() or Connection()


def locked() -> Connection:
    """The row, ours until the transaction ends; made when there is none yet, or none any more."""
    Connection.objects.get_or_create(pk="zoho")
    return Connection.objects.select_for_update().get(pk="zoho")


@transaction.atomic
def _claimed(me: str, mark: str, newer_than: int) -> Connection:
    """The row; `renewing_by` is `me` when it is ours to renew."""
    row, now = locked(), time.time()
    of_this_grant = row.grant_mark == mark
    if of_this_grant and row.renewals > newer_than and now < row.renew_at:
        return row
    if of_this_grant and now < row.ask_again_at:
        return row
    if row.renewing_by not in ("", me) and now < row.renewing_until:
        return row
    row.renewing_by, row.renewing_until = me, now + RENEWING_SECONDS
    row.save(update_fields=["renewing_by", "renewing_until"])
    return row


@transaction.atomic
def _kept(me: str, vault: Vault, granted: Granted, grant: Grant) -> Connection:
    """The row with the new token, unless somebody else has taken over meanwhile. The grant is sealed anew as well, so
    that an old key is needed no longer than a token lives."""
    row = locked()
    if row.renewing_by != me:
        return row
    keep(row, vault, granted, grant)
    if row.refresh_token:
        row.refresh_token = vault.seal(grant.refresh_token)
    row.save()
    return row


def keep(row: Connection, vault: Vault, granted: Granted, grant: Grant) -> None:
    """Put the token into the row: it is there for everybody, and whatever was wrong is not any more."""
    now = time.time()
    if row.grant_mark != grant.mark:
        row.grant_mark, row.connected_at = grant.mark, now
    row.access_token, row.api_url = vault.seal(granted.access_token), granted.api_url
    row.renew_at, row.expires_at = now + granted.seconds * RENEWED_AT, now + granted.seconds
    row.renewals += 1
    row.renewing_by, row.renewing_until = "", 0.0
    row.ask_again_at, row.error_code, row.error, row.error_at = 0.0, "", "", None


@transaction.atomic
def _failed(me: str, mark: str, error: CrmError) -> None:
    row = locked()
    if row.renewing_by != me:
        return
    if row.grant_mark != mark:
        row.access_token, row.renew_at, row.expires_at = "", 0.0, 0.0
    told = {"grant_mark": mark, "error_code": error.code, "error": error.message, "error_at": time.time()}
    for name, value in told.items():
        setattr(row, name, value)
    row.ask_again_at = time.time() + _pause_after(error)
    row.renewing_by, row.renewing_until = "", 0.0
    row.save()


def _pause_after(error: Any) -> float:
    return getattr(error, "retry_after", None) or REMEMBERED_SECONDS.get(type(error), 0.0)
