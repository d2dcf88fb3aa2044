"""The add-in's two manifests from one source: what Outlook shows, where this server is, and a version that rises.

The XML form is the primary one (every Outlook reads it); the unified JSON form is for those who deploy Microsoft 365
apps.
Their schemas: https://learn.microsoft.com/office/dev/add-ins/develop/add-in-manifests
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.templatetags.static import static

ICON_SIZES = (16, 32, 64, 80, 128, 192)
NAME = "Well Intake"
# Outlook compares whole names; the pane itself speaks Spanish in every Spanish-speaking Outlook.
SPANISH = ("es-ES", "es-MX", "es-US")
MAILBOX = "1.5"  # the least: a pane that may be pinned; attachments (1.8) are tested for when they are read

# Outlook's own limits: a label has at most 64 characters here, a tip 250.
TEXTS: dict[str, dict[str, str]] = {
    "en-US": {
        "description": "Reads a mail into your CRM while you watch: every field with the words it rests on.",
        "group": "Well Intake",
        "open": "Intake",
        "open_tip": "Read this mail: watch its fields appear, correct them, and save them to the CRM.",
        "save": "Quick save",
        "save_tip": "Read this mail and save it to the CRM at once. The mail's notification bar tells the outcome.",
    },
    "es-ES": {
        "description": "Lleva un correo al CRM mientras usted mira: cada campo con sus palabras.",
        "group": "Well Intake",
        "open": "Intake",
        "open_tip": "Leer este correo: vea aparecer los campos, corríjalos y guárdelos en el CRM.",
        "save": "Guardado rápido",
        "save_tip": "Leer este correo y guardarlo en el CRM en el acto. La barra de avisos dice el resultado.",
    },
}


@dataclass(frozen=True)
class Facts:
    """What both manifests say. `base` is this server's origin, https outside of development."""

    base: str
    version: str
    texts: dict[str, dict[str, str]]

    @property
    def id(self) -> str:
        """One add-in a server: a test server's is another one than that of the firm."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.base}/addin/"))

    @property
    def origin(self) -> str:
        return urlsplit(self.base).netloc

    @property
    def host(self) -> str:
        return urlsplit(self.base).hostname or ""

    def page(self, name: str) -> str:
        return f"{self.base}/addin/{name}"

    @property
    def icons(self) -> dict[int, str]:
        return {size: f"{self.base}{static(f'addin/icons/icon-{size}.png')}" for size in ICON_SIZES}


def facts_at(base: str) -> Facts:
    return Facts(base, version(), TEXTS)


@cache
def version() -> str:
    """`1.<days>.<minutes>.0` of the newest file of the add-in: Outlook keeps a manifest until its version rises."""
    folder = Path(settings.BASE_DIR)
    files = [*(folder / "addin" / "src").rglob("*"), *(folder / "templates" / "addin").iterdir(), Path(__file__)]
    newest = datetime.fromtimestamp(max(file.stat().st_mtime for file in files if file.is_file()), UTC)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return f"1.{(newest - began).days}.{newest.hour * 60 + newest.minute}.0"


def unified(facts: Facts, language: str = "en-US") -> dict[str, Any]:
    """The unified manifest. In a package it lies beside its two icons and its translation, so their names here are
    relative."""
    texts = facts.texts[language]
    icons = [{"size": size, "url": facts.icons[size]} for size in (16, 32, 80)]
    return {
        "$schema": "https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.schema.json",
        "manifestVersion": "1.19",
        "id": facts.id,
        "version": facts.version.rsplit(".", 1)[0],
        "developer": {
            "name": NAME,
            "websiteUrl": f"{facts.base}/",
            "privacyUrl": f"{facts.base}/",
            "termsOfUseUrl": f"{facts.base}/",
        },
        "name": {"short": NAME, "full": NAME},
        "description": {"short": texts["description"][:80], "full": texts["description"]},
        "icons": {"color": "icon-192.png", "outline": "icon-32.png"},
        "accentColor": "#175e5a",
        "localizationInfo": {
            "defaultLanguageTag": "en-us",
            "additionalLanguages": [{"languageTag": "es", "file": "es.json"}],
        },
        "authorization": {
            "permissions": {"resourceSpecific": [{"name": "MailboxItem.Read.User", "type": "Delegated"}]}
        },
        "validDomains": [facts.host],
        "extensions": [
            {
                "requirements": {"scopes": ["mail"], "capabilities": [{"name": "Mailbox", "minVersion": MAILBOX}]},
                "runtimes": [
                    _runtime("pane", facts.page("taskpane.html"), _OPEN),
                    _runtime("commands", facts.page("commands.html"), _QUICK_SAVE),
                ],
                "ribbons": [
                    {
                        "contexts": ["mailRead"],
                        "tabs": [
                            {
                                "builtInTabId": "TabDefault",
                                "groups": [
                                    {
                                        "id": "intakeGroup",
                                        "label": texts["group"],
                                        "icons": icons,
                                        "controls": [
                                            _button("open", texts, "open", icons),
                                            _button("save", texts, "quickSave", icons),
                                        ],
                                    }
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }


def translation(facts: Facts) -> dict[str, str]:
    """What the unified manifest says in Spanish, by its place there: the file that `localizationInfo` names.

    https://learn.microsoft.com/microsoftteams/platform/resources/schema/localization-schema
    """
    schema = "https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.Localization.schema.json"
    names = {"name.short": NAME, "name.full": NAME}
    return {"$schema": schema, **names, **dict(_differences(unified(facts), unified(facts, "es-ES")))}


def _differences(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(one, dict):
        for name in one:
            yield from _differences(one[name], other[name], f"{place}.{name}" if place else name)
    elif isinstance(one, list):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _differences(mine, theirs, f"{place}[{number}]")
    elif one != other:
        yield place, other


_OPEN = {"id": "open", "type": "openPage", "pinnable": True}
_QUICK_SAVE = {"id": "quickSave", "type": "executeFunction"}


def _runtime(name: str, page: str, action: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "type": "general", "code": {"page": page}, "lifetime": "short", "actions": [action]}


def _button(name: str, texts: dict[str, str], action: str, icons: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"{name}Button",
        "type": "button",
        "label": texts[name],
        "icons": icons,
        "supertip": {"title": texts[name], "description": texts[f"{name}_tip"]},
        "actionId": action,
    }
