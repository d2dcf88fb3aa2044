"""Access tokens of Microsoft Entra ID, version 2.0: people of listed tenants, signed in to our application.

https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens
"""

import asyncio
import math
import time
from collections.abc import Iterable
from typing import Any

import httpx2
import jwt
import structlog

from streaming.callers import Caller
from streaming.problems import Problem

AGAIN_SECONDS = 30  # a token that names an unknown key may be the first after a rotation, or made up: look once
FRESH_SECONDS = 3600.0  # a key that Microsoft has withdrawn is good for as long
KEPT_SECONDS = 24 * 3600.0  # known keys go on for as long while Microsoft does not answer
FETCH_SECONDS = 5.0
LEEWAY_SECONDS = 60
REQUIRED = ["exp", "iat", "iss", "aud", "tid", "oid", "scp"]
logger = structlog.get_logger()


class EntraTokens:
    """`tenants` are their ids, `client_id` is our application's, `scope` what it exposes and users consent to."""

    def __init__(self, authority: str, tenants: Iterable[str], client_id: str, scope: str) -> None:
        self._keys = {tenant: SigningKeys(f"{authority}/{tenant}/v2.0") for tenant in tenants}
        self._client_id = client_id
        self._scope = scope

    async def caller_of(self, token: str) -> Caller | None:
        """The person that the token proves; None when it is forged, expired, of another tenant or for another
        application. Raises `Problem` 503 when Microsoft's keys are needed and cannot be had: a client that is told 401
        throws its token away and asks its user to sign in again, which would not help."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            tenant = jwt.decode(token, options={"verify_signature": False}).get("tid")
        except jwt.InvalidTokenError:
            return None
        keys = self._keys.get(tenant) if isinstance(tenant, str) else None  # strangers cause no request of ours
        key = await keys.find(kid) if keys and isinstance(kid, str) else None
        if keys is None or key is None:
            return None
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._client_id,
                issuer=keys.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED},
            )
        except jwt.InvalidTokenError:
            return None
        return _person(claims) if self._scope in str(claims["scp"]).split() else None


def is_entra(token: str) -> bool:
    """Whether it looks like one of Microsoft's tokens; ours are signed otherwise."""
    try:
        return bool(jwt.get_unverified_header(token)["alg"] == "RS256")
    except jwt.InvalidTokenError:
        return False


def _person(claims: dict[str, Any]) -> Caller:
    # The object id is the person's for good, names and addresses change hands. Nothing outlives the token: whoever
    # leaves the tenant gets no new one.
    return Caller(
        subject=f"entra:{claims['oid']}",
        tenant=claims["tid"],
        name=_text(claims.get("name")),
        email=_text(claims.get("preferred_username")),
        until=claims["exp"],
    )


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) else None


class SigningKeys:
    """The keys of one issuer, fetched when an unknown one is named and once an hour."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._known: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """The key of this id; None when the issuer has none. Raises `Problem` 503 when it cannot be asked."""
        if kid not in self._known or self._age() > FRESH_SECONDS:
            await self._look_again()
        if kid in self._known and self._age() < KEPT_SECONDS:
            return self._known[kid]
        if self._fetched_at < self._tried_at:
            detail = "Microsoft's keys cannot be fetched at the moment; your sign-in could not be checked."
            raise Problem(503, "sign_in_unavailable", detail, retry_after=AGAIN_SECONDS)
        return None

    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    async def _look_again(self) -> None:
        if self._fetching is None or self._fetching.done():
            if time.monotonic() - self._tried_at < AGAIN_SECONDS:
                return
            self._tried_at = time.monotonic()
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(self._fetching)  # a caller that goes away takes nobody's keys along

    async def _fetch(self) -> None:
        try:
            self._known = await asyncio.to_thread(_keys_of, self.issuer)
            self._fetched_at = time.monotonic()
        except (httpx2.HTTPError, jwt.PyJWTError, OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("entra_keys_away", issuer=self.issuer, kind=type(error).__name__)


def _keys_of(issuer: str) -> dict[str, jwt.PyJWK]:
    answer = httpx2.get(f"{issuer}/.well-known/openid-configuration", timeout=FETCH_SECONDS).raise_for_status()
    configuration = answer.json()
    if configuration["issuer"] != issuer:
        raise ValueError("the configuration is another issuer's")
    client = jwt.PyJWKClient(configuration["jwks_uri"], cache_jwk_set=False, timeout=FETCH_SECONDS)
    return {str(key.key_id): key for key in client.get_signing_keys()}
