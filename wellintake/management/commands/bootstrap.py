"""`bootstrap`: database, first admin and first key of a fresh installation; nothing at all on an old one."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from wellintake.access.keys import EVERYTHING, make_key
from wellintake.models import ApiKey


class Command(BaseCommand):
    help = "Bring the database up to date; at the first time make an admin and a key, and print both once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server will listen")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        url = options["url"].rstrip("/")
        lines = [
            ("Try it", f"{url}/"),
            ("Admin", f"{url}/admin/"),
            ("API", f"{url}/api/docs/"),
            ("Health", f"{url}/stream/health"),
        ]
        users = get_user_model()
        if settings.ENV.admin_passwords and not users.objects.exists():
            password = secrets.token_urlsafe(12)
            users.objects.create_superuser("admin", password=password)
            lines.append(("Log-in", f"admin / {password}   (shown once)"))
        if not ApiKey.objects.exists():
            lines.append(("API key", f"{make_key('first', 'default', EVERYTHING)}   (shown once)"))
        width = max(len(name) for name, _ in lines)
        self.stdout.write("\nWell Intake\n" + "".join(f"  {name:<{width}}  {value}\n" for name, value in lines))
