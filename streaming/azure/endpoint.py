"""Where an Azure SignalR Service is, and what proves that we may use it. No I/O.

Connection string: https://learn.microsoft.com/azure/azure-signalr/concept-connection-string, and the official SDK's
`ConnectionStringParser`. Tokens and audiences: its `AuthUtility` and `DefaultServiceEndpointGenerator`.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

import jwt

from streaming.callers import Caller

API_VERSION = "2022-06-01"
REST_SECONDS = 300
CLIENT_SECONDS = 3600
CLAIM = "wi"  # of a client's token: our own token, which comes back with each message of the client
SKEW_SECONDS = 30  # our clock may be ahead of the service's
_HUB = re.compile(r"[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}", re.ASCII)
_VERSION = re.compile(r"1\.\d+(?:[\w.-]+)?", re.ASCII)
_KNOWN = {
    "endpoint",
    "accesskey",
    "version",
    "port",
    "clientendpoint",
    "serverendpoint",
    "authtype",
    "clientid",
    "tenantid",
    "clientsecret",
    "clientcert",
}


class BadConnectionString(ValueError):
    """What is wrong with it, without its values."""


@dataclass(frozen=True)
class Endpoint:
    """`endpoint` is what tokens are made out to; clients and we may reach the service by other addresses."""

    endpoint: str
    client_endpoint: str
    server_endpoint: str
    hub: str
    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str, hub: str) -> "Endpoint":
        """From a connection string with an access key. Raises `BadConnectionString`."""
        if not _HUB.fullmatch(hub):
            raise BadConnectionString("the hub's name begins with a letter and has at most 128 letters and digits")
        parts = _pairs(text)
        if "authtype" in parts:
            raise BadConnectionString("AuthType is not served; use a connection string with an AccessKey")
        for name in ("Endpoint", "AccessKey"):
            if not parts.get(name.lower()):
                raise BadConnectionString(f"{name} is missing")
        if not _VERSION.fullmatch(parts.get("version", "1.0")):
            raise BadConnectionString("the Version is not 1.x")
        endpoint = _address("Endpoint", parts["endpoint"], parts.get("port"))
        return cls(
            endpoint,
            _address("ClientEndpoint", parts["clientendpoint"]) if "clientendpoint" in parts else endpoint,
            _address("ServerEndpoint", parts["serverendpoint"]) if "serverendpoint" in parts else endpoint,
            hub.lower(),
            # The key's characters sign, although they look like Base64.
            parts["accesskey"].encode(),
        )

    # ------------------------------------------------------------ for clients

    @property
    def client_url(self) -> str:
        return f"{self.client_endpoint}/client/?hub={self.hub}"

    @property
    def client_origins(self) -> tuple[str, str]:
        """What a page must be allowed to connect to."""
        parts = urlsplit(self.client_endpoint)
        return f"{parts.scheme}://{parts.netloc}", f"ws{parts.scheme.removeprefix('http')}://{parts.netloc}"

    def client_token(self, caller: Caller, own_token: str) -> str:
        """An hour's access for the caller's connections."""
        audience = f"{self._audience_base}client/?hub={self.hub}"
        return self._token(audience, CLIENT_SECONDS, {"nameid": user_of(caller), CLAIM: own_token})

    # ------------------------------------------------------------ for us

    def rest(self, path: str) -> tuple[str, str]:
        """The URL of a REST call, without its query, and the token for it. `path` is below the hub."""
        below = f"api/hubs/{self.hub}{path}"
        return f"{self.server_endpoint}/{below}", self._token(f"{self._audience_base}{below}", REST_SECONDS, {})

    def signed_by_service(self, connection_id: str, signatures: str) -> bool:
        """Whether the service wrote this: it signs a connection's id with each of its access keys."""
        ours = f"sha256={hmac.new(self.key, connection_id.encode(), hashlib.sha256).hexdigest()}".encode()
        return any(hmac.compare_digest(one.strip().lower().encode(), ours) for one in signatures.split(","))

    @property
    def _audience_base(self) -> str:
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.hostname}/"  # without the port, as the service sees itself

    def _token(self, audience: str, seconds: int, claims: Mapping[str, str]) -> str:
        now = int(time.time())
        times = {"iat": now - SKEW_SECONDS, "exp": now + seconds}
        return jwt.encode({**claims, "aud": audience, **times}, self.key, algorithm="HS256")


def user_of(caller: Caller) -> str:
    """Who a caller is to the service: opaque, since it stands in addresses there; unique over all tenants."""
    return hashlib.sha256(f"{caller.tenant}\0{caller.subject}".encode()).hexdigest()[:32]


def group_of(run_id: str) -> str:
    return f"run-{run_id}"


def segment(name: str) -> str:
    """A name as part of a path."""
    return quote(name, safe="")


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")  # keys end in "=", too
        name = name.strip().lower()
        if not equals or not name:
            continue
        if name in pairs:
            raise BadConnectionString("a name is there twice")
        if name in _KNOWN:
            pairs[name] = value.strip()
    if len(pairs) < 2:
        raise BadConnectionString("it has the form Endpoint=https://…;AccessKey=…;Version=1.0;")
    return pairs


def _address(name: str, address: str, port: str | None = None) -> str:
    parts = urlsplit(address.rstrip("/"))
    try:
        number = int(port) if port is not None else parts.port
        well = parts.scheme in ("http", "https") and parts.hostname and (number is None or 1 <= number <= 65535)
    except ValueError:
        well = False
    if not well:
        raise BadConnectionString(f"{name} is not an http or https address, or its port is none")
    place = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    return urlunsplit((parts.scheme, f"{place}:{number}" if number else place, parts.path, "", ""))
