"""`create_api_key NAME`: make a key and show it, this once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from wellintake.access.keys import SCOPES, make_key


class Command(BaseCommand):
    help = "Make an API key. It is shown once and kept only as a hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what or whom it is for")
        parser.add_argument("--tenant", help="share runs with the other holders of this tenant; default: its own")
        parser.add_argument(
            "--scope", action="append", choices=SCOPES, help="what it may do, once for each; default: intake and read"
        )
        parser.add_argument("--days", type=int, help="for how many days it is good; default: until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] is not None else None
        scopes = options["scope"] or ["intake", "read"]
        self.stdout.write(make_key(options["name"], options["tenant"], dict.fromkeys(scopes), expires_at))
