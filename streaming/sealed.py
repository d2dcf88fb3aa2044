"""Columns that hold words of mails: sealed on the way into the database when there are keys, opened on the way out."""

from typing import Any

from django.conf import settings
from django.db import models

from extraction.seal import seal_with


class SealedText(models.TextField):  # type: ignore[type-arg]
    """Text that is sealed in its column (`extraction.seal`). Look-ups compare with what the column holds. Loading one
    whose key is not among ours raises `Unopened`. The names of table and column are sealed along: a migration that
    renames one has to open and seal anew."""

    @property
    def place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str):
            value = seal_with(settings.MAIL_KEYS).seal_text(value, self.place)
        return super().get_db_prep_save(value, connection)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return None if value is None else seal_with(settings.MAIL_KEYS).open_text(value, self.place)

    def deconstruct(self) -> Any:
        """For migrations it is text: they change columns, not what is in them."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs
