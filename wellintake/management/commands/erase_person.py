"""`erase_person ADDRESS`: erase everything that names a person, at the person's request."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.seal import Unopened
from streaming.audit import Deed
from streaming.callers import Caller
from wellintake.retention import UNSEARCHED, StillSaving, erase_person, runs_about


class Command(BaseCommand):
    help = (
        "Erase the mails that name a person by this address, all that was made of them, and the person's records in "
        "the embedded CRM. Without --yes it only counts. In the admin it takes two people."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--yes", action="store_true", help="erase, for good")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"].strip()
        if "@" not in address[1:-1]:
            raise CommandError("Give a whole mail address.")
        try:
            if not options["yes"]:
                self.stdout.write(f"{len(runs_about(address))} runs name this person. Add --yes to erase them.")
                return
            erased = erase_person(address)
        except StillSaving as error:
            raise CommandError("A mail of this person is just being saved. Try again in a minute.") from error
        except Unopened as error:
            raise CommandError(UNSEARCHED.format(key=error.key_id)) from error
        Deed("erase", Caller("command", "", "manage.py"), str(erased)).entry().save()
        self.stdout.write(f"Erased: {erased}.")
        for record in erased.elsewhere:
            self.stdout.write(f"Delete at Zoho: {record}")
