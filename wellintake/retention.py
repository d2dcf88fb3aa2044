"""What is kept for how long, and what is erased because a person asked for it."""

import asyncio
import random
import time
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import orjson
import structlog
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from extraction.seal import MARK
from streaming.log import Database
from streaming.models import AuditEntry, Event, Reading, Run, Step
from wellintake.models import LearnedRule
from zoho.models import Contact, Deal

DAY_SECONDS = 86_400.0
EVERY_SECONDS = 6 * 3600.0
AT_ONCE = 200
# Told to staff instead of a number that would be too small.
UNSEARCHED = "Some mails cannot be searched: MAIL_ENCRYPTION_KEYS does not hold their key {key}."
WRITING = (Run.State.SAVING, Run.State.UNDOING)
logger = structlog.get_logger()


class Retention:
    """Deletes runs that are older than `days`, and audit entries that are older than `audit_days`."""

    def __init__(self, write: Database, days: int, audit_days: int) -> None:
        self._write = write
        self._days = days
        self._audit_days = audit_days

    async def keep(self) -> None:
        """Every few hours, and not in all processes at once; runs as long as the process."""
        while True:
            await asyncio.sleep(EVERY_SECONDS * random.uniform(0.1, 1))  # noqa: S311
            try:
                await self.purge()
            except Exception as error:  # noqa: BLE001  (the next time comes)
                logger.warning("not_purged", kind=type(error).__name__)

    async def purge(self) -> int:
        """How many runs were deleted."""
        deleted = 0
        while some := await self._write(delete_old_runs, self._days):
            deleted += some
            await asyncio.sleep(0.05)  # runs of today are written in between
        await self._write(Session.objects.filter(expire_date__lt=timezone.now()).delete)
        await self._write(AuditEntry.objects.expire, time.time() - self._audit_days * DAY_SECONDS)
        return deleted


@transaction.atomic
def delete_old_runs(days: int) -> int:
    """Delete some of the closed runs, and of the reviews nobody came back to, that are older than that. How many."""
    now = time.time()
    old = Run.objects.filter(created_at__lt=now - days * DAY_SECONDS)
    over = Q(closed=True) | Q(state=Run.State.REVIEW, expires_at__lt=now)
    # Failed, and nobody tried again; or nobody has the key that opens it.
    left = ~Q(state=Run.State.REVIEW) & Q(touched_at__lt=now - days * DAY_SECONDS)
    chosen = list(old.filter(over | left).order_by("created_at").values_list("pk", flat=True)[:AT_ONCE])
    Run.objects.filter(pk__in=chosen).only("pk").delete()  # nothing of them is read: it may not be ours to open
    return len(chosen)


@dataclass(frozen=True)
class Erased:
    """How much was erased; `elsewhere` are the addresses of records that only people at Zoho can delete."""

    runs: int
    rules: int
    contacts: int
    deals: int
    elsewhere: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.runs} runs, {self.rules} remembered corrections, {self.contacts} contacts, {self.deals} deals"


class StillSaving(Exception):
    """A mail of this person is being written to the CRM just now."""


@transaction.atomic
def erase_person(address: str) -> Erased:
    """Erase whatever names a person by this mail address: whole mails, also when they name others, too, with all that
    was made of them and learned from them, and the person's records in the embedded CRM. Raises `StillSaving`.

    Of a run stays that it was there, when, whose, and how many events it had; who asks for it is answered by 410.
    """
    chosen = runs_about(address)
    if Run.objects.filter(pk__in=chosen, state__in=WRITING, closed=False).exists():
        raise StillSaving
    elsewhere = _records_at_zoho(chosen)
    rules = LearnedRule.objects.filter(run_id__in=chosen)
    contacts = Contact.objects.filter(email__iexact=address)
    deals = Deal.objects.filter(contact__in=contacts)  # their notes and files go with them
    erased = Erased(len(chosen), rules.count(), contacts.count(), deals.count(), elsewhere)
    for rows in (rules, deals, contacts):
        rows.delete()
    for model in (Event, Step, Reading):
        model._default_manager.filter(run__in=chosen).delete()
    Run.objects.filter(pk__in=chosen).update(
        email="{}",
        corrections=None,
        followup=None,
        message_id=None,
        idempotency_key=None,
        digest="",
        closed=True,
        lease=F("lease") + 1,  # whoever works on it just now is refused
        erased_at=time.time(),
    )
    return erased


def runs_about(address: str) -> set[UUID]:
    """Runs whose mail, log or results hold the address, and repetitions of them. Attached files count by what was read
    of them. Reads all that is kept: minutes among millions of runs. Raises `extraction.seal.Unopened` when some of it
    is sealed with a key that is not ours: whom it names nobody knows."""
    found: set[UUID] = set()
    for rows, run, column in (
        (Run.objects, "pk", "email"),
        (Run.objects, "pk", "corrections"),
        (Event.objects, "run_id", "data"),
        (Step.objects, "run_id", "result"),
    ):
        found |= set(rows.filter(**{f"{column}__icontains": address}).values_list(run, flat=True))
        sealed = rows.filter(**{f"{column}__startswith": MARK.decode()}).values_list(run, column)
        found |= {key for key, text in sealed.iterator(AT_ONCE) if address.casefold() in text.casefold()}
    return found | set(Run.objects.filter(rerun_of__in=found).values_list("pk", flat=True))


def _records_at_zoho(runs: Collection[UUID]) -> tuple[str, ...]:
    """Addresses of the contacts, deals and notes that these runs have written there."""
    stored = Event.objects.filter(run__in=runs, type="zoho_complete").values_list("data", flat=True)
    records = [record for data in stored for record in orjson.loads(data)["records"] if record["module"] != "account"]
    return tuple(dict.fromkeys(one["url"] for one in records if one["url"] and "/admin/zoho/" not in one["url"]))
