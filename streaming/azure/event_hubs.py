"""Azure Event Hubs over its REST interface: a batch of events a call.

Facts: https://learn.microsoft.com/rest/api/eventhub/send-batch-events and …/generate-sas-token.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlsplit

import httpx2
import orjson

from streaming.azure.endpoint import BadConnectionString

API_VERSION = "2014-01"
TOKEN_SECONDS = 900
CALL_SECONDS = 30.0


class HubAway(Exception):
    """It has not taken the batch. `retry_after` is in seconds, None when the answer says nothing; `by_itself` is false
    when a person has to mend something: the key, the hub's name."""

    def __init__(self, problem: str, retry_after: float | None = None, *, by_itself: bool = True) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after
        self.by_itself = by_itself


class BatchTooLarge(Exception):
    """The batch is more than it takes at once."""


@dataclass(frozen=True)
class HubAddress:
    """Where a hub is, and the key that may send to it."""

    url: str
    key_name: str
    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str, name: str | None) -> "HubAddress":
        """From a connection string of the namespace, or of a hub (with EntityPath). Raises `BadConnectionString`."""
        pairs = [part.partition("=") for part in text.split(";") if part.strip()]  # keys end in "=", too
        parts = {key.strip().lower(): value.strip() for key, _, value in pairs}
        for needed in ("Endpoint", "SharedAccessKeyName", "SharedAccessKey"):
            if not parts.get(needed.lower()):
                raise BadConnectionString(f"{needed} is missing")
        entity = parts.get("entitypath")
        if name and entity and name.lower() != entity.lower():
            raise BadConnectionString("EntityPath is another hub than EVENT_HUB_NAME")
        if not (hub := name or entity):
            raise BadConnectionString("it names no hub: EVENT_HUB_NAME is missing")
        at = urlsplit(parts["endpoint"])
        if at.scheme != "sb" or not at.hostname:
            raise BadConnectionString("Endpoint is not of the form sb://name.servicebus.windows.net/")
        # Microsoft's emulator has no TLS.
        scheme = "http" if parts.get("usedevelopmentemulator", "").lower() == "true" else "https"
        key = parts["sharedaccesskey"].encode()
        return cls(f"{scheme}://{at.netloc}/{quote(hub)}", parts["sharedaccesskeyname"], key)

    def token(self, now: float) -> str:
        """A shared access signature, good for a quarter of an hour."""
        resource, expires = quote_plus(self.url), int(now) + TOKEN_SECONDS
        signed = hmac.new(self.key, f"{resource}\n{expires}".encode(), hashlib.sha256).digest()
        signature = quote_plus(base64.b64encode(signed))
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expires}&skn={quote_plus(self.key_name)}"


class EventHub:
    """One for a process."""

    def __init__(self, address: HubAddress) -> None:
        self._address = address
        self._http = httpx2.AsyncClient(timeout=CALL_SECONDS)

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, events: Sequence[bytes]) -> None:
        """All of them or none, as far as the answer says. Raises `HubAway`, `BatchTooLarge`."""
        headers = {
            "Authorization": self._address.token(time.time()),
            "Content-Type": "application/vnd.microsoft.servicebus.json",
        }
        url, query = f"{self._address.url}/messages", {"timeout": "20", "api-version": API_VERSION}
        body = orjson.dumps([{"Body": event.decode()} for event in events])
        try:
            answer = await self._http.post(url, params=query, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise HubAway(type(error).__name__) from error
        if answer.status_code == 201:
            return
        if answer.status_code == 413:
            raise BatchTooLarge
        can_pass = answer.status_code in (408, 429) or answer.status_code >= 500
        raise HubAway(f"status {answer.status_code}", _seconds(answer.headers.get("Retry-After")), by_itself=can_pass)


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
