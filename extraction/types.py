"""The values that travel: the e-mail that comes in, and what was understood of it.

`Email` is the door (contract §3): whatever passes it has the right shape, so nobody behind it checks again.
Offsets are character offsets, half-open, into the text of one of a `Letter`'s sources.
"""

import base64
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Mode = Literal["review", "auto", "preview"]
Intent = Literal["candidate", "client", "none"]
Engine = Literal["patterns", "model"]
Origin = Literal["pattern", "model", "research", "rule", "user"]
RecordName = Literal["company", "contact", "deal", "mail"]
Role = Literal["candidate", "client_contact"]
EvidenceStatus = Literal["quoted", "normalised", "derived", "unsupported"]
FieldContent = str | list[str]

MAX_BODY_BYTES = 1_000_000
MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 15_000_000
_BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"  # for clients; the check itself is faster
_BASE64_PIECE = 65_536  # a multiple of four characters


class Strict(BaseModel):
    """Unknown keys are refused by name, so that a misspelt key never silently loses a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- in


def _no_nul(text: Any) -> Any:
    """PostgreSQL's text cannot hold NUL, and no reader can see it."""
    return text.replace("\x00", "") if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_no_nul)]
Flag = Annotated[bool, Field(strict=True)]  # true or false: "no" is neither
Line = Annotated[Text, Field(max_length=998 * 4)]  # RFC 5322 allows 998 a line; folded subjects are longer
# Not a full address check: mails come from mailer-daemons and gateways with odd ones, and are to be read all the same.
Address = Annotated[Text, Field(max_length=320)]


def _whole(number: Any) -> Any:
    """JSON knows one kind of number: 1.0 is 1."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _within_body_limit(text: str) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise PydanticCustomError("body_too_large", "is over 1 MB")
    return text


def _base64(text: str) -> str:
    """Decoded piece by piece: in one piece, 15 MB would hold the interpreter, and with it every other thread."""
    if text.find("=", 0, -2) >= 0:
        raise ValueError("is not Base64")
    try:
        for start in range(0, len(text), _BASE64_PIECE):
            base64.b64decode(text[start : start + _BASE64_PIECE], validate=True)
    except ValueError:
        raise ValueError("is not Base64") from None
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def at_fault(code: str, reason: str, *fields: str) -> PydanticCustomError:
    """A rule over several fields; names those at fault, relative to where the model stands."""
    return PydanticCustomError(code, "{reason}", {"reason": reason, "fields": fields})


Base64 = Annotated[str, AfterValidator(_base64), Field(json_schema_extra={"pattern": _BASE64})]
NotEmpty = Annotated[str, AfterValidator(_not_empty), Field(json_schema_extra={"pattern": r"\S"})]


class AttachedFile(Strict):
    filename: Annotated[Text, Field(min_length=1, max_length=255, json_schema_extra={"pattern": "[^\\x00]"})]
    content_type: Annotated[Text, Field(max_length=255)] = "application/octet-stream"
    content_base64: Base64
    is_inline: Flag = False

    def content(self) -> bytes:
        return base64.b64decode(self.content_base64)

    def size(self) -> int:
        """Bytes after decoding, without decoding."""
        return len(self.content_base64) * 3 // 4 - self.content_base64[-2:].count("=")


class UserContext(Strict):
    """The Outlook user. Never a candidate."""

    name: Line | None = None
    email: Address | None = None


NO_CONTENT = "must be text or null, or a list of texts where a field holds several"


class PersonCorrection(Strict):
    """Final values by the user for one person. A key with null empties the field."""

    index: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=99, strict=True)]
    skip: Flag = False
    company: dict[str, Any] = {}
    contact: dict[str, Any] = {}
    deal: dict[str, Any] = {}

    @model_validator(mode="after")
    def _known_fields(self) -> "PersonCorrection":
        given = [(record, name) for record in FIELDS for name in getattr(self, record)]
        if unknown := [f"{record}.{name}" for record, name in given if name not in FIELDS[record]]:
            raise at_fault("unknown_field", "is no field of this record", *unknown)
        if wrong := [f"{record}.{name}" for record, name in given if not is_content(name, getattr(self, record)[name])]:
            raise at_fault("bad_value", NO_CONTENT, *wrong)
        return self


def is_content(field: str, value: Any) -> bool:
    """Whether a field may be given this value; null empties it."""
    if isinstance(value, list):
        return field in LISTS and all(isinstance(one, str) for one in value)
    return value is None or isinstance(value, str)


class Corrections(Strict):
    """What the user decided before saving (contract §9.10)."""

    people: list[PersonCorrection] = []
    attachments: list[str] | None = Field(
        default=None, description="File names to file; null files all but inline images."
    )
    allow_duplicate: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _older_shape(cls, given: Any) -> Any:
        """`{company_record, contact_record, deal_record}` of older clients means person 0."""
        if not isinstance(given, dict):
            return given
        older = {key: given[key] for key in ("company_record", "contact_record", "deal_record") if key in given}
        if not older:
            return given
        rest = {key: value for key, value in given.items() if key not in older}
        person = {"index": 0} | {key.removesuffix("_record"): value or {} for key, value in older.items()}
        return rest | {"people": [person, *rest.get("people", [])]}

    def for_person(self, index: int) -> PersonCorrection:
        """The correction of one person; of two for the same person the later one wins field by field."""
        mine = [given for given in self.people if given.index == index]
        merged = PersonCorrection(index=index)
        for given in mine:
            merged = PersonCorrection(
                index=index,
                skip=given.skip,
                company=merged.company | given.company,
                contact=merged.contact | given.contact,
                deal=merged.deal | given.deal,
            )
        return merged


class Email(Strict):
    """One e-mail as a client hands it in (contract §3)."""

    sender_email: Address = ""
    sender_name: Line | None = None
    subject: Line = ""
    body: Annotated[Text, AfterValidator(_within_body_limit)] = ""
    body_type: Literal["text", "html"] | None = None
    reply_to: Address | None = None
    to: Annotated[list[Address], Field(max_length=10_000)] = []
    cc: Annotated[list[Address], Field(max_length=10_000)] = []
    received_at: Annotated[Text, Field(max_length=64)] | None = None
    internet_message_id: Annotated[Text, Field(max_length=998)] | None = None
    conversation_id: Annotated[Text, Field(max_length=998)] | None = None
    attachments: Annotated[list[AttachedFile], Field(max_length=MAX_ATTACHMENTS)] = []
    raw_email: NotEmpty | None = Field(None, description="A whole RFC 5322 message; it wins over the parts.")
    raw_base64: Annotated[Base64, AfterValidator(_not_empty), Field(min_length=1)] | None = Field(
        None, description="A whole .eml or .msg file in Base64: exact bytes, wins over raw_email."
    )
    user_context: UserContext | None = None
    user_corrections: Corrections | None = None
    allow_duplicate: Flag = False
    mode: Mode | None = None
    dry_run: Flag = Field(default=False, description="Older name for mode preview.")

    @model_validator(mode="after")
    def _whole(self) -> "Email":
        if self.raw_base64 is None and self.raw_email is None:
            missing = [name for name in ("sender_email", "subject", "body") if name not in self.model_fields_set]
            if missing:
                raise at_fault("missing", "is required", *missing)
        if sum(file.size() for file in self.attachments) > MAX_ATTACHMENT_BYTES:
            raise at_fault("attachments_too_large", "are together over 15 MB", "attachments")
        return self


# ---------------------------------------------------------------- understood


class Evidence(BaseModel):
    """The words of the mail that a value rests on."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(description="subject, body, header or attachment:<name>")
    start: int
    end: int
    quote: str
    status: EvidenceStatus = "quoted"


class Alternative(BaseModel):
    model_config = ConfigDict(frozen=True)

    value: FieldContent
    confidence: float
    origin: Origin


class Learned(BaseModel):
    """The rule that an edit of an earlier mail left, and what it replaced (null: nothing was found)."""

    model_config = ConfigDict(frozen=True)

    rule: int
    original: str | None
    edited_at: str


class FieldValue(BaseModel):
    """One value of one field of one person: what, how sure, whence, and on which words."""

    model_config = ConfigDict(frozen=True)

    record: RecordName
    field: str
    value: FieldContent
    confidence: Annotated[float, Field(ge=0, le=1)]
    origin: Origin
    evidence: Evidence | None = None
    alternatives: tuple[Alternative, ...] = ()
    learned: Learned | None = None

    @property
    def name(self) -> tuple[RecordName, str]:
        return self.record, self.field


METRICS = (
    "aum",
    "production",
    "client_count",
    "licenses",
    "designations",
    "years_experience",
    "compensation",
    "availability",
    "book_transferable",
    "specializations",
)
LISTS = frozenset({"licenses", "designations", "specializations"})

# The fields of a person, in the order in which a reader wants to see them. Metrics belong to the deal: they describe
# the placement and end up in its description.
FIELDS: dict[str, tuple[str, ...]] = {
    "contact": (
        "full_name",
        "first_name",
        "last_name",
        "email",
        "phone",
        "mobile",
        "title",
        "city",
        "state",
        "country",
        "linkedin_url",
    ),
    "company": (
        "company_name",
        "website",
        "phone",
        "industry",
        "city",
        "state",
        "country",
        "source",
        "source_detail",
        "who_gets_credit",
        "credit_person",
    ),
    "deal": (
        "job_title",
        "target_title",
        "location",
        "deal_name",
        "pipeline",
        "stage",
        "closing_date",
        "description_of_reqs",
        "source",
        "source_detail",
        "referrer_name",
        "referrer_email",
        "meeting_link",
        *METRICS,
    ),
}


class Person(BaseModel):
    """One person of the mail with everything known about them; `fields` is the truth, the records are views of it."""

    model_config = ConfigDict(frozen=True)

    index: int
    role: Role = "candidate"
    fields: tuple[FieldValue, ...] = ()

    def get(self, record: RecordName, field: str) -> FieldValue | None:
        return next((value for value in self.fields if value.name == (record, field)), None)

    def text(self, record: RecordName, field: str) -> str | None:
        found = self.get(record, field)
        return found.value if found and isinstance(found.value, str) else None

    def having(self, *values: FieldValue) -> "Person":
        """The same person with these values put in, each in place of the one of that name."""
        names = {value.name for value in values}
        kept = tuple(value for value in self.fields if value.name not in names)
        return self.model_copy(update={"fields": (*kept, *values)})

    def view(self) -> dict[str, Any]:
        """The person as clients see it (contract §9.11)."""
        records: dict[str, dict[str, Any]] = {"company": {}, "contact": {}, "deal": {}, "metrics": {}}
        for value in self.fields:
            record = "metrics" if value.field in METRICS else value.record
            records.setdefault(record, {})[value.field] = value.value
        return {
            "index": self.index,
            "role": self.role,
            **records,
            "fields": [value.model_dump(mode="json") for value in self.fields],
        }


class Issue(BaseModel):
    """Something that a person should know before saving. `message` holds no mail text."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    field: str | None = None
    person: int | None = None


class Usage(BaseModel):
    """What the model took. `cost` is null where the settings name no price, never a guess."""

    model_config = ConfigDict(frozen=True)

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    currency: str | None = None


class Extraction(BaseModel):
    """All that was understood of one mail."""

    model_config = ConfigDict(frozen=True)

    intent: Intent
    language: str | None = None
    engine: Engine = "patterns"
    model: str | None = Field(default=None, description="Who was asked, null when nobody was.")
    prompt_version: str | None = None
    source: str | None = None
    source_detail: str | None = None
    people: tuple[Person, ...] = ()
    issues: tuple[Issue, ...] = ()
    usage: Usage = Usage()
    reason: str | None = Field(default=None, description="Why there is nothing to file, in words for the user.")


class OwnFirm(BaseModel):
    """The recruiting firm itself: nobody of it is ever a candidate. Domains match exactly, never as a substring."""

    model_config = ConfigDict(frozen=True)

    domains: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    user: UserContext | None = None
