"""`intake FILE`: one mail's run in the terminal, or as NDJSON events for machines."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from pydantic import ValidationError
from rich.console import Console

from extraction.errors import UnreadableMail
from extraction.mime import email_from_file
from extraction.types import Email
from streaming.callers import Caller
from streaming.models import Run
from streaming.problems import Problem, problem_from
from streaming.wire import Item
from wellintake.management.terminal import Story
from wellintake.wiring import build

CALLER = Caller(subject="cli", tenant="default", name="Command line", scopes=frozenset({"admin"}))
SECONDS = 180.0


class Command(BaseCommand):
    help = "Run one mail. Exit status: 0 complete, 3 nothing to file, 1 failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="an .eml or .msg file")
        parser.add_argument("--mode", choices=["review", "auto", "preview"], default="preview")
        parser.add_argument("--json", action="store_true", help="print the run's events, one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        email = _email(options["file"], options["mode"])
        if Run._meta.db_table not in connection.introspection.table_names():
            call_command("migrate", verbosity=0)  # the first command of a fresh clone
        show = _print_line if options["json"] else Story(Console()).tell
        sys.exit(asyncio.run(_follow(email, show)))


def _email(file: Path, mode: str) -> Email:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file.name} cannot be read: {error.strerror}") from None
    try:
        return email_from_file(content, file.name).model_copy(update={"mode": mode})
    except UnreadableMail as error:
        raise CommandError(error.message) from None
    except ValidationError as error:
        raise CommandError(f"{file.name}: {problem_from(error).detail}") from None


async def _follow(email: Email, show: Any) -> int:
    """Run the mail in this process, without taking over what others left behind; the exit status."""
    process = build(settings.ENV, alone=True)
    await process.start(sweeping=False)
    last: Item | None = None
    try:
        started = await process.runs.start(email, CALLER)
        async with aclosing(process.log.follow(started.run_id, until_settled=True, seconds=SECONDS)) as arrivals:
            async for items in arrivals:
                for last in items:
                    show(last)
    except Problem as problem:
        raise CommandError(problem.detail) from None
    finally:
        await process.stop()
    return _status(last)


def _status(last: Item | None) -> int:
    if last is None or last.type not in ("complete", "review_ready"):
        return 1
    told = orjson.loads(last.envelope)["data"]
    return 3 if told.get("status") == "nothing_to_file" else 0


def _print_line(item: Item) -> None:
    sys.stdout.write(item.envelope + "\n")
    sys.stdout.flush()
