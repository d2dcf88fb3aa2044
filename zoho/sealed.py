"""Attached files at rest: sealed like the mails they came with."""

from typing import Any

from django.conf import settings
from django.db import models

from extraction.seal import seal_with


class SealedBytes(models.BinaryField):  # type: ignore[type-arg]
    """Bytes that are sealed in their column (`extraction.seal`). Loading one whose key is not among ours raises
    `Unopened`."""

    @property
    def place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, bytes):
            value = seal_with(settings.MAIL_KEYS).seal(value, self.place)
        return super().get_db_prep_save(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        return None if value is None else seal_with(settings.MAIL_KEYS).open(bytes(value), self.place)

    def deconstruct(self) -> Any:
        """For migrations it is bytes: they change columns, not what is in them."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs
