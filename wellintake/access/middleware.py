"""Puts `request.caller` on every request of the application."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import async_only_middleware

from streaming.callers import Caller
from streaming.problems import Problem
from streaming.responses import problem_response

Next = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
KEY_PARAMETERS = {"api_key", "apikey", "key", "x-api-key"}


@async_only_middleware
def identify_caller(get_response: Next) -> Next:
    from wellintake.wiring import parts

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(("/stream", "/intake", "/metrics")):
            if any(name.lower() in KEY_PARAMETERS for name in request.GET):
                detail = "Keys do not belong in addresses, which end up in logs. Send the header X-API-Key."
                return problem_response(request, Problem(400, "key_in_query", detail))
            try:
                request.caller = await _caller(request)  # type: ignore[attr-defined]
            except Problem as problem:
                return problem_response(request, problem)
        return await get_response(request)

    async def _caller(request: HttpRequest) -> Caller | None:
        verifier = parts().verifier
        token = request.GET.get("access_token")
        if token and request.method == "GET" and request.path.endswith("/events"):
            return await verifier.reader_of(token)
        return await verifier.caller_of({name.lower(): value for name, value in request.headers.items()})

    return middleware
