"""`purge_runs`: delete what is older than RETENTION_DAYS."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from wellintake.database import DatabaseThreads
from wellintake.retention import Retention


class Command(BaseCommand):
    help = (
        "Delete runs that nobody works on or waits for any more and that are older than RETENTION_DAYS, and audit "
        "entries older than AUDIT_DAYS. Servers and workers do it by themselves every few hours."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        write = DatabaseThreads("purge")
        retention = Retention(write, settings.ENV.retention_days, settings.ENV.audit_days)
        try:
            deleted = asyncio.run(retention.purge())
        finally:
            write.close()
        self.stdout.write(f"{deleted} runs deleted.")
