"""`evaluate FOLDER`: score a folder of labelled mails."""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from extraction.attachments import AttachmentReader, with_attached
from extraction.mime import email_from_file, letter_from
from extraction.notebook import Notebook
from extraction.patterns import understand
from extraction.pipeline import Tools, intake
from extraction.rules import with_rules
from extraction.scoring import difference, label_own, score
from extraction.types import Email, Extraction, OwnFirm
from wellintake.wiring import models


class Command(BaseCommand):
    help = "Score a folder of .eml files with .json labels, and the folders in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--engine", choices=["patterns", "model"], default="patterns")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--diff", type=Path, metavar="FILE", help="compare with an earlier --json result")

    def handle(self, *args: Any, **options: Any) -> None:
        earlier = _earlier(options["diff"]) if options["diff"] else None
        labelled = list(_labelled(options["folder"]))
        if not labelled:
            raise CommandError(f"{options['folder'].name} holds no .eml file with a .json label.")
        extract = _by_patterns if options["engine"] == "patterns" else _by_model()
        result = score([(label, *extract(email, label_own(label))) for email, label in labelled], options["engine"])
        changed = difference(earlier, result) if earlier else None
        if options["json"]:
            sys.stdout.write(orjson.dumps(result | ({"diff": changed} if changed else {})).decode() + "\n")
            return
        _show(result)
        if changed:
            _show_changed(changed)


def _earlier(file: Path) -> dict[str, Any]:
    try:
        result: dict[str, Any] = orjson.loads(file.read_bytes())
        difference(result, result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{file.name} is no result of evaluate --json.") from error
    return result


def _labelled(folder: Path) -> Iterator[tuple[Email, dict[str, Any]]]:
    for mail in sorted(folder.rglob("*.eml")):
        label = mail.with_suffix(".json")
        if label.exists():
            yield email_from_file(mail.read_bytes(), mail.name), orjson.loads(label.read_bytes())


def _by_patterns(email: Email, own: OwnFirm) -> tuple[Extraction, float]:
    """Timed without the reading of its files: each takes a process of its own, and the body's fields do not wait."""
    began = time.perf_counter()
    letter = letter_from(email)
    read = time.perf_counter() - began
    if letter.files:
        letter = with_attached(letter, asyncio.run(AttachmentReader().read(letter)))
    began = time.perf_counter()
    found = with_rules(understand(letter, own), own, date.today())
    return found, (read + time.perf_counter() - began) * 1000


def _by_model() -> Any:
    """Every mail asks the model, without a breaker: a score is of the model, not of the patterns instead."""
    if not (configured := models(settings.ENV)):
        raise CommandError("No model is configured: set OPENAI_API_KEY or OPENAI_BASE_URL.")

    def extract(email: Email, own: OwnFirm) -> tuple[Extraction, float]:
        tools = Tools(own=own, model=configured[0])
        email = email.model_copy(update={"user_context": own.user})
        began = time.perf_counter()
        found = asyncio.run(intake(email, Notebook(), tools)).extraction
        return found, (time.perf_counter() - began) * 1000

    return extract


def _show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table("", "precision", "recall", "F1", "n", title=f"{result['mails']} mails, engine {result['engine']}")
    for name in ("contact", "other"):
        table.add_row(f"[bold]{name}[/bold]", *_row(result[name]), "")
    for name, figures in result["fields"].items():
        table.add_row(name, *_row(figures), str(figures["n"]))
    console.print(table)
    for name in ("intent_accuracy", "people_f1", "filled_precision", "must_not", "unsupported"):
        console.print(f"{name:<20} {result[name]}")
    console.print("ms a mail            " + ", ".join(f"{name} {value}" for name, value in result["ms"].items()))
    sure = Table("confidence", "values", "claimed", "right", title=f"calibration error {result['calibration_error']}")
    for row in result["reliability"]:
        sure.add_row(
            f"{row['from']:.1f}-{row['to']:.1f}", str(row["n"]), f"{row['confidence']:.3f}", f"{row['right']:.3f}"
        )
    console.print(sure)


def _row(figures: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{figures[name]:.3f}" for name in ("precision", "recall", "f1"))


def _show_changed(changed: dict[str, Any]) -> None:
    console = Console()
    table = Table("", "before", "now", title="Changed since then")
    for name, (before, now) in changed["figures"].items():
        table.add_row(name, str(before), str(now))
    console.print(table)
    for word in ("better", "worse"):
        for miss in changed[word]:
            console.print(f"{word:<7} {miss['mail']} {miss['person']} {miss['field']}", markup=False, highlight=False)
