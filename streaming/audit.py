"""Who did what to which run, and when: what is asked after a complaint. Never holds words of a mail.

What changes something is written in the deed's own transaction. Who has looked is written behind, once for each reader,
run and hour; the owner's own looks are not: that they handed the mail in is there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from streaming.callers import Caller
from streaming.models import AuditEntry, Run

LOOKS_EVERY_SECONDS = 3600.0
KNOWN_LOOKS = 20_000


@dataclass(frozen=True)
class Deed:
    """Somebody does something; what is put down when it is done. `about` is a key's id, a connection's, a number."""

    action: str
    caller: Caller
    about: str = ""

    def entry(self, run_id: UUID | str | None = None) -> AuditEntry:
        """Not saved yet; another one each time, since a transaction may be repeated."""
        return AuditEntry(
            action=self.action,
            actor=self.caller.subject[:200],
            actor_name=(self.caller.name or "")[:200],
            tenant=self.caller.tenant,
            run_id=run_id,
            about=self.about[:200],
        )


class Looks:
    """Tells of each reader of a run once an hour, as far as this process knows."""

    def __init__(self, tell: Callable[[AuditEntry], None]) -> None:
        self._tell = tell
        self._known: dict[tuple[str, str, str], float] = {}

    def saw(self, run: Run, caller: Caller, action: Literal["read", "read_mail"] = "read") -> None:
        if (caller.tenant, caller.subject) == (run.tenant, run.owner):
            return
        look, now = (caller.tenant, caller.subject, f"{action} {run.pk}"), time.monotonic()
        if now - self._known.pop(look, -LOOKS_EVERY_SECONDS) < LOOKS_EVERY_SECONDS:
            self._known[look] = now
            return
        self._known[look] = now
        if len(self._known) > KNOWN_LOOKS:
            del self._known[next(iter(self._known))]
        self._tell(Deed(action, caller).entry(run.pk))
