"""Runs in the admin: what happened, in order, and how it ended. The recorder plays it back."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from streaming.models import AuditEntry, Event, Run, Step

SHOWN_EVENTS = 500


class Steps(admin.TabularInline[Step, Run]):
    model = Step
    extra = 0
    fields = readonly_fields = ("name", "finished")
    can_delete = False

    def finished(self, step: Step) -> datetime:
        return datetime.fromtimestamp(step.finished_at, UTC)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(admin.ModelAdmin[Run]):
    list_display = (
        "id",
        "recorder",
        "state",
        "mode",
        "owner",
        "tenant",
        "model_used",
        "model_failure",
        "tokens",
        "cost",
        "created",
    )
    list_filter = ("state", "mode", "model_used", "model_failure")
    search_fields = ("id", "correlation_id")
    ordering = ("-created_at",)
    show_full_result_count = False
    inlines = (Steps,)
    fields = readonly_fields = (
        "id",
        "recorder",
        "rerun_of",
        "state",
        "mode",
        "owner",
        "tenant",
        "correlation_id",
        "created",
        "lease",
        "attempts",
        "closed",
        "engine",
        "model",
        "model_used",
        "model_failure",
        "prompt_version",
        "tokens",
        "cost",
        "log",
    )

    @admin.display(description="flight recorder")
    def recorder(self, run: Run) -> SafeString:
        return format_html('<a href="{}">Replay</a>', reverse("recorder", args=[run.pk]))

    @admin.display(ordering="created_at")
    def created(self, run: Run) -> datetime:
        return datetime.fromtimestamp(run.created_at, UTC)

    @admin.display(description="Tokens (input, cached of it, output)")
    def tokens(self, run: Run) -> str:
        return f"{run.input_tokens} ({run.cached_tokens}) + {run.output_tokens}" if run.input_tokens else ""

    def log(self, run: Run) -> SafeString:
        """The events without their data: those hold the mail's words, which need a permission of their own."""
        events: QuerySet[Event] = run.events.exclude(type="extraction_token").order_by("sequence")[:SHOWN_EVENTS]
        rows = ((e.sequence, f"{(e.timestamp - run.created_at) * 1000:.1f} ms", e.type) for e in events)
        return format_html_join("", "<div>{} · {} · {}</div>", rows)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin[AuditEntry]):
    list_display = ("when", "who", "action", "run", "about", "tenant")
    list_filter = ("action", "tenant")
    search_fields = ("actor", "actor_name", "run_id")
    ordering = ("-at",)
    show_full_result_count = False
    fields = readonly_fields = ("when", "who", "actor", "action", "run", "about", "tenant")

    @admin.display(ordering="at")
    def when(self, entry: AuditEntry) -> datetime:
        return datetime.fromtimestamp(entry.at, UTC)

    @admin.display(ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor_name or entry.actor

    def run(self, entry: AuditEntry) -> SafeString | str:
        if entry.run_id is None:
            return ""
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:streaming_run_change", args=[entry.run_id]), entry.run_id
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
