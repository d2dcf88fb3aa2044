"""Who calls. Made by the application's access layer, believed by everybody behind it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """A key, a user or a page, known beyond doubt. `subject` is stable and unique within `tenant`."""

    subject: str
    tenant: str
    name: str | None = None
    email: str | None = None
    is_staff: bool = False
    run_id: str | None = None  # a run token: may read this one run and nothing else

    def may_see(self, run_id: str, tenant: str) -> bool:
        """Its own runs, and its colleagues' of the same tenant."""
        if self.run_id is not None:
            return self.run_id == run_id
        return self.is_staff or self.tenant == tenant

    @property
    def may_write(self) -> bool:
        return self.run_id is None
