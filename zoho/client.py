"""Calls to Zoho CRM: paced, timed, repeated where that is safe, and answered in our own words."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Literal, Protocol

import httpx2
import stamina

from zoho.answers import RecordResult, body_of, code_of, error_for, results_of
from zoho.errors import ZohoNotConnected, ZohoRateLimited, ZohoUnavailable
from zoho.pace import Pace

VERSION = "/crm/v8"
CONNECT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.25
MOST_PAUSE_SECONDS = 5.0
ANSWERS_SLOWER, UPLOADS_SLOWER = 2, 6  # how many times the longest silence a whole call may take
CREDITS = "X-API-CREDITS-REMAINING"  # told once half of the day's are used

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Files = Mapping[str, tuple[str, bytes, str]]  # part → file name, content, content type


@dataclass(frozen=True)
class Token:
    """An access token, the origin of the API that takes it, and the how-manieth it is."""

    value: str = field(repr=False)
    api_url: str
    renewal: int = 0


class TokenSource(Protocol):
    async def token(self) -> Token:
        """One that is valid as far as is known. Raises `CrmError` of the kinds in `zoho.errors`."""
        ...

    async def renewed(self, refused: Token) -> Token:
        """Another one than that which Zoho has just refused: the newest, when somebody has renewed it already."""
        ...


class Meter(Protocol):
    """Where each call is counted."""

    def called(self, outcome: str, milliseconds: float, credits_left: int | None) -> None:
        """`outcome` is the HTTP status, or `timeout` or `network` when there was none."""
        ...

    def retried(self) -> None: ...


@dataclass(frozen=True)
class Limits:
    """`concurrency` and `per_second` hold for this process, `timeout` is the longest silence in seconds, `patience`
    for how many seconds a call is begun again."""

    concurrency: int = 10
    per_second: float = 20.0
    timeout: float = 20.0
    patience: float = 30.0


@dataclass(frozen=True)
class _Call:
    method: Method
    path: str
    params: Mapping[str, str] | None
    json: Mapping[str, Any] | None
    files: Files | None
    headers: Mapping[str, str] | None

    @property
    def writes(self) -> bool:
        return self.method != "GET"


class ZohoClient:
    """One for a whole process: it holds the connections. Takes some 40 ms for the TLS context: build it off loops."""

    def __init__(self, tokens: TokenSource, limits: Limits, meter: Meter) -> None:
        self._tokens = tokens
        self._limits = limits
        self._meter = meter
        self._pace = Pace(limits.concurrency, limits.per_second)
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(limits.timeout, connect=min(CONNECT_SECONDS, limits.timeout)),
            limits=httpx2.Limits(max_connections=limits.concurrency, max_keepalive_connections=limits.concurrency),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
    ) -> dict[str, Any] | None:
        """The answer's JSON, None when Zoho has none (204, 304). `path` is what follows the version: `/Deals/42`.

        Refusals for rate and failures to connect are repeated while patience lasts; a write whose answer was lost
        only when the caller says that it is `idempotent`, as is an upsert on a unique field. Raises `zoho.errors`.
        """
        asked = _Call(method, path, params, json, files, headers)
        status, body = await self._patiently(asked, repeatable=idempotent or not asked.writes)
        if status >= 400:
            raise error_for(status, body, None, write=asked.writes)
        return None if status in (204, 304) else body

    async def records(
        self,
        method: Method,
        path: str,
        payloads: Sequence[Mapping[str, Any]],
        *,
        duplicate_check_fields: Sequence[str] = (),
        trigger: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
    ) -> list[RecordResult]:
        """Write up to 100 records; the results come in the records' order, refused ones among them (`refusal`).

        `trigger` names Zoho's automations that are to run; without it all do, with an empty one none. Raises only
        when the call failed as a whole.
        """
        sent: dict[str, Any] = {"data": [dict(payload) for payload in payloads]}
        if duplicate_check_fields:
            sent["duplicate_check_fields"] = list(duplicate_check_fields)
        if trigger is not None:
            sent["trigger"] = list(trigger)
        asked = _Call(method, path, None, sent, None, headers)
        status, body = await self._patiently(asked, repeatable=idempotent)
        results = results_of(body)
        if len(results) == len(payloads) and status <= 400:
            return list(results)
        if status < 400:
            raise ZohoUnavailable("Zoho's answer does not say what became of the records.", sent=True)
        raise error_for(status, body, None, write=True)

    async def _patiently(self, asked: _Call, repeatable: bool) -> tuple[int, dict[str, Any]]:
        """Ask until there is an answer that asking again would not change."""
        until = time.monotonic() + self._limits.patience
        async for attempt in stamina.retry_context(
            on=lambda error: self._pause_after(error, repeatable, until),
            attempts=None,
            timeout=self._limits.patience,
            wait_initial=FIRST_PAUSE_SECONDS,
            wait_max=MOST_PAUSE_SECONDS,
            wait_jitter=FIRST_PAUSE_SECONDS,
        ):
            with attempt:
                return await self._authorized(asked)
        raise AssertionError  # stamina raises the last error itself

    def _pause_after(self, error: Exception, repeatable: bool, until: float) -> bool | float:
        """Whether to ask again, or after how many seconds; without a time Zoho named, stamina backs off."""
        match error:
            case ZohoUnavailable(sent=sent) if sent and not repeatable:
                return False
            case ZohoUnavailable() | ZohoRateLimited(retry_after=None):
                again: bool | float = True
            case ZohoRateLimited(retry_after=float(seconds)):
                if time.monotonic() + seconds > until:
                    return False
                again = seconds + random.uniform(0, FIRST_PAUSE_SECONDS)  # noqa: S311  (not all at the same moment)
            case _:
                return False
        self._meter.retried()
        return again

    async def _authorized(self, asked: _Call) -> tuple[int, dict[str, Any]]:
        """One call with a valid token: a token that has died since is renewed once."""
        token = await self._tokens.token()
        status, body = await self._paced(asked, token)
        if _is_spent(status, body):
            token = await self._tokens.renewed(token)
            status, body = await self._paced(asked, token)
            if _is_spent(status, body):
                raise ZohoNotConnected
        return status, body

    async def _paced(self, asked: _Call, token: Token) -> tuple[int, dict[str, Any]]:
        async with self._pace.turn():
            response = await self._measured(asked, token)
        status, body = response.status_code, body_of(response.content)
        if status >= 400:
            retry_after = _seconds(response.headers.get("Retry-After"))
            failure = error_for(status, body, retry_after, write=asked.writes)
            if isinstance(failure, ZohoRateLimited | ZohoUnavailable):
                self._pace.pause(min(retry_after or 0.0, self._limits.patience))
                raise failure
        return status, body

    async def _measured(self, asked: _Call, token: Token) -> httpx2.Response:
        began, outcome, credits_left = time.monotonic(), "network", None
        try:
            response = await self._sent(asked, token)
            outcome, credits_left = str(response.status_code), _whole_number(response.headers.get(CREDITS))
            return response
        except (TimeoutError, httpx2.TimeoutException) as error:
            outcome = "timeout"
            never_left = isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
            raise ZohoUnavailable("Zoho took too long to answer.", sent=asked.writes and not never_left) from error
        except httpx2.TransportError as error:
            never_left = isinstance(error, httpx2.ConnectError)
            raise ZohoUnavailable(sent=asked.writes and not never_left) from error
        finally:
            self._meter.called(outcome, (time.monotonic() - began) * 1000, credits_left)

    async def _sent(self, asked: _Call, token: Token) -> httpx2.Response:
        async with asyncio.timeout(self._limits.timeout * (UPLOADS_SLOWER if asked.files else ANSWERS_SLOWER)):
            return await self._http.request(
                asked.method,
                f"{token.api_url}{VERSION}{asked.path}",
                params=asked.params,
                json=asked.json,
                files=asked.files,
                headers={"Authorization": f"Zoho-oauthtoken {token.value}", **(asked.headers or {})},
            )


def _is_spent(status: int, body: Mapping[str, Any]) -> bool:
    return status == 401 and code_of(body) != "OAUTH_SCOPE_MISMATCH"


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After`: seconds, or a date. None when there is none, or none that makes sense."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    date = parsedate_tz(retry_after)
    return max(0.0, mktime_tz(date) - time.time()) if date else None


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
