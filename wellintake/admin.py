"""Remembered corrections in the admin: see and revoke. Keys and saves have pages of their own."""

import time
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from streaming.lists import BigList, seen
from streaming.models import SavedRun
from wellintake import outbox
from wellintake.access.admin import ApiKeyAdmin
from wellintake.erasing import ErasureAdmin
from wellintake.models import ApiKey, Erasure, LearnedRule, RuleUse

admin.site.register(SavedRun, outbox.OutboxAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(Erasure, ErasureAdmin)


class Validity(admin.SimpleListFilter):
    title = "validity"
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Active"), ("no", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LearnedRule]) -> QuerySet[LearnedRule]:
        return queryset.filter(revoked_at__isnull=self.value() == "yes") if self.value() else queryset


@admin.register(LearnedRule)
class LearnedRuleAdmin(BigList[LearnedRule]):
    list_display = ("__str__", "what", "scope", "scope_kind", "learned", "learned_by", "used", "last_used", "active")
    list_filter = (Validity, "scope_kind", seen("field", "field"), seen("tenant", "tenant"))
    searched = ("scope__icontains", "original__icontains", "value__icontains", "learned_by__icontains")
    sortable_by = ("learned", "what")
    ordering = ("-learned_at",)
    actions = ("revoke",)
    fields = readonly_fields = (
        "original",
        "value",
        "what",
        "scope_kind",
        "scope",
        "tenant",
        "learned",
        "learned_by",
        "lesson",
        "used",
        "last_used",
        "active",
        "revoked",
        "revoked_by",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[LearnedRule]:
        uses = RuleUse.objects.filter(rule=OuterRef("pk")).order_by().values("rule")
        count, last = uses.annotate(n=Count("pk")).values("n"), uses.annotate(last=Max("used_at")).values("last")
        # Subqueries of what is shown: a join would be grouped over all uses before the first page is cut off.
        shown = super().get_queryset(request)
        return shown.annotate(use_count=Coalesce(Subquery(count), 0), used_last=Subquery(last))

    @admin.action(description="Revoke the chosen corrections", permissions=["change"])
    def revoke(self, request: HttpRequest, rules: QuerySet[LearnedRule]) -> None:
        chosen = LearnedRule.objects.filter(pk__in=rules.values("pk"), revoked_at=None)
        count = chosen.update(revoked_at=time.time(), revoked_by=request.user.get_username())
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)

    @admin.display(description="field", ordering="field")
    def what(self, rule: LearnedRule) -> str:
        return f"{rule.record}.{rule.field}"

    @admin.display(description="edited", ordering="learned_at")
    def learned(self, rule: LearnedRule) -> datetime:
        return datetime.fromtimestamp(rule.learned_at, UTC)

    def used(self, rule: Any) -> str:
        return f"{rule.use_count} time{'s' * (rule.use_count != 1)}"

    def last_used(self, rule: Any) -> datetime | None:
        return datetime.fromtimestamp(rule.used_last, UTC) if rule.used_last else None

    @admin.display(boolean=True)
    def active(self, rule: LearnedRule) -> bool:
        return rule.revoked_at is None

    def revoked(self, rule: LearnedRule) -> datetime | None:
        return datetime.fromtimestamp(rule.revoked_at, UTC) if rule.revoked_at else None

    @admin.display(description="learned from")
    def lesson(self, rule: LearnedRule) -> SafeString:
        return format_html('<a href="{}">the run</a>', reverse("admin:streaming_run_change", args=[rule.run_id]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
