"""`export_runs`: closed runs' events as NDJSON, oldest run first."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming.audit import Deed
from streaming.callers import Caller
from streaming.export import closed_runs, lines_of


class Command(BaseCommand):
    help = (
        "Print the events of closed runs, a JSON object a line, without words of the mails unless asked. What runs "
        "while it prints is left for the next time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", help="runs accepted from this day or time on, such as 2026-11-01 (UTC)")
        parser.add_argument("--until", help="and before this one; until now unless given")
        parser.add_argument("--with-mail-text", action="store_true", help="values, quotes, drafts: all that was told")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = (_time(name, options[name]) for name in ("since", "until"))
        words = "with mail text" if options["with_mail_text"] else "without mail text"
        about = f"runs {options['since'] or ''}..{options['until'] or ''} {words}"
        Deed("export", Caller("command", "", "manage.py"), about).entry().save()
        for run in closed_runs(since or 0.0, until):
            for _, line in lines_of(run, mail_text=options["with_mail_text"]):
                self.stdout.write(line.decode())


def _time(name: str, given: str | None) -> float | None:
    """Epoch seconds."""
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise CommandError(f"--{name} is a day or a time, such as 2026-11-01 or 2026-11-01T12:00.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
