"""`export_audit`: the audit log as NDJSON, oldest first."""

from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming.audit import Deed
from streaming.callers import Caller
from streaming.models import AuditEntry

COLUMNS = ("at", "action", "actor", "actor_name", "tenant", "run_id", "about")


class Command(BaseCommand):
    help = "Print the audit log, a JSON object a line: who did what to which run, and when (epoch seconds)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", help="a day, such as 2026-11-01 (UTC); everything unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            since = datetime.fromisoformat(options["since"] or "1970-01-01").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise CommandError("--since is a day, such as 2026-11-01.") from None
        Deed("export", Caller("command", "", "manage.py"), options["since"] or "").entry().save()
        for entry in AuditEntry.objects.filter(at__gte=since).order_by("pk").values(*COLUMNS).iterator():
            self.stdout.write(orjson.dumps(entry).decode())
