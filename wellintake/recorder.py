"""The flight recorder: a run's page in the admin, which plays its log back; a mail run again, and what differs then."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from extraction.comparison import differences
from extraction.errors import UnreadableMail
from extraction.prompt import PROMPT_VERSION
from extraction.types import Extraction
from streaming.models import Run, Step
from streaming.problems import Problem
from streaming.responses import json_response, problem_response
from streaming.runs import RerunRequest
from streaming.wire import Entry, dumps
from wellintake.staff import caller_of
from wellintake.wiring import Parts

MAY_SEE = "streaming.view_run"
MAY_SEE_MAIL = "streaming.view_mail"
MAY_RERUN = "streaming.rerun_run"
# Where an event holds words of the mail, by key: the quotes of evidence, the text of the note, and the model's answer,
# which may repeat anything.
WORDS = {"quote": None, "content": None, "token": ""}
LANES = {"run": "Run", "fields": "Fields", "model": "Model", "research": "Research", "crm": "CRM"}.items()
MOST_READINGS = 1000


class Recorder:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def urls(self) -> list[URLPattern]:
        """To stand under `admin/runs/`, before the admin's own."""
        views = {"": self.page, "log": self.log, "mail": self.mail, "differences": self.differences}
        again = admin.site.admin_view(require_POST(self.rerun))
        return [
            path(
                f"<uuid:run_id>/{name}", admin.site.admin_view(require_safe(view)), name=f"recorder{name and '_'}{name}"
            )
            for name, view in views.items()
        ] + [path("<uuid:run_id>/rerun", again, name="recorder_rerun")]

    def page(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        run = _run(request, run_id)
        context = {**admin.site.each_context(request), "title": "Flight recorder", "opts": Run._meta, "run": run}
        if run is None:
            return TemplateResponse(request, "admin/no_run.html", context, status=404)
        tools = self._parts.tools
        context |= {
            "facts": _facts(run, may_see_mail=request.user.has_perm(MAY_SEE_MAIL)),
            "may_rerun": request.user.has_perm(MAY_RERUN),
            "models": [tools.model.name, *tools.others] if tools.model else [],
            "prompt_now": PROMPT_VERSION,
            "lanes": LANES,
            "reruns": run.reruns.defer("email", "corrections").order_by("created_at"),
        }
        return TemplateResponse(request, "admin/recorder.html", context)

    def log(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """A page of the log after the sequence `after`, words of the mail only for who may read it; with it all
        finished steps and all readings: `{"events": [envelope], "closed", "steps": [{name, finished_at}], "readings":
        [{at, reader, transport, connection, after}]}`."""
        if (run := _run(request, run_id)) is None:
            return _unknown(request)
        after = request.GET.get("after", "0")
        page = async_to_sync(self._parts.log.read)(str(run_id), int(after) if after.isdecimal() else 0)
        entries = page.entries
        if entries and request.user.has_perm(MAY_SEE_MAIL):
            self._parts.looks.saw(run, caller_of(request), "read_mail")
        else:
            entries = [without_words(entry) for entry in entries]
        at_end = not entries or entries[-1].sequence >= page.run.last_sequence
        steps = run.steps.order_by("finished_at", "id").values("name", "finished_at")
        readings = run.readings.order_by("at", "id").values("at", "reader", "transport", "connection", "after")
        return json_response(
            {
                "events": [orjson.Fragment(entry.envelope) for entry in entries],
                "closed": page.run.closed and at_end,
                "steps": list(steps),
                "readings": list(readings[:MOST_READINGS]),
            }
        )

    def mail(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """The mail's canonical text, which the offsets of evidence point into: `{"sources": {name: text}}`."""
        if not request.user.has_perm(MAY_SEE_MAIL):
            raise PermissionDenied
        if (run := _run(request, run_id)) is None:
            return _unknown(request)
        self._parts.looks.saw(run, caller_of(request), "read_mail")
        try:
            letter = async_to_sync(self._parts.runs.letter)(run)
        except UnreadableMail as error:
            return problem_response(request, Problem(422, error.code, error.message))
        return json_response({"sources": letter.sources})

    def differences(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """What this rerun makes of the mail, beside the run before it: `{"differences": [Difference.view()]}`, null
        until both have a result."""
        if (run := _run(request, run_id)) is None or run.rerun_of_id is None:
            return _unknown(request)
        steps = Step.objects.filter(run__in=(run.rerun_of_id, run_id), name="validated")
        results = {key: Extraction.model_validate_json(text) for key, text in steps.values_list("run_id", "result")}
        if len(results) < 2:
            return json_response({"differences": None})
        found = differences(results[run.rerun_of_id], results[run_id])
        return json_response({"differences": [difference.view() for difference in found]})

    def rerun(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """The same mail as a preview: `choice` is the name of a model, `patterns` for the rules alone, or nothing for
        what a mail of today gets. Leads to the page of the new run."""
        if not request.user.has_perm(MAY_RERUN):
            raise PermissionDenied
        if (run := _run(request, run_id)) is None:
            return _unknown(request)
        choice = request.POST.get("choice", "")
        asked = RerunRequest(engine="patterns") if choice == "patterns" else RerunRequest(model=choice or None)
        # In the run's own tenant: what was learned there counts as it did the first time.
        try:
            started = async_to_sync(self._parts.runs.rerun)(str(run_id), caller_of(request, run.tenant), asked)
        except Problem as problem:
            messages.error(request, problem.detail)
            return HttpResponseRedirect(reverse("recorder", args=[run_id]))
        return HttpResponseRedirect(reverse("recorder", args=[started.run_id]))


def without_words(entry: Entry) -> Entry:
    """The same event without words of the mail; the values of fields stay."""
    return replace(entry, data=dumps(_without_words(orjson.loads(entry.data))))


def _without_words(value: Any) -> Any:
    match value:
        case dict():
            return {key: WORDS[key] if key in WORDS else _without_words(inner) for key, inner in value.items()}
        case list():
            return [_without_words(inner) for inner in value]
    return value


def _run(request: HttpRequest, run_id: UUID) -> Run | None:
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    return Run.objects.defer("email", "corrections").filter(pk=run_id, erased_at=None).first()


def _unknown(request: HttpRequest) -> HttpResponse:
    return problem_response(request, Problem(404, "no_such_run", "There is no such run, or it has been erased."))


def _facts(run: Run, *, may_see_mail: bool) -> dict[str, Any]:
    """What the page's script needs to know beside the log."""
    return {
        "id": str(run.pk),
        "created_at": run.created_at,
        "first_sequence": run.first_sequence,
        "rerun_of": run.rerun_of_id and str(run.rerun_of_id),
        "may_see_mail": may_see_mail,
    }
