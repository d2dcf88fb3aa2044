"""Zoho's answers read into our words. No I/O.

An error stands at the top of a body or, for each record, in its `data`; both happen, for the same error, by endpoint.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from extraction.errors import CrmError
from zoho.errors import ZohoConflict, ZohoNotConnected, ZohoRateLimited, ZohoRefused, ZohoUnavailable

_CODE = re.compile(r"[A-Z][A-Z_]{1,63}")


@dataclass(frozen=True)
class RecordResult:
    """What became of one record of a call. `action` is told by upserts, `id` is that of the record, also of the one
    that stands in the way of a unique field (`DUPLICATE_DATA`)."""

    status: Literal["success", "error"]
    code: str
    id: str | None = None
    action: Literal["insert", "update"] | None = None
    modified_time: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def refusal(self) -> ZohoRefused | None:
        """The error to raise when this record has to be stored; None when it is."""
        return None if self.status == "success" else ZohoRefused(self.code, _field_of(self.details), self.details)


def body_of(content: bytes) -> dict[str, Any]:
    """The answer's JSON; nothing when there is none, or something else than an object."""
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def results_of(body: Mapping[str, Any]) -> tuple[RecordResult, ...]:
    """What became of each record, in their order."""
    return tuple(_result(item) for item in _entries(body))


def code_of(body: Mapping[str, Any]) -> str:
    """The code of the (first) error; empty when the body has none that looks like one."""
    return next((code for entry in (body, *_entries(body)) if (code := _code(entry))), "")


def error_for(status: int, body: Mapping[str, Any], retry_after: float | None, *, write: bool) -> CrmError:
    """The error that a call met which has failed as a whole."""
    code = code_of(body)
    if status == 429 or code in ("TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"):
        return ZohoRateLimited(retry_after=retry_after)
    if status >= 500:
        return ZohoUnavailable(sent=write)
    if status == 412 or code == "ALREADY_MODIFIED":
        return ZohoConflict()
    if status == 401:
        return _not_connected(code)
    details = next((found for entry in (body, *_entries(body)) if (found := _details(entry))), {})
    return ZohoRefused(code or f"HTTP_{status}", _field_of(details), details)


def _not_connected(code: str) -> ZohoNotConnected:
    if code == "OAUTH_SCOPE_MISMATCH":
        return ZohoNotConnected(
            "The grant of Zoho does not cover this. An administrator has to connect Zoho again in the admin, under CRM."
        )
    return ZohoNotConnected()


def _entries(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    entries = body.get("data")
    return (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else iter(())


def _result(entry: Mapping[str, Any]) -> RecordResult:
    details = _details(entry)
    known = details.get("id") or (details.get("duplicate_record") or {}).get("id")
    action = entry.get("action")
    return RecordResult(
        status="success" if entry.get("status") == "success" else "error",
        code=_code(entry) or "UNKNOWN",
        id=str(known) if known else None,
        action=action if action in ("insert", "update") else None,
        modified_time=details.get("Modified_Time"),
        details=details,
    )


def _code(entry: Mapping[str, Any]) -> str:
    code = entry.get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _details(entry: Mapping[str, Any]) -> dict[str, Any]:
    details = entry.get("details")
    return details if isinstance(details, dict) else {}


def _field_of(details: Mapping[str, Any]) -> str | None:
    """The field at fault; several errors in one record (`MULTIPLE_OR_MULTI_ERRORS`) tell theirs one level down."""
    expected = details.get("expected_fields")
    named = expected[0] if isinstance(expected, list) and expected and isinstance(expected[0], dict) else details
    name = named.get("api_name") or details.get("param_name")
    return name if isinstance(name, str) else None
