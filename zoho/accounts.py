"""Zoho's accounts server: a code for a grant, a grant for an access token, and taking a grant back.

Synchronous, since it is asked once in three quarters of an hour and by an administrator's clicks: call it on a thread.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2

from extraction.errors import CrmError
from zoho.answers import body_of
from zoho.data_centres import Addresses, Whereabouts
from zoho.errors import ZohoNotConnected, ZohoRateLimited, ZohoUnavailable

TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
PAUSE_SECONDS = 60.0  # after "Access Denied": ten tokens in ten minutes is all that Zoho gives
SCOPES = (
    "ZohoCRM.modules.accounts.ALL",
    "ZohoCRM.modules.contacts.ALL",
    "ZohoCRM.modules.deals.ALL",
    "ZohoCRM.modules.notes.ALL",
    "ZohoCRM.modules.attachments.ALL",
    "ZohoCRM.settings.fields.READ",
    "ZohoCRM.settings.layouts.READ",
    "ZohoCRM.settings.pipeline.READ",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.composite_requests.CUSTOM",
    "ZohoSearch.securesearch.READ",
)


@dataclass(frozen=True)
class OAuthClient:
    """What Zoho's API console calls a server-based application."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """What lets us ask for access tokens. `mark` tells one from another and tells nothing else."""

    refresh_token: str = field(repr=False)
    addresses: Addresses

    @property
    def mark(self) -> str:
        told = f"{self.addresses.accounts}\n{self.addresses.api}\n{self.refresh_token}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Granted:
    """An answer of the accounts server. The refresh token comes only with the first."""

    access_token: str = field(repr=False)
    seconds: float
    api_url: str
    refresh_token: str | None = field(default=None, repr=False)


class Accounts:
    def __init__(self, client: OAuthClient, whereabouts: Whereabouts) -> None:
        self._client = client
        self._whereabouts = whereabouts

    def authorisation_url(self, redirect_uri: str, state: str) -> str:
        """Where an administrator says yes. Zoho comes back to `redirect_uri` with a code and with our `state`."""
        asked = {
            "scope": ",".join(SCOPES),
            "client_id": self._client.id,
            "response_type": "code",
            "access_type": "offline",  # else there is no refresh token
            "prompt": "consent",  # else there is none the second time
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._whereabouts.addresses().accounts}/oauth/v2/auth?{urlencode(asked)}"

    def exchange(self, code: str, redirect_uri: str, addresses: Addresses) -> Granted:
        """The code that Zoho came back with, for a grant and the first access token."""
        return self._asked(addresses, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})

    def refresh(self, grant: Grant) -> Granted:
        return self._asked(grant.addresses, {"grant_type": "refresh_token", "refresh_token": grant.refresh_token})

    def revoke(self, grant: Grant) -> None:
        """Take the grant back at Zoho. What Zoho has revoked itself already is revoked."""
        _post(grant.addresses, "/oauth/v2/token/revoke", {"token": grant.refresh_token})

    def _asked(self, addresses: Addresses, form: Mapping[str, str]) -> Granted:
        form = {"client_id": self._client.id, "client_secret": self._client.secret, **form}
        response = _post(addresses, "/oauth/v2/token", form)
        body = body_of(response.content)
        if "access_token" not in body:
            raise _refusal(response.status_code, body)
        return Granted(
            access_token=str(body["access_token"]),
            seconds=_lifetime(body),
            api_url=self._whereabouts.api_for(addresses, body.get("api_domain")),
            refresh_token=body.get("refresh_token"),
        )


def _post(addresses: Addresses, path: str, form: Mapping[str, str]) -> httpx2.Response:
    """Secrets go in the body: addresses end up in logs."""
    try:
        response = httpx2.post(addresses.accounts + path, data=dict(form), timeout=TIMEOUT)
    except httpx2.TransportError as error:
        raise ZohoUnavailable("Zoho's sign-in cannot be reached at the moment.", sent=False) from error
    if response.status_code >= 500:
        raise ZohoUnavailable("Zoho's sign-in cannot be reached at the moment.", sent=False)
    return response


def _lifetime(body: Mapping[str, Any]) -> float:
    """In seconds; `expires_in` was one of milliseconds for some clients once, with the seconds beside it."""
    return float(body.get("expires_in_sec") or body.get("expires_in") or 3600)


def _refusal(status: int, body: Mapping[str, Any]) -> CrmError:
    """Accounts answers 200 to what it refuses as well; the word is in `error`."""
    match str(body.get("error", "")):
        case "Access Denied" | "access_denied":
            return ZohoRateLimited("Zoho gives no more access tokens for a while.", retry_after=PAUSE_SECONDS)
        case _ if status == 429:
            return ZohoRateLimited("Zoho gives no more access tokens for a while.", retry_after=PAUSE_SECONDS)
        case "invalid_code" | "invalid_grant":
            return ZohoNotConnected("Zoho has revoked our access. " + HOW_TO_CONNECT)
        case "invalid_client" | "invalid_client_secret" | "unauthorized_client":
            return ZohoNotConnected(
                "Zoho does not know us at this data centre. An administrator can check ZOHO_CLIENT_ID, "
                "ZOHO_CLIENT_SECRET and ZOHO_DC, and connect Zoho again."
            )
        case _:
            return ZohoNotConnected("Zoho gave no access token. " + HOW_TO_CONNECT)


HOW_TO_CONNECT = "An administrator can connect it again in the admin, under CRM, Zoho connection."
