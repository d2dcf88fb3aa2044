"""The Outlook add-in as a web server sees it: its pages, its manifests, and a simulator to see it without Outlook."""

import base64
import email
import email.policy
import functools
import posixpath
import re
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from streaming.addresses import Addresses
from wellintake.manifests import MAILBOX, SPANISH, facts_at, translation, unified
from wellintake.pages import Demonstration

OFFICE_JS = "https://appsforoffice.microsoft.com/lib/1/hosted/office.js"  # never vendored: Microsoft's own terms


class AddIn:
    """`demonstration` says who may try it without a key, `sign_in` with what the pane signs people in at Microsoft."""

    def __init__(
        self, addresses: Addresses, demonstration: Demonstration, sign_in: dict[str, str] | None = None
    ) -> None:
        self._addresses = addresses
        self._demonstration = demonstration
        self._sign_in = sign_in

    def urls(self) -> list[URLPattern]:
        return [
            path("manifest.xml", self.manifest_xml),
            path("manifest.json", self.manifest_json),
            path("es.json", self.manifest_in_spanish),
            path("taskpane.html", self.taskpane),
            path("commands.html", self.commands),
            path("simulator/", self.simulator),
            path("simulator/taskpane.html", self.taskpane, {"simulated": True}),
            path("simulator/commands.html", self.commands, {"simulated": True}),
        ]

    @method_decorator(require_safe)
    async def manifest_xml(self, request: HttpRequest) -> HttpResponse:
        facts = facts_at(self._addresses.base(request))
        given = {
            "facts": facts,
            "english": facts.texts["en-US"],
            "spanish": facts.texts["es-ES"],
            "icons": {str(size): url for size, url in facts.icons.items()},
            "pane": facts.page("taskpane.html"),
            "commands": facts.page("commands.html"),
            "locales": SPANISH,
            "mailbox": MAILBOX,
        }
        return render(request, "addin/manifest.xml", given, content_type="application/xml; charset=utf-8")

    @method_decorator(require_safe)
    async def manifest_json(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(unified(facts_at(self._addresses.base(request))), json_dumps_params={"indent": 2})

    @method_decorator(require_safe)
    async def manifest_in_spanish(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(translation(facts_at(self._addresses.base(request))), json_dumps_params={"indent": 2})

    @method_decorator(require_safe)
    async def taskpane(self, request: HttpRequest, simulated: bool = False) -> HttpResponse:
        return self._page(request, "taskpane", simulated)

    @method_decorator(require_safe)
    async def commands(self, request: HttpRequest, simulated: bool = False) -> HttpResponse:
        return self._page(request, "commands", simulated)

    @method_decorator(require_safe)
    async def simulator(self, request: HttpRequest) -> HttpResponse:
        return render(request, "addin/simulator.html", {"mails": _samples()})

    def _page(self, request: HttpRequest, name: str, simulated: bool) -> HttpResponse:
        """The real page; in the simulator only Office.js is another one."""
        office = static("addin/simulator/office.js") if simulated else OFFICE_JS
        bearer = self._demonstration.token_for(request) if simulated else None
        facts = {"bearer": bearer, "entra": None if bearer else self._sign_in}
        response = render(
            request, f"addin/{name}.html", {"office": office, "server": facts, "modules": modules_of(f"{name}.js")}
        )
        response.headers["Cache-Control"] = "no-store"
        return response


@functools.cache
def modules_of(script: str) -> tuple[str, ...]:
    """All modules that a script of `addin/src` imports, and theirs: a browser that is told loads them at once instead
    of one after another's discovery. Modules that are imported later, when they are needed, are not among them."""
    found: dict[str, None] = {}
    waiting = [script]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            source = (Path(settings.BASE_DIR) / "addin" / "src" / name).read_text("utf-8")
            waiting += [
                posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in _IMPORT.findall(source)
            ]
    return tuple(f"addin/{name}" for name in found)


_IMPORT = re.compile(r"""^import\s(?:[^"]*\sfrom\s)?"(\.[^"]+)";""", re.MULTILINE)


@functools.cache
def _samples() -> list[dict[str, Any]]:
    """The sample mails as Office.js shows an item."""
    folder = Path(settings.BASE_DIR) / "addin" / "samples"
    return [_item(file.name, file.read_bytes()) for file in sorted(folder.glob("*.eml"))]


def _item(name: str, raw: bytes) -> dict[str, Any]:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    date = mail["date"]
    return {
        "itemId": f"sample-{name}",
        "subject": str(mail["subject"] or ""),
        "from": next(iter(_people(mail, "from")), None),
        "to": _people(mail, "to"),
        "cc": _people(mail, "cc"),
        "internetMessageId": str(mail["message-id"] or ""),
        "dateTimeCreated": parsedate_to_datetime(str(date)).isoformat() if date else None,
        "html": html.get_content() if isinstance(html, EmailMessage) else None,
        "text": text.get_content() if isinstance(text, EmailMessage) else None,
        "attachments": [_file(part) for part in mail.iter_attachments() if isinstance(part, EmailMessage)],
    }


def _people(mail: EmailMessage, header: str) -> list[dict[str, str]]:
    pairs = getaddresses([str(value) for value in mail.get_all(header, [])])
    return [{"displayName": name or address, "emailAddress": address} for name, address in pairs]


def _file(part: EmailMessage) -> dict[str, Any]:
    content = part.get_payload(decode=True)
    content = content if isinstance(content, bytes) else b""
    return {
        "name": part.get_filename() or "attachment",
        "contentType": part.get_content_type(),
        "size": len(content),
        "isInline": part.get_content_disposition() == "inline",
        "content": base64.b64encode(content).decode(),
    }
