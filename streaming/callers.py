"""Who calls. Made by the application's access layer, believed by everybody behind it."""

from dataclasses import dataclass
from typing import Literal

from streaming.problems import Problem

# What a caller may do: hand mails in and decide about their runs; look at runs; look at figures; all that, of all.
Scope = Literal["intake", "read", "metrics", "admin"]


@dataclass(frozen=True)
class Caller:
    """A key, a user or a page, known beyond doubt. `subject` is stable and unique within `tenant`."""

    subject: str
    tenant: str
    name: str | None = None
    email: str | None = None
    scopes: frozenset[Scope] = frozenset({"intake", "read"})
    run_id: str | None = None  # a run token: may read this one run and nothing else
    until: float | None = None  # epoch seconds: nothing that is made from this sign-in outlives it

    @property
    def is_staff(self) -> bool:
        return "admin" in self.scopes

    def may_see(self, run_id: str, tenant: str) -> bool:
        """Its own runs, and its colleagues' of the same tenant."""
        if self.run_id is not None:
            return self.run_id == run_id
        return self.is_staff or self.tenant == tenant

    def require(self, scope: Scope) -> None:
        """Raises `Problem` 403."""
        if scope not in self.scopes and not self.is_staff:
            raise Problem(403, "missing_scope", f"This credential lacks the scope {scope}.")


def stranger_at(address: str) -> Caller:
    """Whoever has not said who they are: may do nothing, and is counted by the address."""
    return Caller(subject=f"address:{address}", tenant="", name=f"stranger at {address}", scopes=frozenset())
