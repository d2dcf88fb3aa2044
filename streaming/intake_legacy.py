"""`/intake/email` (contract §6) for older clients: one call, one answer. Behind it is a run like any other, in mode
auto, whose end the call waits for."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import MethodNotAllowed, NotAcceptable
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from extraction.types import Corrections, Person
from streaming.addresses import Addresses
from streaming.callers import Caller
from streaming.intake_examples import answered, sent
from streaming.intake_shapes import IntakeAccepted, IntakeAnswer, IntakeEmail, answer_from, failure_of, people_of
from streaming.live import Live
from streaming.models import Run
from streaming.problems import Problem, method_not_allowed
from streaming.requests import body_of, caller_of, idempotency_key_of, refusal_of
from streaming.responses import json_response, problem_response
from streaming.runs import OPEN, Runs, State

PATIENCE_SECONDS = 100.0  # what clients and ingresses commonly wait for is longer
RETRY_SECONDS = 2
SIGNED_IN: list[dict[str, list[str]]] = [{"key": []}, {"bearer": []}]
REFUSED = {"$ref": "#/components/schemas/Problem"}


def _answers(*refusals: int) -> dict[Any, Any]:
    return {
        200: IntakeAnswer,
        202: IntakeAccepted,
        **{(status, "application/problem+json"): REFUSED for status in refusals},
    }


class RunView(APIView):
    """DRF's view, asynchronous: a call that waits for its run holds no thread."""

    renderer_classes = (JSONRenderer,)
    runs: Runs = None  # type: ignore[assignment]  # given to `as_view`
    live: Live = None  # type: ignore[assignment]
    addresses: Addresses = None  # type: ignore[assignment]

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            handler = getattr(self, (request.method or "").lower(), None)
            if request.method not in self.allowed_methods or handler is None:
                raise MethodNotAllowed(request.method or "")
            response = await handler(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001
            response = refusal_of(request, self._in_our_words(error), type(self).__name__)
        return self.finalize_response(self.request, response, *args, **kwargs)

    def _in_our_words(self, error: Exception) -> Exception:
        match error:
            case MethodNotAllowed():
                return method_not_allowed(*self.allowed_methods)
            case NotAcceptable():
                return Problem(406, "not_acceptable", "Accept application/json.")
        return error

    async def answer(
        self,
        request: HttpRequest,
        run: Run,
        state: Mapping[str, Any],
        corrections: Corrections,
        saved_before: bool = False,
    ) -> HttpResponse:
        """What a run has come to, or that it is still under way. `corrections` are what a save would be given."""
        if run.state in OPEN:
            return self.accepted(request, run)
        if run.state in (State.FAILED, State.CANCELLED):
            return problem_response(request, failure_of(run, state))
        people, matches = people_of(state), state["duplicates"]
        if run.state == State.REVIEW:
            prospect = await self.runs.prospect(run, corrections)
            people = prospect.people if prospect.final.people else (Person(index=0),)
            matches = [match.model_dump() for match in prospect.matches]
        base = self.addresses.base(request)
        return json_response(answer_from(run, state, people, matches, base, saved_before).model_dump())

    def accepted(self, request: HttpRequest, run: Run) -> HttpResponse:
        address = f"{self.addresses.base(request)}/intake/email/status/{run.id}"
        answer = IntakeAccepted(
            status="accepted",
            message="The mail is being processed.",
            run_id=str(run.id),
            correlation_id=run.correlation_id,
            status_url=address,
        )
        return json_response(answer.model_dump(), 202, Location=address, Retry_After=str(RETRY_SECONDS))


class IntakeEmailView(RunView):
    http_method_names = ("post",)

    @extend_schema(
        operation_id="intake_email",
        tags=["intake"],
        auth=SIGNED_IN,  # type: ignore[arg-type]
        summary="File a mail and hear what became of it",
        description="For older clients. Waits for the run, for 100 seconds at most; a run that takes longer, and any "
        "with `Prefer: respond-async`, is answered with 202 and the address to ask at.",
        request={"application/json": {"$ref": "#/components/schemas/IntakeEmail"}},
        responses=_answers(400, 401, 403, 406, 409, 413, 415, 422, 429, 503),
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "maxLength": 200},
                OpenApiParameter.HEADER,
                description="The same key and body again give the first run.",
            ),
            OpenApiParameter(
                "Prefer",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="`respond-async` answers at once; `wait=10`, with it or alone, after ten seconds at most.",
            ),
        ],
        examples=[*sent(), *answered()],
    )
    async def post(self, request: HttpRequest) -> HttpResponse:
        caller = caller_of(request)
        email = await body_of(request, IntakeEmail)
        self.live.raise_when_draining()
        started = await self.runs.start(email, caller, "auto", idempotency_key_of(request))
        preferred = preferences(request.headers.get("Prefer", ""))
        patience = _patience(preferred)
        run, state = await self.runs.settled(started.run_id, patience)
        saved_before = started.replay and state["status"] == "saved"
        if started.replay and await self._went_on(run, email, caller):
            run, state = await self.runs.settled(started.run_id, patience)
        if "respond-async" in preferred and "wait" not in preferred:
            response = self.accepted(request, run)
        else:
            response = await self.answer(request, run, state, email.decision, saved_before)
        response.headers["X-Run-Id"] = started.run_id
        if started.replay:
            response.headers["X-Idempotent-Replay"] = "true"
        if response.status_code == 202 and "respond-async" in preferred:
            response.headers["Preference-Applied"] = "respond-async"
        return response

    async def _went_on(self, run: Run, email: IntakeEmail, caller: Caller) -> bool:
        """A repeated call is an approval of a run that waits for one, with what it says now, and a retry of one that
        has failed. Whatever stands in its way is told by the answer."""
        try:
            if run.state == State.REVIEW and email.approves:
                await self.runs.save(str(run.id), caller, email.decision)
            elif run.state == State.FAILED and not run.closed:
                await self.runs.retry(str(run.id), caller)
            else:
                return False
        except Problem:
            return False
        return True


class IntakeStatusView(RunView):
    http_method_names = ("get",)

    @extend_schema(
        operation_id="intake_email_status",
        tags=["intake"],
        auth=SIGNED_IN,  # type: ignore[arg-type]
        summary="What became of a mail",
        description="202 while the run is under way, then what `POST /intake/email` would have answered.",
        responses=_answers(400, 401, 403, 404, 406, 409, 422, 429, 503),
        parameters=[OpenApiParameter("run_id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        examples=answered(),
    )
    async def get(self, request: HttpRequest, run_id: str) -> HttpResponse:
        await self.runs.visible(run_id, caller_of(request))
        run, state = await self.runs.log.snapshot(run_id)
        return await self.answer(request, run, state, Corrections())


def preferences(header: str) -> dict[str, str]:
    """RFC 7240: `respond-async, wait=10` → {"respond-async": "", "wait": "10"}. What is no preference of ours is
    ignored, as it says."""
    pairs = (part.split(";")[0].partition("=") for part in header.split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _patience(preferred: Mapping[str, str]) -> float:
    wait = preferred.get("wait", "")
    if wait.isascii() and wait.isdigit():
        return min(float(wait), PATIENCE_SECONDS)
    return 0.0 if "respond-async" in preferred else PATIENCE_SECONDS
