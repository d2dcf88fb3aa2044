"""Remembered corrections in the database, each tenant's for itself."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db import Error, IntegrityError, transaction
from django.db.models import Q

from extraction.errors import MemoryUnavailable
from extraction.memory import Kind, LearnedRule, Lesson, Scope
from extraction.merge import same
from extraction.types import RecordName
from wellintake import models
from wellintake.database import DatabaseThreads

T = TypeVar("T")

SECONDS = 2.0  # a run that cannot be helped in that time goes on without
MOST_RULES = 1000


class StoredMemory:
    """Keeps the promise of `extraction.ports.Memory`."""

    def __init__(self, write: DatabaseThreads, read: DatabaseThreads) -> None:
        self._write = write
        self._read = read

    async def recall(self, tenant: str, scopes: Collection[Scope]) -> Sequence[LearnedRule]:
        return await _in_time(self._read, _recalled, tenant, scopes)

    async def learn(self, tenant: str, lessons: Collection[Lesson], author: str, run_id: str) -> None:
        await _in_time(self._write, _learn, tenant, lessons, author, run_id)

    async def used(self, rules: Collection[int], run_id: str) -> None:
        await _in_time(self._write, _use, rules, run_id)


async def _in_time(database: DatabaseThreads, function: Callable[..., T], *args: Any) -> T:
    try:
        async with asyncio.timeout(SECONDS):
            return await database(function, *args)
    except (Error, TimeoutError) as error:
        raise MemoryUnavailable from error


# ---------------------------------------------------------------- statements (each runs on a database thread)


def _active(tenant: str, kind: Kind, names: Iterable[str]) -> Q:
    return Q(tenant=tenant, revoked_at__isnull=True, scope_kind=kind, scope__in=list(names))


def _recalled(tenant: str, scopes: Collection[Scope]) -> list[LearnedRule]:
    domains = [scope.name for scope in scopes if scope.kind == "domain"]
    companies = [scope.name for scope in scopes if scope.kind == "company"]
    wanted = _active(tenant, "domain", domains) | _active(tenant, "company", companies)
    rows = models.LearnedRule.objects.filter(wanted).order_by("-learned_at")[:MOST_RULES]
    return [_rule(row) for row in rows]


def _rule(row: models.LearnedRule) -> LearnedRule:
    scope = Scope(cast(Kind, row.scope_kind), row.scope)
    record = cast(RecordName, row.record)
    return LearnedRule(row.pk, scope, record, row.field, row.original or None, row.value, row.learned_at)


@transaction.atomic
def _learn(tenant: str, lessons: Collection[Lesson], author: str, run_id: str) -> None:
    for lesson in lessons:
        known = _settled(tenant, lesson, author)
        if lesson.value and not known:
            _keep(tenant, lesson, lesson.value, author, run_id)


def _settled(tenant: str, lesson: Lesson, author: str) -> bool:
    """Revoke what says something else about the same mistake; whether a rule says the same already."""
    about = _active(tenant, lesson.scope.kind, [lesson.scope.name]) & Q(record=lesson.record, field=lesson.field)
    known = models.LearnedRule.objects.select_for_update().filter(
        about | Q(tenant=tenant, revoked_at__isnull=True, pk=lesson.replaces)
    )
    rivals = [row for row in known if row.pk == lesson.replaces or same(row.original, lesson.original or "")]
    wrong = [row.pk for row in rivals if row.value != lesson.value]
    models.LearnedRule.objects.filter(pk__in=wrong).update(revoked_at=time.time(), revoked_by=author)
    return len(wrong) < len(rivals)


def _keep(tenant: str, lesson: Lesson, value: str, author: str, run_id: str) -> None:
    rule = models.LearnedRule(
        tenant=tenant,
        scope_kind=lesson.scope.kind,
        scope=lesson.scope.name,
        record=lesson.record,
        field=lesson.field,
        original=lesson.original or "",
        value=value,
        run_id=UUID(run_id),
        learned_by=author,
    )
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError:
        return  # somebody else's edit of the same instant holds


def _use(rules: Collection[int], run_id: str) -> None:
    uses = [models.RuleUse(rule_id=rule, run_id=UUID(run_id)) for rule in rules]
    models.RuleUse.objects.bulk_create(uses, ignore_conflicts=True)
