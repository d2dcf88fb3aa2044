"""Zoho's OpenAPI document as the oracle of what we send, and of what the fake answers; where it stands beside us."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parents[3] / "shared" / "reference" / "zoho-crm-v8-openapi.json"


@cache
def _document() -> dict[str, Any] | None:
    document: dict[str, Any] | None = json.loads(DOCUMENT.read_text()) if DOCUMENT.is_file() else None
    return document


def strays_of(
    method: str, path: str, headers: dict[str, str], body: bytes, status: int, answer: dict[str, Any] | None
) -> list[str]:
    """Where a call and its answer do not keep the document; nothing where that does not know the address."""
    document = _document()
    operation = _operation(document, method.lower(), path) if document else None
    if document is None or operation is None:
        return []
    name = f"{method} {re.sub(r'[0-9]{6,}', 'ID', path)}"
    found = []
    if sent := operation.get("requestBody"):
        if "application/json" in headers.get("content-type", "") and "application/json" in sent["content"]:
            found += _faults(document, sent["content"]["application/json"]["schema"], json.loads(body), f"{name} sent")
        elif not any(kind in headers.get("content-type", "") for kind in sent["content"]):
            found.append(f"{name} sent as {headers.get('content-type')}")
    if path.endswith("/upsert") and answer:
        answer = _without_actions(answer)
    told = _resolved(document, operation["responses"].get(str(status)))
    if told is None:
        return [*found, f"{name} answered {status}"]
    kept = (told.get("content") or {}).get("application/json")
    return [
        *found,
        *(_faults(document, kept["schema"], answer, f"{name} answered {status}") if kept and answer else ()),
    ]


def _without_actions(answer: dict[str, Any]) -> dict[str, Any]:
    """What an upsert did with each record is told in Zoho's API guide, and by Zoho, but not in its document."""
    untold = ("action", "duplicate_field")
    return {"data": [{name: one[name] for name in one if name not in untold} for one in answer["data"]]}


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """Of the addresses that fit, the one with the most fixed words: `/Notes` before `/{module}`. The document is not
    about settings, users and the organisation."""
    if path.split("/")[3] in ("settings", "users", "org"):
        return None
    fitting = [
        (known.count("{"), known)
        for known in document["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path) and method in document["paths"][known]
    ]
    operation: dict[str, Any] | None = document["paths"][min(fitting)[1]][method] if fitting else None
    return operation


def _resolved(document: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _faults(document: dict[str, Any], schema: dict[str, Any], value: Any, what: str) -> Iterator[str]:
    """By path and rule, never by value: it may be somebody's name."""
    whole = {**schema, "components": document["components"]}
    for error in Draft202012Validator(whole).iter_errors(value):
        yield f"{what}: {error.json_path} breaks {error.validator}"
