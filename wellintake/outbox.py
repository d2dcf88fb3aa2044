"""The outbox in the admin: every save with its steps, what failed, and the buttons to go on or to take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from pydantic import TypeAdapter

from extraction.filing import Saved
from extraction.ports import Undone
from streaming.admin import UUID, WORDS
from streaming.lists import BigList, seen, values_of
from streaming.models import Event, Run, SavedRun, Step
from streaming.problems import Problem
from streaming.runs import SETTLED
from wellintake.staff import caller_of
from wellintake.wiring import parts

State = Run.State
# What a save has come to, in the order of the filter.
OUTCOMES: Mapping[str, Q] = {
    "being saved": Q(state=State.SAVING),
    "being taken back": Q(state=State.UNDOING),
    "failed": Q(state=State.FAILED),
    "cancelled half-way": Q(state=State.CANCELLED, saving_at__isnull=False),
    "saved": Q(state=State.COMPLETE),
    "taken back": Q(state__in=(State.REVIEW, State.CANCELLED), saving_at__isnull=True),
}
_SAVED, _UNDONE = TypeAdapter(Saved), TypeAdapter(Undone)


@dataclass(frozen=True)
class Line:
    """One record of a save as staff read it."""

    save: str
    record: Saved
    at: datetime
    undone: Undone | None

    @property
    def person(self) -> int:
        return self.record.person + 1

    @property
    def changed(self) -> str:
        """The fields of a record that was there before, without their values."""
        return ", ".join(name.removesuffix("_id").replace("_", " ") for name in self.record.stored.before or {})


def lines_of(run: Run) -> list[Line]:
    """The records of all saves of a run, in the order in which they were written."""
    steps = run.steps.filter(Q(name__startswith="save") | Q(name__startswith="undo")).order_by("id")
    results = {step.name: step.result for step in steps}
    return [
        Line(
            save=step.name.partition(":")[0].removeprefix("save"),
            record=_SAVED.validate_json(step.result),
            at=datetime.fromtimestamp(step.finished_at, UTC),
            undone=_UNDONE.validate_json(undone) if (undone := results.get(f"undo{step.name[4:]}")) else None,
        )
        for step in steps
        if step.name.startswith("save")
    ]


class ByOutcome(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in OUTCOMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SavedRun]) -> QuerySet[SavedRun]:
        chosen = OUTCOMES.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


class ByTenant(seen("tenant", "tenant")):  # type: ignore[misc]
    """Of those who have saved, not of all."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tenant, tenant) for tenant in values_of(Run.objects.filter(saved_at__isnull=False), "tenant")]


class OutboxAdmin(BigList[SavedRun]):
    list_display = ("saved", "outcome", "records", "problem", "who", "tenant")
    list_filter = (ByOutcome, ByTenant)
    searched = ("correlation_id", "message_id")
    search_help_text = "A run's id or link, its correlation id, or the Message-ID of its mail."
    sortable_by = ("saved",)
    ordering = ("-saved_at",)
    actions = ("retry",)
    fields = readonly_fields = ("outcome", "problem", "saved", "who", "tenant", "undone", "run")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedRun]:
        told = Event.objects.filter(run=OuterRef("pk"), type="error").order_by("-sequence").values("data")[:1]
        steps = Step.objects.filter(run=OuterRef("pk"), name__startswith="save").order_by().values("run")
        stored = Coalesce(Subquery(steps.annotate(stored=Count("pk")).values("stored")), 0)
        # Subqueries of what is shown: a join would be grouped over all saves before the first page is cut off.
        saves = super().get_queryset(request).filter(saved_at__isnull=False).defer(*WORDS)
        return saves.annotate(stored=stored, error=Subquery(told))

    def found_by(self, term: str) -> Q:
        run = UUID.search(term.lower())
        return Q(pk=run[0]) if run else super().found_by(term)

    # ------------------------------------------------------------ what is shown

    @admin.display(description="when", ordering="saved_at")
    def saved(self, run: SavedRun) -> datetime:
        return datetime.fromtimestamp(run.saved_at or run.created_at, UTC)

    def outcome(self, run: SavedRun) -> str:
        if run.state == State.CANCELLED and run.saving_at:
            return "Cancelled half-way"
        words = {
            State.SAVING: "Being saved",
            State.UNDOING: "Being taken back",
            State.FAILED: "Failed while being taken back" if run.undoing_by else "Failed",
            State.COMPLETE: "Saved",
        }
        return words.get(State(run.state), "Taken back")

    @admin.display(description="records written")
    def records(self, run: Any) -> int:
        return int(run.stored)

    def problem(self, run: Any) -> str:
        return str(orjson.loads(run.error)["message"]) if run.state == State.FAILED and run.error else ""

    @admin.display(description="saved by")
    def who(self, run: SavedRun) -> str:
        return run.saved_by or run.owner

    def run(self, run: SavedRun) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:streaming_run_change", args=[run.pk]), run.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        acts = self._acts(run) if run and self.has_act_permission(request) else {}
        shown = {"lines": lines_of(run) if run else [], "acts": acts}
        return super().change_view(request, object_id, form_url, shown | (extra_context or {}))

    def _acts(self, run: SavedRun) -> dict[str, str]:
        """What may be done with it now, and the words of the button."""
        acts = {}
        if run.state == State.FAILED and not run.closed:
            acts["retry"] = "Try again"
        if run.state in SETTLED and run.saving_at:
            acts["undo"] = "Take back"
        return acts

    # ------------------------------------------------------------ what is done

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act)
        return [
            *(
                path(f"<uuid:run_id>/{doing}/", act, {"doing": doing}, name=f"streaming_savedrun_{doing}")
                for doing in ("retry", "undo")
            ),
            *super().get_urls(),
        ]

    def act(self, request: HttpRequest, run_id: Any, doing: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_act_permission(request):
            raise PermissionDenied
        self._do(request, str(run_id), doing)
        return HttpResponseRedirect(reverse("admin:streaming_savedrun_change", args=[run_id]))

    @admin.action(description="Try the chosen saves again", permissions=["act"])
    def retry(self, request: HttpRequest, chosen: QuerySet[SavedRun]) -> None:
        for run in chosen:
            self._do(request, str(run.pk), "retry")

    def _do(self, request: HttpRequest, run_id: str, doing: str) -> None:
        """As an API call does it: the run's worker is woken, the page shows how far it is when it is loaded again."""
        runs = parts().runs
        try:
            async_to_sync({"retry": runs.retry, "undo": runs.undo}[doing])(run_id, caller_of(request))
        except Problem as problem:
            self.message_user(request, problem.detail, messages.ERROR)
        else:
            told = {"retry": "It goes on from its last finished step.", "undo": "It is being taken back."}[doing]
            self.message_user(request, told, messages.SUCCESS)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.change_savedrun")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_act_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
