"""Adds the streaming calls to the OpenAPI document: they are plain asynchronous views that DRF does not know."""

import re
from typing import Any

from pydantic.json_schema import models_json_schema

from extraction.followup import FollowUp
from extraction.types import Corrections, Email
from streaming.intake_shapes import IntakeEmail
from streaming.runs import RerunRequest
from streaming.views import Batch, Save

MODELS = (Email, IntakeEmail, Batch, Save, RerunRequest, FollowUp, Corrections)
STREAM = {"text/event-stream": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}
JSON = {"application/json": {"schema": {"type": "object"}}}
RUN = {"name": "run_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body again give the first run.",
    "schema": {"type": "string", "maxLength": 200},
}
SIGNED_IN: list[dict[str, list[str]]] = [{"key": []}, {"bearer": []}]


def with_streaming(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular post-processing hook."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template="#/components/schemas/{model}"
    )
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(definitions["$defs"])
    components["schemas"]["Problem"] = PROBLEM
    components.setdefault("securitySchemes", {}).update(
        key={"type": "apiKey", "in": "header", "name": "X-API-Key"}, bearer={"type": "http", "scheme": "bearer"}
    )
    result.setdefault("paths", {}).update(paths())
    _complete_intake(result["paths"]["/intake/email"]["post"])
    return result


def _complete_intake(call: dict[str, Any]) -> None:
    """What DRF's schema of the older call leaves out: it has a body, and its answers lead to its status."""
    call["requestBody"]["required"] = True
    for status in ("200", "202"):
        asked = {"operationId": "intake_email_status", "parameters": {"run_id": "$response.body#/run_id"}}
        call["responses"][status]["links"] = {"status": asked}


def paths() -> dict[str, Any]:
    run = "/stream/runs/{run_id}"
    return {
        "/stream/negotiate": {
            "get": _call("How to connect", answers={200: JSON}),
            "post": _call("How to connect, asked by POST", answers={200: JSON}),
        },
        "/stream/runs": {
            "post": _call(
                "Start a run", body="Email", answers={202: JSON}, refusals=(409, 422), parameters=[IDEMPOTENCY]
            )
        },
        "/stream/sse/process-email": {
            "post": _call(
                "Start a run and stream its log as SSE",
                body="Email",
                answers={200: {"text/event-stream": STREAM["text/event-stream"]}},
                refusals=(409, 422),
                parameters=[IDEMPOTENCY],
            )
        },
        "/stream/batch/process-email": {
            "post": _call(
                "Start one run or up to 50 and stream their logs as NDJSON, or answer once at the end",
                body=("Email", "Batch"),
                answers={200: JSON | {"application/x-ndjson": STREAM["application/x-ndjson"]}},
                refusals=(409, 422),
                parameters=[IDEMPOTENCY, _query("stream_chunks", {"type": "boolean", "default": True})],
            )
        },
        run: {"get": _call("A run's whole state", answers={200: JSON}, refusals=(404, 410), parameters=[RUN])},
        f"{run}/events": {
            "get": _call(
                "A run's log from a cursor: SSE, NDJSON or a JSON page, by Accept",
                answers={200: STREAM | JSON, 204: {}},
                refusals=(400, 404, 406, 410, 422),
                parameters=[
                    RUN,
                    _query("after", {"type": "string", "pattern": r"^\d+\.\d+$"}),
                    _query("wait", {"type": "number", "minimum": 0, "maximum": 25}),
                    _query("access_token", {"type": "string"}),
                    {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}},
                ],
            )
        },
        f"{run}/mail": {
            "get": _call(
                "The mail's text that evidence points into", answers={200: JSON}, refusals=(404, 410), parameters=[RUN]
            )
        },
        f"{run}/subscribe": {
            "post": _action("Push the run to the caller's connections at Azure SignalR", None, (409,))
        },
        f"{run}/save": {"post": _action("Approve and write to the CRM", "Save", (409, 422))},
        f"{run}/cancel": {"post": _action("Stop the run", None, (409,))},
        f"{run}/retry": {"post": _action("Go on after a retryable failure", None, (409,))},
        f"{run}/undo": {"post": _action("Take back a save; the run is in review again", None, (409,))},
        f"{run}/followup": {
            "get": _call(
                "What research found too late for the save", answers={200: JSON}, refusals=(404, 410), parameters=[RUN]
            ),
            "post": _call(
                "Add approved facts to the saved firm",
                body="FollowUp",
                answers={202: JSON},
                refusals=(404, 409, 410, 422),
                parameters=[RUN],
            ),
        },
        f"{run}/rerun": {"post": _action("Run the same mail again as a preview", "RerunRequest", (422,))},
        "/stream/health": {
            "get": _call(
                "Health",
                answers={200: JSON, 503: JSON},
                security=[],
                refusals=(),
                parameters=[_query("probe", {"enum": ["live"]})],
            )
        },
        "/stream/metrics": {"get": _call("Live figures", answers={200: JSON})},
        "/metrics": {"get": _call("Figures for Prometheus", answers={200: TEXT})},
    }


def _action(summary: str, body: str | None, refusals: tuple[int, ...]) -> dict[str, Any]:
    return _call(
        summary, body=body, body_required=False, answers={202: JSON}, refusals=(404, 410, *refusals), parameters=[RUN]
    )


def _call(
    summary: str,
    *,
    answers: dict[int, Any],
    body: str | tuple[str, ...] | None = None,
    body_required: bool = True,
    refusals: tuple[int, ...] = (),
    parameters: list[dict[str, Any]] | None = None,
    security: list[dict[str, list[str]]] | None = None,
) -> dict[str, Any]:
    everywhere = (400, 401, 403, 429, 503)  # by the door, before anybody looks at the call
    refused = (*everywhere, *refusals, *((413, 415) if body else ())) if security is None else refusals
    call: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", summary).strip("_").lower(),
        "tags": ["stream"],
        "summary": summary,
        "security": SIGNED_IN if security is None else security,
        "parameters": parameters or [],
        "responses": {str(status): {"description": "", "content": content} for status, content in answers.items()}
        | {str(status): _REFUSAL for status in sorted(set(refused))},
    }
    if body:
        names = (body,) if isinstance(body, str) else body
        schemas = [{"$ref": f"#/components/schemas/{name}"} for name in names]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        call["requestBody"] = {"required": body_required, "content": {"application/json": {"schema": schema}}}
    return call


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_REFUSAL = {
    "description": "Refused (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "correlation_id", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "correlation_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
