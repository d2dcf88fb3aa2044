"""Keys in the admin: see and revoke. Making one shows it once, so that is a command."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from wellintake.models import ApiKey


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    list_display = ("name", "id", "tenant", "created_at", "last_used_at", "revoked_at")
    readonly_fields = ("id", "created_at", "last_used_at", "revoked_at")
    fields = ("name", "tenant", *readonly_fields)
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen keys")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        count = keys.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
