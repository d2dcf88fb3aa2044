"""Refusals in our own words: a status for HTTP, a code for machines, a sentence for people (RFC 9457 on HTTP)."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from extraction.seal import Unopened


class Problem(Exception):
    """A request that is refused. `errors` names every field at fault, never its value."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[dict[str, Any]] = (),
        retry_after: int | None = None,
        allow: Sequence[str] = (),
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.retry_after = retry_after
        self.allow = allow
        self.correlation_id = correlation_id


TITLES = {
    400: "Malformed request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Fields at fault",
    429: "Too many",
    500: "Internal error",
    503: "Unavailable",
}


def not_signed_in() -> Problem:
    return Problem(401, "not_signed_in", "Send a key (X-API-Key) or a bearer token.")


def method_not_allowed(*methods: str) -> Problem:
    return Problem(405, "method_not_allowed", f"Use {' or '.join(methods)}.", allow=methods)


def no_such_run() -> Problem:
    return Problem(404, "no_such_run", "There is no such run, or it is not yours.")


def mail_sealed(error: Unopened) -> Problem:
    """Another server may have the key, as while keys are changed one server after the other."""
    return Problem(503, error.code, error.message, retry_after=60)


def sealed_data(error: Unopened, run_id: str) -> dict[str, Any]:
    """The same as the data of an `error` frame, in the middle of a stream."""
    return {"request_id": None, "run_id": run_id, "code": error.code, "message": error.message, "errors": []}


# Limits of the contract answer 413 instead of 422.
_TOO_LARGE = {
    "body_too_large": "The body is over 1 MB.",
    "attachments_too_large": "The attachments together are over 15 MB.",
}


def problem_from(error: ValidationError) -> Problem:
    """All fields at fault, by name. Pydantic's own messages describe the rule, not the value; its input stays out."""
    found = error.errors(include_input=False, include_url=False)
    if all(one["type"] == "json_invalid" for one in found):
        return Problem(400, "malformed_json", "The request is not valid JSON.")
    errors = [named for one in found for named in _named(one)]
    for code, detail in _TOO_LARGE.items():
        if large := [one for one in errors if one["code"] == code]:
            return Problem(413, code, detail, errors=large)
    names = ", ".join(dict.fromkeys(one["field"] for one in errors if one["field"])) or "the request"
    return Problem(422, "fields_at_fault", f"Please correct: {names}.", errors=errors)


def _named(one: Any) -> list[dict[str, str]]:
    """One entry a field: our own rules over several fields name them in their context."""
    place = tuple(str(part) for part in one["loc"])
    fields = one.get("ctx", {}).get("fields", ("",))
    message = str(one["msg"]).removeprefix("Value error, ")
    return [
        {"field": ".".join((*place, *([field] if field else []))), "code": str(one["type"]), "message": message}
        for field in fields
    ]
