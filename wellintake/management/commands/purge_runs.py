"""`purge_runs`: delete what is older than RETENTION_DAYS."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.models import Q

from streaming.models import Run


class Command(BaseCommand):
    help = "Delete closed runs, and reviews nobody came back to, that are older than RETENTION_DAYS."

    def handle(self, *args: Any, **options: Any) -> None:
        now = time.time()
        old = Run.objects.filter(created_at__lt=now - settings.ENV.retention_days * 86_400)
        _, counts = old.filter(Q(closed=True) | Q(state=Run.State.REVIEW, expires_at__lt=now)).delete()
        self.stdout.write(f"{counts.get('streaming.Run', 0)} runs deleted.")
