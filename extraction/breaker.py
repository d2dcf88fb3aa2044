"""When to ask a service that keeps failing: not, for a while, and then by one call first. No I/O.

closed: everybody asks. open: nobody does until `until`. Then whoever comes first asks for all as the probe, and only
what the probe meets counts: calls that began before the breaker opened say nothing new. The first words of its answer
close the breaker, on probation until an answer is whole.
"""

from dataclasses import dataclass, replace
from typing import Literal

FAILURES = 3  # in a row
PAUSE_SECONDS = 30.0
MOST_PAUSE_SECONDS = 300.0
MOST_RETRY_AFTER = 3600.0  # a service that names a later time is believed so far
PROBE_SECONDS = 90.0  # a probe that is not heard of for so long has died with its process

State = Literal["closed", "open", "probing"]


@dataclass(frozen=True)
class Breaker:
    """`failures` are those in a row, `code` is the last one's. Times are epoch seconds."""

    failures: int = 0
    code: str = ""
    since: float | None = None
    until: float = 0.0
    probe: str = ""

    @property
    def state(self) -> State:
        if self.since is None:
            return "closed"
        return "probing" if self.probe else "open"

    def may_ask(self, caller: str, now: float) -> bool:
        """Whether the caller may ask now; while it is not closed only as the probe (see `probed_by`)."""
        return self.since is None or (self.probe == caller and now < self.until)

    def probed_by(self, caller: str, now: float) -> "Breaker":
        """The caller is the probe, if it is time for one and nobody else is."""
        due = self.since is not None and now >= self.until
        return replace(self, probe=caller, until=now + PROBE_SECONDS) if due else self

    def answers(self, caller: str) -> "Breaker":
        """The probe hears the first words: all may ask again, but one more failure opens it again."""
        return Breaker(FAILURES - 1, self.code) if self.probe == caller else self

    def answered(self, caller: str) -> "Breaker":
        """The service answered the caller, whatever it said."""
        return Breaker() if self._counts(caller) else self

    def failed(self, caller: str, code: str, now: float, retry_after: float | None = None) -> "Breaker":
        """The caller met a failure that the next one would meet as well. A service that names the time when it wants
        to be asked again is believed at once."""
        if not self._counts(caller):
            return self
        failures = self.failures + 1
        if failures < FAILURES and retry_after is None and self.since is None:
            return Breaker(failures, code)
        since = now if self.since is None else self.since
        return Breaker(failures, code, since, now + _pause(failures, retry_after))

    def given_up(self, caller: str, now: float) -> "Breaker":
        """The caller went away before it knew: somebody else may be the probe at once."""
        return replace(self, probe="", until=now) if self.probe == caller else self

    def _counts(self, caller: str) -> bool:
        return self.since is None or self.probe == caller


def _pause(failures: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return min(retry_after, MOST_RETRY_AFTER)
    return min(PAUSE_SECONDS * 2.0 ** max(0, failures - FAILURES), MOST_PAUSE_SECONDS)
