"""Calls to the service's REST interface (2022-06-01), and whether it is well enough to be asked.

Facts: https://learn.microsoft.com/azure/azure-signalr/signalr-reference-data-plane-rest-api. An answer of 202 says that
a message was taken, not that anybody has got it.
"""

import asyncio
import random
import time
from typing import Any, Literal

import httpx2
import structlog

from streaming.azure.endpoint import API_VERSION, Endpoint, segment
from streaming.problems import Problem

CALLS_AT_ONCE = 50
CALL_SECONDS = 5.0
LOOK_SECONDS = 10.0
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.2
MOST_PAUSE_SECONDS = 5.0
MEMBER_SECONDS = 86_400  # of a user in a run's group; a run in review is seldom older
logger = structlog.get_logger()


class ServiceAway(Exception):
    """It did not do what was asked, also when asked again. Whoever missed something reads the log."""


class TooLarge(ServiceAway):
    """The message is more than it takes."""


def not_now() -> Problem:
    return Problem(503, "signalr_away", "Azure SignalR does not answer. Read the run over HTTP.", retry_after=5)


class SignalRService:
    """One for a process. `since` is when it was found to be away, in epoch seconds, None while it is well."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.since: float | None = time.time()  # until it has been seen
        self._http = httpx2.AsyncClient(
            timeout=CALL_SECONDS,
            limits=httpx2.Limits(max_connections=CALLS_AT_ONCE, max_keepalive_connections=CALLS_AT_ONCE),
        )

    async def close(self) -> None:
        await self._http.aclose()

    @property
    def well(self) -> bool:
        return self.since is None

    async def watch(self) -> None:
        """See every few seconds how it is; runs as long as the process."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask what needs our key, too: the health address alone answers everybody."""
        try:
            status = await self._once("HEAD", "/groups/wellintake", {}, None)
        except httpx2.HTTPError as error:
            self._away(type(error).__name__)
        else:
            if status in (200, 404):
                self.since = None
            else:
                self._away(f"status {status}")

    # ------------------------------------------------------------ messages and members

    async def send(self, to: str, arguments: str) -> None:
        """Have `event(…arguments)` invoked at everybody in `to`: `/groups/G`, `/connections/C`, `/users/U`, or an empty
        string for everybody. `arguments` is a JSON array. Raises `ServiceAway`, `TooLarge`."""
        await self._call("POST", f"{to}/:send", content=f'{{"target":"event","arguments":{arguments}}}')

    async def add_user(self, group: str, user: str) -> None:
        """All connections that the user has, or opens within a day, belong to the group. Raises `ServiceAway`."""
        await self._call("PUT", f"/users/{segment(user)}/groups/{segment(group)}", {"ttl": str(MEMBER_SECONDS)})

    async def add_connection(self, group: str, connection_id: str) -> None:
        """Raises `ServiceAway`, also when the connection is gone."""
        await self._call("PUT", f"/groups/{segment(group)}/connections/{segment(connection_id)}")

    async def remove_connection(self, group: str, connection_id: str) -> None:
        await self._call("DELETE", f"/groups/{segment(group)}/connections/{segment(connection_id)}")

    async def end_user(self, user: str) -> None:
        """The user is told no run any more, and all of their connections are closed; they may come back for as long as
        their token is good. Raises `ServiceAway`."""
        await self._call("DELETE", f"/users/{segment(user)}/groups")
        await self._call("POST", f"/users/{segment(user)}/:closeConnections", {"reason": "Not signed in."})

    # ------------------------------------------------------------ calls

    async def _call(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        query: dict[str, str] | None = None,
        content: str | None = None,
    ) -> None:
        """Repeated where it may help: what arrives twice is dropped by its sequence."""
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(min(FIRST_PAUSE_SECONDS * 4**attempt, MOST_PAUSE_SECONDS) * random.uniform(0.5, 1))  # noqa: S311
            try:
                status = await self._once(method, path, query or {}, content)
            except httpx2.HTTPError as error:
                problem = type(error).__name__
                continue
            if status < 300:
                return
            if status == 413:
                raise TooLarge
            problem = f"status {status}"
            if status not in (401, 403, 408, 429) and status < 500:
                raise ServiceAway(problem)  # of this call's making: a connection that is gone
            if status in (401, 403):
                break
        self._away(problem)
        raise ServiceAway(problem)

    async def _once(self, method: str, path: str, query: dict[str, str], content: str | None) -> int:
        url, token = self.endpoint.rest(path)
        headers: dict[str, Any] = {"Authorization": f"Bearer {token}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        response = await self._http.request(
            method, url, params={"api-version": API_VERSION, **query}, content=content, headers=headers
        )
        return response.status_code

    def _away(self, problem: str) -> None:
        if self.since is None:
            logger.warning("signalr_away", problem=problem)
            self.since = time.time()
