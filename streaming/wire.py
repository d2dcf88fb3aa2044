"""The one JSON shape of the wire: envelopes, cursors, connection frames (contract §2, §9)."""

import re
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import orjson

_CURSOR = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


class BadCursor(ValueError):
    """Not of the form `<epoch>.<sequence>`."""


@dataclass(frozen=True)
class Cursor:
    """A place in a run's log: everything up to `sequence` has been seen."""

    epoch: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.sequence}"

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """None for none; raises `BadCursor`."""
        if not text:
            return None
        if not (match := _CURSOR.fullmatch(text)):
            raise BadCursor
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Entry:
    """One committed event of a log. Encoded once, whatever the number of its readers."""

    run_id: str
    epoch: int
    sequence: int
    type: str
    timestamp: float
    data: str

    @cached_property
    def envelope(self) -> str:
        place = f'"sequence":{self.sequence},"cursor":"{self.epoch}.{self.sequence}","timestamp":{self.timestamp:.3f}'
        return f'{{"type":"{self.type}","run_id":"{self.run_id}",{place},"data":{self.data}}}'

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self.sequence)


@dataclass(frozen=True)
class Reset:
    """The cursor can't be served: replace what you have by `state` and go on from `cursor`."""

    run_id: str
    reason: str
    first_available: int
    cursor: Cursor
    state: dict[str, Any]

    type: ClassVar[str] = "reset"

    @property
    def sequence(self) -> int:
        return self.cursor.sequence

    def with_links(self, links: dict[str, str]) -> "Reset":
        return replace(self, state=self.state | {"links": links})

    @property
    def envelope(self) -> str:
        return dumps(
            {
                "type": "reset",
                "run_id": self.run_id,
                "sequence": self.cursor.sequence,
                "cursor": str(self.cursor),
                "timestamp": round(time.time(), 3),
                "data": {"reason": self.reason, "first_available": self.first_available, "state": self.state},
            }
        )


Item = Entry | Reset


def frame(kind: str, data: dict[str, Any] | None = None, **top: Any) -> str:
    """Something that belongs to a connection, not to a run: it carries no place in a log."""
    return dumps({"type": kind, "sequence": 0, "timestamp": round(time.time(), 3), "data": data or {}, **top})


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
