"""Keys of mails at rest are changed: whatever is sealed with an older key, or not at all, is sealed with the first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Q
from django.db.models.functions import Substr

from extraction.seal import ID_CHARACTERS, MARK, seal_with
from streaming.models import Event, Run, Step
from zoho.models import Attachment

AT_ONCE = 100


@dataclass(frozen=True)
class Column:
    """A column that is sealed."""

    model: type[models.Model]
    name: str

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.name}"

    @property
    def holds_bytes(self) -> bool:
        return isinstance(self.model._meta.get_field(self.name), models.BinaryField)

    def mark(self, key_id: str = "") -> Any:
        """What is sealed with this key begins with; without one, whatever is sealed."""
        mark = MARK + key_id.encode()
        return mark if self.holds_bytes else mark.decode()

    def rows(self) -> Any:
        """All that hold something, with how it begins as it is kept: nothing to show, it may be plain."""
        kind: models.Field[Any, Any] = models.BinaryField() if self.holds_bytes else models.TextField()
        rows = self.model._default_manager.exclude(**{f"{self.name}__isnull": True})
        return rows.annotate(
            mark=Substr(self.name, 1, len(MARK), output_field=kind),
            beginning=Substr(self.name, 1, len(MARK) + ID_CHARACTERS, output_field=kind),
        )

    def counts(self) -> tuple[int, dict[str, int]]:
        """How many are plain, and how many are sealed with which key."""
        sealed = self.rows().filter(mark=self.mark()).order_by().values_list("beginning").annotate(count=Count("*"))
        by_key = {_text(beginning)[len(MARK) :]: count for beginning, count in sealed}
        return self.rows().exclude(mark=self.mark()).count(), by_key


COLUMNS = (
    Column(Run, "email"),
    Column(Run, "corrections"),
    Column(Step, "result"),
    Column(Event, "data"),
    Column(Attachment, "content"),
)


def reseal(column: Column) -> int:
    """Seal with the first key what is not; what no key of ours opens stays. How many."""
    done, last = 0, None
    while True:
        with transaction.atomic():
            some = _some(column, last)
            for key, value in some:
                column.model._default_manager.filter(pk=key).update(**{column.name: value})
        if not some:
            return done
        done, last = done + len(some), some[-1][0]


def _some(column: Column, last: Any) -> Sequence[tuple[Any, Any]]:
    """The next rows behind the key `last`, and what they hold, locked until they are written."""
    ours = [column.mark(key_id) for key_id in seal_with(settings.MAIL_KEYS).ids[1:]]
    rows = column.rows().filter(~Q(mark=column.mark()) | Q(beginning__in=ours)).order_by("pk")
    if last is not None:
        rows = rows.filter(pk__gt=last)
    return list(rows.select_for_update().values_list("pk", column.name)[:AT_ONCE])


def lost_keys() -> dict[str, int]:
    """Ids of keys that are not ours, and how many values only they open."""
    lost: Counter[str] = Counter()
    for column in COLUMNS:
        lost.update(column.counts()[1])
    return {key: count for key, count in lost.items() if key not in seal_with(settings.MAIL_KEYS).ids}


def scrub() -> str | None:
    """Have the database forget what was there before; what is left to do, where that is not ours to do."""
    if connection.vendor != "sqlite":
        return "PostgreSQL keeps what was there before until it is overwritten: VACUUM FULL, and mind the backups."
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return None


def _text(beginning: Any) -> str:
    return beginning if isinstance(beginning, str) else bytes(beginning).decode("ascii", "replace")
