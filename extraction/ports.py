"""What the core needs from outside, as promises. Adapters keep them; tests keep them with fakes."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from extraction.events import Event
from extraction.memory import LearnedRule, Lesson, Scope
from extraction.records import Record, Step
from extraction.types import Person, Usage

T = TypeVar("T")


@dataclass(frozen=True)
class Prompt:
    """What the model is asked. The mail stands in `user`, delimited and numbered; `system` never changes."""

    system: str
    user: str
    version: str
    schema: dict[str, Any] = field(default_factory=dict, compare=False)


class LanguageModel(Protocol):
    """A streaming language model that answers in the JSON of a schema."""

    name: str

    def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        """Yield the answer's text as it comes, all that arrived together as one string, then one `Usage`.

        Ends normally only when the answer is whole. Raises `ModelError` (and nothing else) otherwise, in its own
        time: nobody waits for it longer than the settings allow.
        Closing the iterator early closes the connection.
        """
        ...

    async def close(self) -> None:
        """Let go of what is kept between answers."""
        ...


class Research(Protocol):
    """Facts about a firm from its own web page."""

    async def find(self, domain: str) -> dict[str, Any] | None:
        """`{name, title, description, website, city, state, industry, source_url}` as far as known, None when
        there is nothing. Keeps its own deadline: raises `TimeoutError` at it, `ResearchError` on failure."""
        ...

    async def close(self) -> None:
        """Let go of what is kept between look-ups."""
        ...


@dataclass(frozen=True)
class Match:
    """A record that the CRM already holds and that is likely the same thing."""

    module: str
    id: str
    url: str | None
    matched_on: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """What became of one record. `before` is what it held before we changed it (only the fields we changed), None when
    we created it. `modified_at` is the record's time of change after our write, as the CRM spells it: undo compares it.
    `remark` says what was left out and why, fit to show."""

    id: str
    url: str | None
    action: Literal["created", "updated", "reused", "skipped"]
    before: dict[str, Any] | None = None
    modified_at: str | None = None
    remark: str | None = None


@dataclass(frozen=True)
class Undone:
    """What undoing one record came to; `reason` says why it was kept."""

    outcome: Literal["deleted", "restored", "kept"]
    reason: str | None = None


class Crm(Protocol):
    """A CRM. `upsert` answers only after the record is stored."""

    target: Literal["zoho", "embedded"]

    async def find(self, person: Person) -> Sequence[Match]:
        """Records that likely are this person's already: contacts by e-mail, open deals by contact, title, company."""
        ...

    async def upsert(self, record: Record, key: str) -> Stored:
        """Store one record. `key` names it for good: the same key again gives the same record, whatever was cut.
        Raises `CrmError`."""
        ...

    async def undo(self, step: Step, stored: Stored) -> Undone:
        """Take back one write: what we created goes to the CRM's bin, what we changed is restored - when nobody has
        changed it since; kept otherwise, with the reason. `reused`/`skipped` records are kept (never ours). Undoing
        twice gives the same. Raises `CrmError` when the CRM cannot be asked."""
        ...


class Memory(Protocol):
    """Rules that users' corrections have left, each tenant's for itself. Every call ends in its own time, raising
    `MemoryUnavailable` (and nothing else) when it could not be done."""

    async def recall(self, tenant: str, scopes: Collection[Scope]) -> Sequence[LearnedRule]:
        """The rules of these scopes that nobody has revoked, in one query."""
        ...

    async def learn(self, tenant: str, lessons: Collection[Lesson], author: str, run_id: str) -> None:
        """Keep what a saved correction teaches; what says something else about the same mistake is revoked. Learning
        the same again changes nothing."""
        ...

    async def used(self, rules: Collection[int], run_id: str) -> None:
        """Note that the rules spoke in this run. Counts once a run, however often it is called."""
        ...


class Journal(Protocol):
    """The writing side of one run's log, held by whoever has the run's lease."""

    attempt: int

    def tell(self, *events: Event) -> None:
        """Put events at the end of the log. Returns at once; what piles up is written together. Field events that
        repeat what the log already says are left out, so that a part that runs again does not tell twice."""
        ...

    async def written(self) -> None:
        """Wait until everything told so far is in the log. Who tells much waits here between pieces: under load they
        grow instead of piling up. Raises `LeaseLost` or what the database raised."""
        ...

    def told(self, kind: str) -> bool:
        """Whether the log holds an event of that type already. What a save told counts until it is over."""
        ...

    def done(self, name: str) -> bool:
        """Whether the step is finished."""
        ...

    async def step(
        self,
        name: str,
        work: Callable[[], Awaitable[T]],
        kind: type[T],
        tells: Callable[[T], Iterable[Event]] = lambda result: (),
    ) -> T:
        """Do a step once in the life of the run: the stored result is given back when there is one. Otherwise do
        the work and store its result and the events that tell it in one transaction. Raises `LeaseLost`."""
        ...
