"""`create_api_key NAME`: make a key and show it, this once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from wellintake.access.keys import make_key


class Command(BaseCommand):
    help = "Make an API key. It is shown once and kept only as a hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what or whom it is for")
        parser.add_argument("--tenant", help="share runs with the other keys of this tenant; default: its own")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(make_key(options["name"], options["tenant"]))
