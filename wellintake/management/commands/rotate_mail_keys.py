"""`rotate_mail_keys`: seal every kept mail anew with the first of MAIL_ENCRYPTION_KEYS."""

import base64
import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.seal import seal_with
from wellintake.resealing import COLUMNS, lost_keys, reseal, scrub


class Command(BaseCommand):
    help = (
        "Seal every kept mail, log and file that is not yet sealed with the first of MAIL_ENCRYPTION_KEYS. Servers may "
        "run meanwhile. When it has ended well, older keys are needed for backups only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="print a new key and do nothing else")
        parser.add_argument("--count", action="store_true", help="only say with which keys how much is sealed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_key"]:
            self.stdout.write(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
            return
        if options["count"]:
            self._count()
            return
        if not settings.MAIL_KEYS:
            raise CommandError("MAIL_ENCRYPTION_KEYS is not set. --new-key prints a key.")
        sealed = 0
        for column in COLUMNS:
            self.stdout.write(f"{column}: {(count := reseal(column))} sealed anew")
            sealed += count
        if sealed and (left := scrub()):
            self.stdout.write(self.style.WARNING(left))
        self._fail_when_keys_are_missing()

    def _count(self) -> None:
        for column in COLUMNS:
            plain, by_key = column.counts()
            told = [f"{plain} plain", *(f"{count} with {key}" for key, count in sorted(by_key.items()))]
            self.stdout.write(f"{column}: {', '.join(told)}")
        self._fail_when_keys_are_missing(counting=True)

    def _fail_when_keys_are_missing(self, *, counting: bool = False) -> None:
        older = set(settings.MAIL_KEYS and seal_with(settings.MAIL_KEYS).ids[1:])
        if not counting and (left := sum(column.counts()[1].get(key, 0) for column in COLUMNS for key in older)):
            raise CommandError(
                f"{left} values have come with an older key meanwhile: restart all servers, run it again."
            )
        if lost := lost_keys():
            told = ", ".join(f"{count} values with {key}" for key, count in sorted(lost.items()))
            raise CommandError(f"Not opened, since MAIL_ENCRYPTION_KEYS does not hold their key: {told}.")
