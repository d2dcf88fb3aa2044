"""The events of a run, a closed union (contract §2). The fields of a class are the `data` of its envelope."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from extraction.types import Engine, Evidence, FieldContent, Issue, Origin, RecordName, Usage


class Told(BaseModel):
    """Base of all events. `type` is on the class, so that `model_dump_json()` is exactly the envelope's `data`."""

    model_config = ConfigDict(frozen=True)

    type: ClassVar[str]


class ExtractionStart(Told):
    """The run began (`attempt` > 1: it was interrupted and begins this part again)."""

    type: ClassVar[str] = "extraction_start"
    message: str
    engine: str
    model: str | None = None
    prompt_version: str | None = None
    language: str | None = None
    attempt: int = 1


class ExtractionToken(Told):
    """Text of the model's answer; one event may carry several tokens when they arrived together."""

    type: ClassVar[str] = "extraction_token"
    token: str


class ExtractionField(Told):
    """A field is complete and valid; sent once per new value, never while a value is still growing."""

    type: ClassVar[str] = "extraction_field"
    person: int
    record: RecordName
    field: str
    value: FieldContent | None
    confidence: float
    origin: Origin
    evidence: Evidence | None = None
    supersedes: Origin | None = None


class ResearchStart(Told):
    """The company's web page is being looked up."""

    type: ClassVar[str] = "research_start"
    message: str
    domain: str


class ResearchResult(Told):
    """Exactly one for each `research_start`. `elapsed` is in seconds."""

    type: ClassVar[str] = "research_result"
    status: Literal["complete", "timeout", "skipped", "failed"]
    elapsed: float
    result: dict[str, Any] | None = None


class ValidationStart(Told):
    """All values are in; the rules are applied."""

    type: ClassVar[str] = "validation_start"
    message: str


class ValidationResult(Told):
    """Cleaned data; `engine` says who found it. The flat keys repeat person 0 for older clients."""

    type: ClassVar[str] = "validation_result"
    people: list[dict[str, Any]]
    intent: str
    engine: Engine
    model: str | None
    usage: Usage
    source: str | None
    source_detail: str | None
    deal_names: list[str | None]
    issues: list[Issue]
    candidate_name: str | None = None
    job_title: str | None = None
    location: str | None = None
    company_name: str | None = None
    referrer_name: str | None = None
    phone: str | None = None
    email: str | None = None


class DuplicateFound(Told):
    """The CRM already holds a likely match."""

    type: ClassVar[str] = "duplicate_found"
    person: int
    module: str
    id: str
    url: str | None
    matched_on: str
    record: dict[str, Any]


class ReviewReady(Told):
    """Waiting for the user; `draft` holds the records that a save would write. Settles the stream."""

    type: ClassVar[str] = "review_ready"
    draft: list[dict[str, Any]]
    expires_at: str


class ZohoStart(Told):
    """Saving began."""

    type: ClassVar[str] = "zoho_start"
    message: str
    target: Literal["zoho", "embedded"]


class ZohoProgress(Told):
    """One record is known to be stored."""

    type: ClassVar[str] = "zoho_progress"
    step: Literal["account", "contact", "deal", "note", "attachment"]
    person: int
    action: Literal["created", "updated", "reused", "skipped"]
    id: str | None
    url: str | None
    message: str


class ZohoComplete(Told):
    """All records are stored: `{module, id, url, action, person}` each."""

    type: ClassVar[str] = "zoho_complete"
    records: list[dict[str, Any]]


class UndoStart(Told):
    """A save is being taken back. Opens a log that `complete` had closed."""

    type: ClassVar[str] = "undo_start"
    message: str
    target: Literal["zoho", "embedded"]
    by: str


class UndoProgress(Told):
    """What became of one record of the save; `reason` says why it was kept."""

    type: ClassVar[str] = "undo_progress"
    step: Literal["account", "contact", "deal", "note", "attachment"]
    person: int
    outcome: Literal["deleted", "restored", "kept"]
    reason: str | None
    id: str | None
    url: str | None
    message: str


class UndoComplete(Told):
    """The save is taken back as far as could be: `{module, id, url, outcome, reason, person}` each. A `review_ready`
    follows: what was corrected may be saved again."""

    type: ClassVar[str] = "undo_complete"
    records: list[dict[str, Any]]


class Complete(Told):
    """The run is over. `timings` are milliseconds from acceptance."""

    type: ClassVar[str] = "complete"
    status: Literal["saved", "preview", "nothing_to_file"]
    result: dict[str, Any]
    records: list[dict[str, Any]]
    timings: dict[str, float]
    usage: Usage


class Failed(Told):
    """The run failed. `message` is fit to show and never holds exception text."""

    type: ClassVar[str] = "error"
    code: str
    message: str
    retryable: bool
    correlation_id: str


class Cancelled(Told):
    """Somebody stopped the run."""

    type: ClassVar[str] = "cancelled"
    by: str


Event = (
    ExtractionStart
    | ExtractionToken
    | ExtractionField
    | ResearchStart
    | ResearchResult
    | ValidationStart
    | ValidationResult
    | DuplicateFound
    | ReviewReady
    | ZohoStart
    | ZohoProgress
    | ZohoComplete
    | UndoStart
    | UndoProgress
    | UndoComplete
    | Complete
    | Failed
    | Cancelled
)

SETTLING = frozenset({"review_ready", "complete", "error", "cancelled"})
