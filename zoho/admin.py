"""The embedded CRM's records, readable and editable by staff."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from zoho.fieldmap import DEFAULTS
from zoho.models import Account, Attachment, Connection, Contact, Deal, FieldTarget, Note, SourceName


@admin.display(description="created", ordering="created_at")
def created(record: Any) -> str:
    return f"{datetime.fromtimestamp(record.created_at, UTC):%Y-%m-%d %H:%M}"


class NotesOfDeal(admin.StackedInline[Note, Deal]):
    model = Note
    extra = 0
    fields = ("title", "content")


class AttachmentsOfDeal(admin.TabularInline[Attachment, Deal]):
    model = Attachment
    extra = 0
    fields = readonly_fields = ("filename", "content_type", "download")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def download(self, attachment: Attachment) -> str:
        return format_html('<a href="{}">open</a>', f"/admin/zoho/attachment/{attachment.pk}/file/")


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    list_display = ("company_name", "website", "city", "state", "source", created)
    search_fields = ("company_name", "website")
    exclude = ("created_at", "modified_at")


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin[Contact]):
    list_display = ("__str__", "email", "phone", "title", "account", created)
    search_fields = ("first_name", "last_name", "email")
    list_select_related = ("account",)
    autocomplete_fields = ("account",)


@admin.register(Deal)
class DealAdmin(admin.ModelAdmin[Deal]):
    list_display = ("deal_name", "contact", "account", "stage", "source", created)
    list_filter = ("stage", "source")
    search_fields = ("deal_name",)
    list_select_related = ("account", "contact")
    autocomplete_fields = ("account", "contact")
    inlines = (NotesOfDeal, AttachmentsOfDeal)


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin[Note]):
    list_display = ("title", "deal", created)
    autocomplete_fields = ("deal",)


@admin.register(Attachment)
class AttachmentAdmin(admin.ModelAdmin[Attachment]):
    list_display = ("filename", "content_type", "deal", created)
    fields = readonly_fields = ("filename", "content_type", "deal")

    def get_urls(self) -> list[URLPattern]:
        open_file = self.admin_site.admin_view(self.file)
        return [path("<int:pk>/file/", open_file, name="zoho_attachment_file"), *super().get_urls()]

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file itself, always as a download: a mail's HTML must not run in the admin's origin."""
        attachment = self.get_object(request, str(pk))
        if attachment is None or not self.has_view_permission(request, attachment):
            return HttpResponse(status=404)
        response = HttpResponse(bytes(attachment.content), content_type="application/octet-stream")
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(attachment.filename)}"
        return response


@admin.register(Connection)
class ConnectionAdmin(admin.ModelAdmin[Connection]):
    """For its line in the index and its permission. The page at that address is served by `zoho.connecting`."""

    def get_urls(self) -> list[URLPattern]:
        return [path("", self.admin_site.admin_view(self.changelist_view), name="zoho_connection_changelist")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class RowsOfOurs:
    """A row for each thing of ours: none to add, none to delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(FieldTarget)
class FieldTargetAdmin(RowsOfOurs, admin.ModelAdmin[FieldTarget]):
    """Its list has a button that checks it against the organisation (`zoho.checking`)."""

    list_display = ("__str__", "api_name", "default")
    list_editable = ("api_name",)
    list_filter = ("record",)
    list_per_page = 100

    def default(self, target: FieldTarget) -> str:
        return DEFAULTS[target.record].get(target.field, "")  # type: ignore[index]


@admin.register(SourceName)
class SourceNameAdmin(RowsOfOurs, admin.ModelAdmin[SourceName]):
    list_display = ("ours", "theirs")
    list_editable = ("theirs",)


def _quoted(filename: str) -> str:
    from urllib.parse import quote

    return quote(filename, safe="")
