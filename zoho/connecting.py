"""The admin's page of the connection to Zoho: how it stands, connecting by OAuth, taking it back. It shows no token."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from extraction.errors import CrmError
from zoho.accounts import SCOPES, Accounts, Grant
from zoho.auth import keep, locked, stored
from zoho.client import ZohoClient
from zoho.data_centres import data_centre_of
from zoho.errors import ZohoNotConnected
from zoho.grants import Grants
from zoho.models import Connection

STATE_SECONDS = 600
STATE_SALT = "zoho.connecting"

View = Callable[[HttpRequest], HttpResponse]


class ConnectPages:
    def __init__(
        self, accounts: Accounts | None, grants: Grants, client: ZohoClient | None, public_url: str | None
    ) -> None:
        """`accounts` and `client` are None while the settings name no OAuth client."""
        self._accounts = accounts
        self._grants = grants
        self._client = client
        self._public_url = public_url

    def urls(self) -> list[URLPattern]:
        """To stand under `admin/zoho/connection/`, before the admin's own."""
        return [
            path("", _for_staff(require_safe(self.page)), name="zoho_connection"),
            path("callback/", _for_staff(require_safe(self.callback)), name="zoho_connection_callback"),
            path("check/", _for_staff(require_POST(self.check)), name="zoho_connection_check"),
            path("revoke/", _for_staff(require_POST(self.revoke)), name="zoho_connection_revoke"),
        ]

    def page(self, request: HttpRequest) -> HttpResponse:
        row = stored()
        shown = {
            **admin.site.each_context(request),
            "title": "Zoho connection",
            "opts": Connection._meta,
            "row": row,
            "facts": self._facts(row),
            "scopes": SCOPES,
            "redirect_uri": self._redirect_uri(request),
            "authorisation_url": self._authorisation_url(request),
        }
        return TemplateResponse(request, "zoho/connection.html", shown)

    def _facts(self, row: Connection) -> list[tuple[str, str]]:
        """What there is to say, without a secret."""
        addresses = self._grants.whereabouts.addresses(row.accounts_url)
        given = (
            f"by {row.connected_by}" if row.refresh_token else "by the settings" if self._grants.refresh_token else ""
        )
        facts = [
            ("State", _state(row, bool(given))),
            ("Organisation", row.organisation),
            ("Access given", given),
            ("Connected since", _time(row.connected_at)),
            ("Data centre", f"{data_centre_of(addresses.accounts) or 'by the settings'} ({addresses.api})"),
            ("Access token valid till", _time(row.expires_at)),
            ("Access tokens asked for", str(row.renewals)),
            ("Last error", f"{row.error} ({_time(row.error_at)})" if row.error else ""),
        ]
        return [(name, told) for name, told in facts if told]

    def _authorisation_url(self, request: HttpRequest) -> str | None:
        if self._accounts is None:
            return None
        state = signing.dumps(request.user.pk, salt=STATE_SALT)
        return self._accounts.authorisation_url(self._redirect_uri(request), state)

    def _redirect_uri(self, request: HttpRequest) -> str:
        callback = reverse("zoho_connection_callback")
        return self._public_url + callback if self._public_url else request.build_absolute_uri(callback)

    def callback(self, request: HttpRequest) -> HttpResponse:
        """Where Zoho sends the administrator back to: with a code for us, or with the word that there is none."""
        if not _is_own_state(request):
            messages.error(request, "This answer does not belong to a connection that you began here. Begin again.")
        elif code := request.GET.get("code"):
            self._connect(request, code)
        else:
            messages.error(request, "Zoho gave no access: it was declined there.")
        return _back()

    def _connect(self, request: HttpRequest, code: str) -> None:
        addresses = self._grants.whereabouts.addresses(request.GET.get("accounts-server"))
        try:
            granted = self._some_accounts().exchange(code, self._redirect_uri(request), addresses)
        except CrmError as error:
            messages.error(request, error.message)
            return
        if not granted.refresh_token:
            messages.error(request, "Zoho gave access for one hour only. Revoke this application at Zoho; begin again.")
            return
        grant = Grant(granted.refresh_token, addresses)
        with transaction.atomic():
            row = locked()
            keep(row, self._grants.vault, granted, grant)
            row.refresh_token, row.accounts_url = self._grants.vault.seal(grant.refresh_token), addresses.accounts
            row.connected_by, row.organisation = request.user.get_username(), ""
            row.save()
        self._ask_for_organisation(request)

    def check(self, request: HttpRequest) -> HttpResponse:
        self._ask_for_organisation(request)
        return _back()

    def _ask_for_organisation(self, request: HttpRequest) -> None:
        """The proof that it works: Zoho tells who it is."""
        try:
            name = async_to_sync(self._organisation)()
        except CrmError as error:
            messages.error(request, error.message)
            return
        Connection.objects.filter(pk="zoho").update(organisation=name[:255])
        messages.success(request, f"Connected to {name}.")

    async def _organisation(self) -> str:
        answer = await self._client.call("GET", "/org") if self._client else None
        if answer is None:
            raise ZohoNotConnected
        return str(answer["org"][0]["company_name"])

    def revoke(self, request: HttpRequest) -> HttpResponse:
        """Take the administrator's grant back at Zoho, and forget it here whatever Zoho says."""
        try:
            row = stored()
            if row.refresh_token and (grant := self._grants.of(row)):
                self._some_accounts().revoke(grant)
        except CrmError as error:
            messages.warning(request, f"Forgotten here, but not revoked at Zoho: {error.message}")
        else:
            messages.success(request, "Revoked.")
        Connection.objects.filter(pk="zoho").delete()
        return _back()

    def _some_accounts(self) -> Accounts:
        if self._accounts is None:
            raise PermissionDenied
        return self._accounts


def _for_staff(view: View) -> Any:
    """Signed in to the admin, and allowed to change the connection."""

    def allowed(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("zoho.change_connection"):
            raise PermissionDenied
        return view(request)

    return admin.site.admin_view(allowed)


def _is_own_state(request: HttpRequest) -> bool:
    try:
        return bool(
            signing.loads(request.GET.get("state", ""), salt=STATE_SALT, max_age=STATE_SECONDS) == request.user.pk
        )
    except signing.BadSignature:
        return False


def _state(row: Connection, has_grant: bool) -> str:
    if not has_grant:
        return "Not connected"
    if row.error_code:
        return "Connected, but Zoho gave no access token" if row.error_code != "crm_not_connected" else "Not connected"
    return "Connected" if row.access_token else "Not used yet"


def _time(seconds: float | None) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if seconds else ""


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("zoho_connection"))
