"""Runs in the admin: what happened, in order, and how it ended. The recorder plays it back."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from extraction.types import Mode
from streaming.lists import BigList, seen, values_of
from streaming.models import AuditEntry, Event, Reading, Run, Step

SHOWN_EVENTS = 500
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DURATIONS: Mapping[str, tuple[str, Q]] = {
    "quick": ("up to 1 s", Q(seconds__lte=1)),
    "usual": ("1 s to 3 s", Q(seconds__gt=1, seconds__lte=3)),
    "slow": ("3 s to 10 s", Q(seconds__gt=3, seconds__lte=10)),
    "very-slow": ("more than 10 s", Q(seconds__gt=10)),
}
# Long, and not shown in lists.
WORDS = ("email", "corrections", "followup")


class ByMode(admin.SimpleListFilter):
    title = "mode"
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(mode, mode) for mode in get_args(Mode)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(mode=self.value()) if self.value() else queryset


class ByDuration(admin.SimpleListFilter):
    title = "duration"
    parameter_name = "duration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, words) for name, (words, _) in DURATIONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        chosen = DURATIONS.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class ByTransport(admin.SimpleListFilter):
    """By what a stream or socket has read the run over; pages that are polled are not put down."""

    title = "transport"
    parameter_name = "transport"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        found = values_of(Reading.objects.filter(after__isnull=False), "transport")
        return [(transport, transport) for transport in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        if not self.value():
            return queryset
        return queryset.filter(pk__in=Reading.objects.filter(transport=self.value(), after__isnull=False).values("run"))


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
class RunAdmin(BigList[Run]):
    list_display = (
        "id",
        "recorder",
        "state",
        "mode",
        "user",
        "duration",
        "error_code",
        "model_used",
        "tokens",
        "cost",
        "created",
    )
    list_filter = (
        "state",
        ByTransport,
        ByDuration,
        seen("error_code", "error"),
        ByMode,
        seen("owner_name", "user"),
        seen("model_used", "model"),
        seen("prompt_version", "prompt"),
    )
    searched = ("correlation_id", "message_id", "owner_name", "owner")
    search_help_text = "A run's id or link, its correlation id, the Message-ID of its mail, or a user's name, as it is."
    sortable_by = ("created", "duration")
    ordering = ("-created_at",)
    inlines = (Steps,)
    fields = readonly_fields = (
        "id",
        "recorder",
        "rerun_of",
        "state",
        "mode",
        "owner_name",
        "owner",
        "tenant",
        "correlation_id",
        "created",
        "duration",
        "error_code",
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).defer(*WORDS)

    def found_by(self, term: str) -> Q:
        run = UUID.search(term.lower())
        return Q(pk=run[0]) if run else super().found_by(term)

    @admin.display(description="flight recorder")
    def recorder(self, run: Run) -> SafeString:
        return format_html('<a href="{}">Replay</a>', reverse("recorder", args=[run.pk]))

    @admin.display(ordering="created_at")
    def created(self, run: Run) -> datetime:
        return datetime.fromtimestamp(run.created_at, UTC)

    def user(self, run: Run) -> SafeString:
        query = urlencode({"owner_name": run.owner_name})
        return format_html('<a href="?{}">{}</a>', query, run.owner_name)

    @admin.display(ordering="seconds")
    def duration(self, run: Run) -> str:
        """Until its first outcome: a review, the end, a failure."""
        return "" if run.seconds is None else f"{run.seconds:.2f} s"

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
class AuditEntryAdmin(BigList[AuditEntry]):
    list_display = ("when", "who", "action", "run", "about", "tenant")
    list_filter = ("action", seen("actor_name", "name"), seen("tenant", "tenant"))
    searched = ("actor", "actor_name")
    search_help_text = "A run's id or link, or the name or subject of who did it, as it is."
    sortable_by = ("when",)
    ordering = ("-at",)
    fields = readonly_fields = ("when", "who", "actor", "action", "run", "about", "tenant")

    def found_by(self, term: str) -> Q:
        run = UUID.search(term.lower())
        return Q(run_id=run[0]) if run else super().found_by(term)

    @admin.display(ordering="at")
    def when(self, entry: AuditEntry) -> datetime:
        return datetime.fromtimestamp(entry.at, UTC)

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
