"""Signing in with Microsoft Entra: OpenID Connect, authorization code with PKCE. Imported only where it is set up.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow. Authlib speaks the protocol: state, nonce,
PKCE, the signature and times of the id token.
"""

import time
from collections.abc import Mapping
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError

from wellintake.access.signin import Directory, NotSignedIn

TIMEOUT_SECONDS = 5.0
AWAY_SECONDS = 10.0
# What Authlib, the libraries below it, and answers that are not as they should be raise.
FAILURES = (AuthlibBaseError, JoseError, requests.RequestException, RuntimeError, ValueError, KeyError, TypeError)


class Microsoft:
    """One tenant's sign-in, for our application in it."""

    def __init__(self, directory: Directory) -> None:
        self._expected = {
            "iss": {"essential": True, "values": [directory.issuer]},
            "aud": {"essential": True, "values": [directory.client_id]},
            "tid": {"essential": True, "values": [directory.tenant]},
            **{name: {"essential": True} for name in ("exp", "nonce", "oid")},
        }
        self._away_until = 0.0
        self._client: Any = OAuth().register(
            "entra",
            client_id=directory.client_id,
            client_secret=directory.secret,
            server_metadata_url=f"{directory.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile",
                "code_challenge_method": "S256",
                "default_timeout": TIMEOUT_SECONDS,
            },
        )

    def leave(self, request: HttpRequest, here: str) -> HttpResponse:
        """Off to Microsoft, which leads back to `here`; state, nonce and verifier wait in the session. Raises
        `NotSignedIn`."""
        try:
            self._load()
            away: HttpResponse = self._client.authorize_redirect(request, here)
        except FAILURES as error:
            raise NotSignedIn from error
        return away

    def claims_of(self, request: HttpRequest) -> Mapping[str, Any]:
        """What Microsoft's answer proves. Raises `NotSignedIn`."""
        try:
            self._load()
            token = self._client.authorize_access_token(request, claims_options=self._expected)
            claims: Mapping[str, Any] = token["userinfo"]
        except FAILURES as error:
            raise NotSignedIn from error
        return claims

    def _load(self) -> None:
        """Microsoft's metadata, once; but the algorithm is ours to choose. While Microsoft is away that is found out
        once in a while: each attempt holds the admin's one thread for seconds."""
        if time.monotonic() < self._away_until:
            raise RuntimeError("away")
        try:
            self._client.load_server_metadata()
        except FAILURES:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise
        self._client.server_metadata["id_token_signing_alg_values_supported"] = ["RS256"]
