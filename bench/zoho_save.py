"""What a save costs at Zoho: `python -m bench.zoho_save [--milliseconds 150] [--saves 20]`.

Against the tests' Zoho on a socket, so many milliseconds away: the calls of one save, and the time from the click until
the deal is there, of one save after another, each of a new contact at a new firm. The look for duplicates, which runs
while the mail is read, is among the calls and not in the time.
"""

import argparse
import asyncio
import os
import statistics
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wellintake.settings")
django.setup()

from extraction import records  # noqa: E402
from extraction.types import FieldValue, Person  # noqa: E402
from zoho.crm import ZohoCrm  # noqa: E402
from zoho.tests.fake_zoho import FakeZoho  # noqa: E402
from zoho.tests.held import crm_behind  # noqa: E402


async def save(crm: ZohoCrm, number: int) -> float:
    """Seconds from the click to the deal."""
    email, firm = f"jane{number}@acme{number}.example", f"Acme Wealth {number}"
    places = {"email": ("contact", email), "company_name": ("company", firm), "job_title": ("deal", "Advisor")}
    values = [
        FieldValue(record=record, field=name, value=value, confidence=0.9, origin="pattern")
        for name, (record, value) in places.items()
    ]
    await crm.find(Person(index=0, fields=tuple(values)))
    began = time.perf_counter()
    account = await crm.upsert(records.Account(firm), f"{number}.account")
    contact = await crm.upsert(records.Contact("Roe", email=email, account_id=account.id), f"{number}.contact")
    deal = await crm.upsert(records.Deal("Advisor", account_id=account.id, contact_id=contact.id), f"{number}.deal")
    seconds = time.perf_counter() - began
    await crm.upsert(records.Note("Intake", "What the mail said", deal_id=deal.id), f"{number}.note")
    return seconds


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--milliseconds", type=float, default=150)
    parser.add_argument("--saves", type=int, default=20)
    given = parser.parse_args()
    async with FakeZoho.serving() as zoho, crm_behind(zoho) as crm:
        await crm.check()
        zoho.calls.clear()
        zoho.latency = given.milliseconds / 1000
        times = [await save(crm, number) for number in range(given.saves)]
        print(f"calls a save: {len(zoho.calls) / given.saves:.1f}")
        print(
            f"until the deal is there, ms: median {statistics.median(times) * 1000:.0f}, most {max(times) * 1000:.0f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
