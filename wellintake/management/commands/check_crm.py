"""`check_crm`: does the CRM have what we write?"""

import json
from dataclasses import asdict
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.errors import CrmError
from wellintake.wiring import parts
from zoho.check import Finding
from zoho.crm import ZohoCrm


class Command(BaseCommand):
    help = "Check Zoho's fields and picklists against the field map. Exit status 1 when a save would fail by them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        crm = parts().zoho.crm
        if crm is None:
            raise CommandError("Zoho is not set up: ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET are empty.")
        try:
            findings = async_to_sync(_findings)(crm)
        except CrmError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            json.dumps([asdict(found) for found in findings])
            if options["json"]
            else "\n".join(f"{found.severity}: {found}" for found in findings) or "The CRM has what we write."
        )
        if any(found.severity == "error" for found in findings):
            raise SystemExit(1)


async def _findings(crm: ZohoCrm) -> list[Finding]:
    return await crm.check()
