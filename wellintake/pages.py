"""The page at `/`: try it in the browser without Outlook."""

import functools
import ipaddress
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from streaming.problems import Problem
from streaming.responses import problem_response
from wellintake import __version__
from wellintake.access.verifier import DEMO
from wellintake.wiring import Parts


class Demonstration:
    """Who may try the pages without a key: whoever sits at this very machine, under DEBUG, with the built-in CRM."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def token_for(self, request: HttpRequest) -> str | None:
        """A bearer token of the identity "Demo", or None."""
        proxied = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip"))
        local = _is_loopback(request.META.get("REMOTE_ADDR"))
        allowed = settings.DEBUG and local and not proxied and self._parts.crm.target == "embedded"
        return self._parts.verifier.token(DEMO, "bearer") if allowed else None


class Pages:
    def __init__(self, parts: Parts, demonstration: Demonstration) -> None:
        self._parts = parts
        self._demonstration = demonstration

    @method_decorator(require_safe)
    async def try_it(self, request: HttpRequest) -> HttpResponse:
        """Served to everybody; runs start with a key, or from this very machine under DEBUG as "Demo"."""
        facts = {
            "bearer": self._demonstration.token_for(request),
            "version": __version__,
            "admin": "/admin/",
            "engine": "model" if self._parts.tools.model else "patterns",
            "crm": self._parts.crm.target,
            "samples": _samples(),
        }
        response = render(request, "wellintake/try.html", {"server": facts})
        response.headers["Cache-Control"] = "no-store"
        return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, Problem(400, "bad_request", "This request is not for this server."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, Problem(404, "not_found", "There is nothing at this address."))


def failed(request: HttpRequest) -> HttpResponse:
    return problem_response(request, Problem(500, "internal", "Something went wrong on our side; please try again."))


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


@functools.cache
def _samples() -> list[dict[str, Any]]:
    index = Path(settings.BASE_DIR) / "addin" / "samples" / "index.json"
    return [sample | {"file": static(f"addin/samples/{sample['file']}")} for sample in json.loads(index.read_text())]
