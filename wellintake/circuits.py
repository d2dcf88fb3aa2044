"""Breakers in the database: the one place that every process of an installation sees, whatever its size."""

import math
import time
from dataclasses import asdict, fields

from django.db import transaction

from extraction.breaker import Breaker
from extraction.guard import Step
from wellintake.database import DatabaseThreads
from wellintake.models import Circuit

LOOK_SECONDS = 1.0
_COLUMNS = tuple(field.name for field in fields(Breaker))


class StoredCircuit:
    """Keeps the promise of `extraction.guard.Circuit` in one row."""

    def __init__(self, name: str, write: DatabaseThreads, read: DatabaseThreads) -> None:
        self._name = name
        self._write = write
        self._read = read
        self._seen = Breaker()
        self._seen_at = -math.inf

    async def look(self) -> Breaker:
        if time.monotonic() - self._seen_at > LOOK_SECONDS:
            self._seen_at = time.monotonic()  # before the read: of many who look at once, one goes
            self._seen = await self._read(_stored, self._name)
        return self._seen

    async def change(self, step: Step) -> Breaker:
        self._seen = await self._write(_changed, self._name, step)
        self._seen_at = time.monotonic()
        return self._seen


# ---------------------------------------------------------------- statements (each runs on a database thread)


def _stored(name: str) -> Breaker:
    row = Circuit.objects.filter(pk=name).values(*_COLUMNS).first()
    return Breaker(**row) if row else Breaker()


def _changed(name: str, step: Step) -> Breaker:
    with transaction.atomic():
        Circuit.objects.get_or_create(pk=name)
        row = Circuit.objects.select_for_update().filter(pk=name).values(*_COLUMNS).get()
        breaker = step(Breaker(**row))
        Circuit.objects.filter(pk=name).update(**asdict(breaker))
    return breaker
