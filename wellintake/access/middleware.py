"""Puts `request.caller` on every request of the application, and holds back who fails to log in to the admin."""

import asyncio
from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import async_only_middleware

from streaming.callers import Caller
from streaming.problems import Problem
from streaming.responses import problem_response
from wellintake.access.throttle import Attempt

Next = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
KEY_PARAMETERS = {"api_key", "apikey", "key", "x-api-key"}
GUARDED = ("/stream", "/intake", "/metrics")
# Asked by those who decide whether this server gets calls at all; and Azure's door, which has proofs of its own and
# speaks for many clients from few addresses. It is never "too many" there.
OPEN = ("/stream/health", "/stream/signalr/upstream")
LOGIN = "/admin/login/"
ENTRA = "/admin/entra/"


@async_only_middleware
def identify_caller(get_response: Next) -> Next:
    from wellintake.wiring import parts

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(GUARDED) and request.path not in OPEN:
            try:
                request.caller = await _caller(request)  # type: ignore[attr-defined]
            except Problem as problem:
                return problem_response(request, problem)
        return await get_response(request)

    async def _caller(request: HttpRequest) -> Caller | None:
        if any(name.lower() in KEY_PARAMETERS for name in request.GET):
            detail = "Keys do not belong in addresses, which end up in logs. Send the header X-API-Key."
            raise Problem(400, "key_in_query", detail)
        door, address = parts().door, _client_of(request)
        token = request.GET.get("access_token")
        if token and request.method == "GET" and request.path.endswith("/events"):
            return await door.reader_of(token, address)
        return await door.caller_of({name.lower(): value for name, value in request.headers.items()}, address)

    return middleware


@async_only_middleware
def limit_logins(get_response: Next) -> Next:
    """A password can be guessed: who has failed too often is not listened to, whatever they say."""
    from wellintake.wiring import parts

    one_at_a_time = asyncio.Lock()  # a thousand guesses at once would all be let through before the first has failed

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(ENTRA):  # each costs a session's row, and a call to Microsoft
            try:
                await parts().throttle.count_sign_in(_client_of(request))
            except Problem as problem:
                return problem_response(request, problem)
        if request.method != "POST" or request.path != LOGIN:
            return await get_response(request)
        async with one_at_a_time:
            return await _log_in(request)

    async def _log_in(request: HttpRequest) -> HttpResponseBase:
        throttle = parts().throttle
        attempt = Attempt(_client_of(request), f"user {request.POST.get('username', '').lower()[:150]}")
        try:
            await throttle.count_address(attempt.address)
            await throttle.raise_when_held(attempt)
        except Problem as problem:
            return problem_response(request, problem)
        response = await get_response(request)
        if response.status_code == 200:  # the form again; who is let in is sent on
            await throttle.failed(attempt)
        return response

    return middleware


def _client_of(request: HttpRequest) -> str:
    from wellintake.wiring import parts

    peer: str | None = request.META.get("REMOTE_ADDR")
    return parts().proxies.client_of(peer, request.headers.get("X-Forwarded-For", ""))
