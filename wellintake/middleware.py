"""What every answer carries, and what only the admin needs.

All of it is asynchronous: one synchronous middleware would cost every stream a hop into a thread at its start.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.decorators import async_only_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

from extraction.seal import Unopened
from streaming.problems import mail_sealed
from streaming.responses import problem_response

Next = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

PAGES = (
    "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Swagger's page and Django's admin bring inline styles of their own.
PAGES_WITH_STYLES = PAGES.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# Outlook shows the add-in in a frame of its own; Office.js comes from Microsoft and loads more of itself from there.
OUTLOOK = (
    "https://outlook.office.com https://outlook.office365.com https://outlook.live.com https://outlook.cloud.microsoft "
    "https://*.office.com https://*.office365.com https://*.outlook.com https://*.cloud.microsoft https://*.live.com"
)
OFFICE_SCRIPTS = "https://appsforoffice.microsoft.com https://ajax.aspnetcdn.com"
ADD_IN = (
    PAGES.replace("script-src 'self'", f"script-src 'self' {OFFICE_SCRIPTS}")
    .replace("connect-src 'self'", f"connect-src 'self' {OFFICE_SCRIPTS}")
    .replace("frame-ancestors 'none'", f"frame-ancestors 'self' {OUTLOOK}")
)
# By the path's beginning; the first that fits.
POLICIES = (
    ("/addin/simulator/taskpane", PAGES.replace("frame-ancestors 'none'", "frame-ancestors 'self'")),
    ("/addin/simulator/commands", PAGES.replace("frame-ancestors 'none'", "frame-ancestors 'self'")),
    ("/addin/simulator/", PAGES),
    ("/addin/", ADD_IN),
    ("/admin/runs/", PAGES),
    ("/admin/", PAGES_WITH_STYLES),
    ("/api/docs/", PAGES_WITH_STYLES),
    ("/", PAGES),
)


def _policy(path: str, sockets: tuple[str, ...], sign_in: tuple[str, ...] = ()) -> str:
    policy = next(policy for beginning, policy in POLICIES if path.startswith(beginning))
    others = (*sockets, *sign_in) if path.startswith("/addin/") else sockets
    return policy.replace("connect-src 'self'", " ".join(["connect-src 'self'", *others]))


@async_only_middleware
def security_headers(get_response: Next) -> Next:
    from wellintake.wiring import parts

    azure, env = parts().azure, parts().env
    sockets = azure.service.endpoint.client_origins if azure else ()  # where negotiate may send a page
    sign_in = (env.entra_authority,) if env.entra_sign_in else ()  # whom Microsoft's own script may ask in the pane

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # refuses hosts that are not ours, also where no view asks for the host
        response = await get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy(request.path, sockets, sign_in))
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        return response

    return middleware


@async_only_middleware
def sealed_mails(get_response: Next) -> Next:
    """A mail whose key is missing is told as that, whichever page it was for."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        return await get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        return problem_response(request, mail_sealed(error)) if isinstance(error, Unopened) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]  # where Django looks for it
    return middleware


class _Under:
    """Mixed into a middleware: it is there for paths under `prefix`, and nothing at all elsewhere."""

    prefix = "/admin/"
    get_response: Any

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(self.prefix):
            return await super().__acall__(request)  # type: ignore[misc, no-any-return]
        response: HttpResponseBase = await self.get_response(request)
        return response


class AdminSessions(_Under, SessionMiddleware):
    """Sessions for the admin."""


class AdminLogin(_Under, AuthenticationMiddleware):
    """`request.user` for the admin."""


class AdminMessages(_Under, MessageMiddleware):
    """Messages for the admin."""


class AdminCsrf(_Under, CsrfViewMiddleware):
    """Cookies identify nobody outside the admin, so there is nothing to forge there."""

    async def process_view(self, request: HttpRequest, *view: Any) -> Any:  # type: ignore[override]  # Django awaits it
        if request.path.startswith(self.prefix):
            return await sync_to_async(super().process_view)(request, *view)
        return None


@async_only_middleware
def static_files(get_response: Next) -> Next:
    """WhiteNoise for the assets' paths only: it is synchronous."""
    whitenoise = WhiteNoiseMiddleware(lambda request: None)

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/static/") and (found := await sync_to_async(whitenoise)(request)):
            response: HttpResponseBase = found
            return response
        return await get_response(request)

    return middleware
