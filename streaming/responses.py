"""Answers of HTTP calls that are not streams."""

import secrets
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from streaming.problems import TITLES, Problem


def json_response(data: Any, status: int = 200, **headers: str) -> HttpResponse:
    response = HttpResponse(orjson.dumps(data), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """RFC 9457."""
    body = {
        "type": f"urn:wellintake:problem:{problem.code}",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "correlation_id": problem.correlation_id or secrets.token_hex(8),
        "errors": problem.errors,
    }
    response = HttpResponse(orjson.dumps(body), status=problem.status, content_type="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if problem.allow:
        response.headers["Allow"] = ", ".join(problem.allow)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="wellintake"'
    return response
