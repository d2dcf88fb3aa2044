"""Who comes in to the admin, and as whom: by password, or by Microsoft Entra (`oidc.py` speaks with it).

Somebody is staff by what the tenant's administrators have assigned (`roles`, `groups`), never by a mail address, which
people may choose.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.contrib import admin, messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from streaming.problems import Problem
from streaming.responses import problem_response

ON_THE_WAY_SECONDS = 900
SESSION_SECONDS = 8 * 3600  # whoever has left the tenant, or lost the role, is out after a day's work at most
NEXT = "entra_next"
BACKEND = "wellintake.access.signin.People"
logger = structlog.get_logger()


class People(ModelBackend):
    """Knows people who have signed in otherwise, and their permissions; takes no password."""

    def authenticate(self, *given: Any, **credentials: Any) -> None:
        return None

    async def aauthenticate(self, *given: Any, **credentials: Any) -> None:
        return None


@dataclass(frozen=True)
class Directory:
    """Our application in a tenant. `staff` and `superusers` are values of `roles`, or ids in `groups`."""

    authority: str
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    staff: frozenset[str]
    superusers: frozenset[str]

    @property
    def issuer(self) -> str:
        return f"{self.authority}/{self.tenant}/v2.0"


class NotSignedIn(Exception):
    """Microsoft does not answer, or what it says does not prove who somebody is. The cause says which."""


class SignIn:
    """The admin's log-in. `directory` is None where Entra is not set up for it; `passwords` says whether the form of
    names and passwords is there."""

    def __init__(self, directory: Directory | None, public_url: str | None, *, passwords: bool) -> None:
        self._directory = directory
        self._public_url = public_url
        self._passwords = passwords
        if directory:
            from wellintake.access.oidc import Microsoft  # most of a second that others need not pay

            self._microsoft = Microsoft(directory)

    def urls(self) -> list[URLPattern]:
        """To stand before the admin's own."""
        entra = [
            path("admin/entra/", never_cache(require_safe(self.leave)), name="entra"),
            path("admin/entra/callback", never_cache(require_safe(self.come_back)), name="entra_callback"),
        ]
        return [path("admin/login/", self.page), *(entra if self._directory else [])]

    def page(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and not self._passwords:
            return problem_response(request, Problem(403, "no_passwords", "Sign in with Microsoft."))
        shown = {"with_entra": self._directory is not None, "with_passwords": self._passwords}
        return admin.site.login(request, extra_context=shown)

    def leave(self, request: HttpRequest) -> HttpResponse:
        """Off to Microsoft; state, nonce and verifier wait in the session."""
        request.session[NEXT] = request.GET.get("next", "")[:500]
        request.session.set_expiry(ON_THE_WAY_SECONDS)  # of whoever never comes back nothing is kept for long
        here = (self._public_url or request.build_absolute_uri("/").rstrip("/")) + reverse("entra_callback")
        try:
            return self._microsoft.leave(request, here)
        except NotSignedIn as error:
            return self._refused(request, error, "Microsoft cannot be reached. Please try again.")

    def come_back(self, request: HttpRequest) -> HttpResponse:
        """Microsoft's answer: in, or back to the page with the reason."""
        directory = self._directory
        assert directory  # noqa: S101  (else there is no such address)
        there = request.session.pop(NEXT, "")
        try:
            claims = self._microsoft.claims_of(request)
        except NotSignedIn as error:
            return self._refused(request, error, "Microsoft did not sign you in. Please try again.")
        user = user_from(claims, directory)
        if user is None:
            return self._refused(request, None, "You are not staff here. Ask whoever assigns roles in your firm.")
        login(request, user, backend=BACKEND)
        request.session.set_expiry(SESSION_SECONDS)
        safe = url_has_allowed_host_and_scheme(there, {request.get_host()}, require_https=request.is_secure())
        return HttpResponseRedirect(there if safe else reverse("admin:index"))

    def _refused(self, request: HttpRequest, error: Exception | None, told: str) -> HttpResponse:
        logger.warning("admin_sign_in_refused", kind=type(error.__cause__).__name__ if error else "not_staff")
        messages.error(request, told)
        return HttpResponseRedirect(reverse("admin:login"))


def user_from(claims: Mapping[str, Any], directory: Directory) -> User | None:
    """The staff member that these claims make somebody, as of now; None for everybody else. Whoever was staff and is it
    no more loses it. Django's groups of the same names as roles or groups of Entra give permissions."""
    held = {value for name in ("roles", "groups") for value in _texts(claims.get(name))}
    is_superuser = bool(held & directory.superusers)
    is_staff = is_superuser or bool(held & directory.staff)
    users = get_user_model()._default_manager
    known = f"entra.{claims['oid']}"[:150]  # the object id is the person's for good, names change hands
    with transaction.atomic():
        if not is_staff and not users.filter(username=known).exists():
            return None
        user, _ = users.get_or_create(username=known, defaults={"password": make_password(None)})  # none is right
        user.is_staff, user.is_superuser = is_staff, is_superuser
        user.first_name = str(claims.get("name") or "")[:150]
        user.save()
        user.groups.set(Group.objects.filter(name__in=held) if is_staff else ())
    return user if is_staff and user.is_active else None


def _texts(value: Any) -> Iterable[str]:
    return (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
