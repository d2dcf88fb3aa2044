"""The machine-readable contracts: AsyncAPI of the events, OpenAPI of the calls. Both are made from the models."""

from functools import cache
from typing import Any, get_args

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from extraction.events import Event, Told
from streaming.transports.websocket import ClientMessage
from wellintake import __version__

EVENTS: tuple[type[Told], ...] = get_args(Event)
MESSAGES: tuple[type[BaseModel], ...] = get_args(ClientMessage)


@require_safe
async def asyncapi_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse(asyncapi())


@require_safe
async def asyncapi_page(request: HttpRequest) -> HttpResponse:
    """The events to read: name, when, fields."""
    schemas = asyncapi()["components"]["schemas"]
    events = [
        {"type": event.type, "when": (event.__doc__ or "").strip(), "fields": _fields(schemas[event.__name__])}
        for event in EVENTS
    ]
    messages = [
        {
            "type": _type_of(message),
            "fields": [field for field in _fields(schemas[message.__name__]) if field["name"] != "type"],
        }
        for message in MESSAGES
    ]
    return render(request, "wellintake/events.html", {"events": events, "messages": messages})


@cache
def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of the WebSocket; the envelopes are the same on every transport."""
    _, definitions = models_json_schema(
        [(model, "serialization") for model in EVENTS] + [(model, "validation") for model in MESSAGES],
        ref_template="#/components/schemas/{model}",
    )
    schemas = definitions["$defs"]
    told = {event.type: _message(event.type, _envelope(event), event.__doc__) for event in EVENTS}
    said = {_type_of(message): _message(_type_of(message), _ref(message)) for message in MESSAGES}
    channel = "#/channels/emailProcessing"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Well Intake events",
            "version": __version__,
            "description": "An e-mail becomes a run; its events form one append-only log; every transport tells it.",
        },
        "channels": {
            "emailProcessing": {
                "address": "/stream/ws/email-processing",
                "messages": told | {f"client_{name}": message for name, message in said.items()},
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/{name}"} for name in told],
            },
            "hear": {
                "action": "receive",
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/client_{name}"} for name in said],
            },
        },
        "components": {"schemas": schemas},
    }


def _message(name: str, payload: dict[str, Any], summary: str | None = None) -> dict[str, Any]:
    return {"name": name, "payload": payload} | ({"summary": summary.strip()} if summary else {})


def _envelope(event: type[Told]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "run_id", "sequence", "cursor", "timestamp", "data"],
        "properties": {
            "type": {"const": event.type},
            "run_id": {"type": "string", "format": "uuid"},
            "sequence": {"type": "integer", "minimum": 1},
            "cursor": {"type": "string", "pattern": r"^\d+\.\d+$"},
            "timestamp": {"type": "number", "description": "UTC epoch seconds"},
            "data": _ref(event),
        },
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _type_of(message: type[BaseModel]) -> str:
    return str(get_args(message.model_fields["type"].annotation)[0])


def _fields(schema: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"name": name, "type": _words(given), "description": given.get("description", "")}
        for name, given in schema.get("properties", {}).items()
    ]


def _words(schema: dict[str, Any]) -> str:
    """A schema's type as a reader says it."""
    if "anyOf" in schema:
        return " or ".join(_words(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_words(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
