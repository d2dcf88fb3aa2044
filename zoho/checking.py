"""The admin's button that checks the field map against the organisation, and what it found."""

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from extraction.errors import CrmError
from zoho.crm import ZohoCrm
from zoho.models import FieldTarget


class CheckPage:
    def __init__(self, crm: ZohoCrm | None) -> None:
        """`crm` is None while the settings name no OAuth client."""
        self._crm = crm

    def urls(self) -> list[URLPattern]:
        """To stand under `admin/zoho/fieldtarget/`, before the admin's own."""
        return [path("check/", admin.site.admin_view(require_POST(self.check)), name="zoho_check")]

    def check(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("zoho.change_fieldtarget"):
            raise PermissionDenied
        if self._crm is None:
            messages.error(request, "Zoho is not set up: ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET are empty.")
            return HttpResponseRedirect(reverse("admin:zoho_fieldtarget_changelist"))
        try:
            findings = async_to_sync(self._crm.check)()
        except CrmError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("admin:zoho_fieldtarget_changelist"))
        shown = {
            **admin.site.each_context(request),
            "title": "Zoho fields: what was checked",
            "opts": FieldTarget._meta,
            "findings": findings,
        }
        return TemplateResponse(request, "zoho/check.html", shown)
