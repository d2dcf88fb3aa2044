"""Keys in the admin: made and shown once, limited, revoked."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from streaming.callers import Scope
from wellintake.access.keys import give_secret
from wellintake.models import ApiKey
from wellintake.staff import put_down

SCOPES: dict[Scope, str] = {
    "intake": "intake: hand mails in, save, cancel, undo",
    "read": "read: look at the runs of its tenant",
    "metrics": "metrics: look at figures",
    "admin": "admin: all of this, and the runs of every tenant",
}


class ApiKeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.initial["scopes"] = self.instance.scopes.split()

    def clean_scopes(self) -> str:
        return " ".join(self.cleaned_data["scopes"])


class Validity(admin.SimpleListFilter):
    title = "validity"
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Valid"), ("expired", "Expired"), ("revoked", "Revoked"), ("unused", "Never used")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        expired = Q(expires_at__lte=timezone.now())
        chosen = {
            "yes": ~expired & Q(revoked_at=None),
            "expired": expired & Q(revoked_at=None),
            "revoked": Q(revoked_at__isnull=False),
            "unused": Q(last_used_at=None),
        }
        return queryset.filter(chosen[value]) if (value := self.value()) in chosen else queryset


class ByScope(admin.SimpleListFilter):
    title = "scope"
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(scope, scope) for scope in SCOPES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        # By spaces, and none of them is a part of another.
        return queryset.filter(scopes__contains=value) if (value := self.value()) in SCOPES else queryset


class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    form = ApiKeyForm
    list_display = ("name", "id", "tenant", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = (Validity, ByScope, "tenant")
    search_fields = ("name", "id")
    fields = ("name", "tenant", "scopes", "expires_at")
    known = ("id", "created_at", "last_used_at", "revoked_at")
    readonly_fields = known
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return (*self.fields, *self.known) if obj else self.fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.shown_once = give_secret(obj)
        super().save_model(request, obj, form, change)
        if not change:
            put_down(request, "make_key", about=obj.pk)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        # As the very answer: a message would carry the key through a cookie or the session's table.
        shown = {**admin.site.each_context(request), "title": "API key", "opts": ApiKey._meta, "key": obj}
        return TemplateResponse(request, "admin/wellintake/apikey/made.html", shown)

    @admin.action(description="Revoke the chosen keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        valid = list(keys.filter(revoked_at=None))
        ApiKey.objects.filter(pk__in=[key.pk for key in valid]).update(revoked_at=timezone.now())
        for key in valid:
            put_down(request, "revoke_key", about=key.pk)
        self.message_user(request, f"{len(valid)} revoked.", messages.SUCCESS)
