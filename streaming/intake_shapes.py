"""The shapes of `/intake/email` (contract §6): what older clients send, read as today's mail, and their answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from extraction.records import missing_for
from extraction.types import (
    FIELDS,
    LISTS,
    MAX_ATTACHMENTS,
    METRICS,
    NO_CONTENT,
    AttachedFile,
    Corrections,
    Email,
    Person,
    UserContext,
    at_fault,
    is_content,
)
from streaming.models import Run
from streaming.problems import Problem

# Where an older name stands today: (record, field).
Place = tuple[Literal["company", "contact", "deal"], str]
FLAT: dict[str, Place] = {
    "candidate_name": ("contact", "full_name"),
    "job_title": ("deal", "job_title"),
    "location": ("deal", "location"),
    "company_name": ("company", "company_name"),
    "referrer_name": ("deal", "referrer_name"),
    "referrer_email": ("deal", "referrer_email"),
    "email": ("contact", "email"),
    "website": ("company", "website"),
    "phone": ("contact", "phone"),
    "linkedin_url": ("contact", "linkedin_url"),
    "notes": ("deal", "description_of_reqs"),
    "industry": ("company", "industry"),
    "source": ("deal", "source"),
    "source_detail": ("deal", "source_detail"),
    **{name: ("deal", name) for name in METRICS},
}
RECORDS: dict[str, dict[str, Place]] = {
    "company_record": {
        "company_name": ("company", "company_name"),
        "phone": ("company", "phone"),
        "website": ("company", "website"),
        "company_source": ("company", "source"),
        "source_detail": ("company", "source_detail"),
        "who_gets_credit": ("company", "who_gets_credit"),
        "detail": ("company", "credit_person"),
    },
    "contact_record": {
        "first_name": ("contact", "first_name"),
        "last_name": ("contact", "last_name"),
        "company_name": ("company", "company_name"),
        "email": ("contact", "email"),
        "phone": ("contact", "phone"),
        "city": ("contact", "city"),
        "state": ("contact", "state"),
        "source": ("deal", "source"),
    },
    "deal_record": {
        "source": ("deal", "source"),
        "deal_name": ("deal", "deal_name"),
        "pipeline": ("deal", "pipeline"),
        "closing_date": ("deal", "closing_date"),
        "source_detail": ("deal", "source_detail"),
        "description_of_reqs": ("deal", "description_of_reqs"),
    },
}
# What may be corrected in a record: its older names, and today's.
CORRECTABLE: dict[str, dict[str, Place]] = {
    record: {**{name: (today, name) for name in FIELDS[today]}, **RECORDS[record]}  # type: ignore[misc]
    for record, today in (("company_record", "company"), ("contact_record", "contact"), ("deal_record", "deal"))
}
ASKED_FOR: tuple[Place, ...] = (("deal", "job_title"), ("deal", "location"), ("company", "company_name"))
TEXT, TEXTS, NULL = {"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}


def _contents(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"anyOf": [TEXT, TEXTS, NULL] if name in LISTS else [TEXT, NULL]} for name in names}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, NULL]}


# ---------------------------------------------------------------- in


class IntakeFile(AttachedFile):
    """An attachment. Unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"additionalProperties": True})


class IntakeUser(UserContext):
    """The Outlook user. Unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"additionalProperties": True})


def _corrections_schema(schema: dict[str, Any]) -> None:
    person = {
        "index": {"type": "integer", "minimum": 0, "maximum": 99},
        "skip": {"type": "boolean"},
        **{record: _object(_contents(names)) for record, names in FIELDS.items()},
    }
    schema["additionalProperties"] = True
    schema["properties"] = {
        **_contents(FLAT),
        **{record: _or_null(_object(_contents(places))) for record, places in CORRECTABLE.items()},
        "people": _or_null({"type": "array", "items": _object(person, "index")}),
        "attachments": _or_null(TEXTS),
        "allow_duplicate": _or_null({"type": "boolean"}),
    }


class IntakeCorrections(Corrections):
    """Final values by the user: flat keys, the three records, or `people` as under `/stream`. Of a flat key and a
    record that name the same field the record wins. A flat null says nothing, a null in a record empties the field,
    an empty text empties it anywhere. Unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=_corrections_schema)

    @model_validator(mode="before")
    @classmethod
    def _older_shape(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        said = {name: value for name, value in given.items() if value is not None}
        people = said.get("people", [])
        if isinstance(people, list):
            people = [*_first_person(said), *(_known(person) for person in people)]
        return {name: said[name] for name in ("attachments", "allow_duplicate") if name in said} | {"people": people}


def _first_person(said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if wrong := [record for record in RECORDS if not isinstance(said.get(record, {}), dict)]:
        raise at_fault("bad_value", "must be an object", *wrong)
    flat = [(name, place, said[name]) for name, place in FLAT.items() if name in said]
    within = [
        (f"{record}.{name}", place, said[record][name])
        for record, places in CORRECTABLE.items()
        for name, place in places.items()
        if name in said.get(record, {})
    ]
    if wrong := [name for name, (_, field), value in (*flat, *within) if not is_content(field, value)]:
        raise at_fault("bad_value", NO_CONTENT, *wrong)
    values = {place: value for _, place, value in flat}
    for _, place, value in within:
        values[place] = values.get(place) if value is None else value
    if values:
        person: dict[str, Any] = {"index": 0, "company": {}, "contact": {}, "deal": {}}
        for (record, field), value in values.items():
            person[record][field] = value
        yield person


def _known(person: Any) -> Any:
    """A person of `people` without what is no field of ours."""
    if not isinstance(person, dict):
        return person
    known = {name: person[name] for name in ("index", "skip", *FIELDS) if name in person}
    for record in FIELDS:
        if isinstance(given := known.get(record), dict):
            known[record] = {name: value for name, value in given.items() if name in FIELDS[record]}
    return known


def _email_schema(schema: dict[str, Any]) -> None:
    """What the validators hold beyond the types: null is as good as nothing, and a mail comes in one of three forms."""
    for name, given in schema["properties"].items():
        if {"type": "null"} not in given.get("anyOf", ()):
            schema["properties"][name] = _or_null(given)
    forms = (("sender_email", "subject", "body"), ("raw_email",), ("raw_base64",))
    schema["anyOf"] = [
        {"required": list(form), "properties": {name: {"type": "string"} for name in form}} for form in forms
    ]
    schema["additionalProperties"] = True


class IntakeEmail(Email):
    """One e-mail as an older client hands it in: as `Email`, but unknown keys are ignored, null is as good as nothing,
    and the mode is `auto` unless it is named."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=_email_schema)

    attachments: Annotated[list[IntakeFile], Field(max_length=MAX_ATTACHMENTS)] = []  # type: ignore[assignment]
    user_context: IntakeUser | None = None
    user_corrections: IntakeCorrections | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given

    @property
    def decision(self) -> Corrections:
        """What the caller would say to a save."""
        given = self.user_corrections or Corrections()
        return given.model_copy(update={"allow_duplicate": given.allow_duplicate or self.allow_duplicate})

    @property
    def approves(self) -> bool:
        """Whether the call says itself that the mail is to be saved."""
        return not self.dry_run and self.mode in (None, "auto")


# ---------------------------------------------------------------- out

Status = Literal["success", "preview", "requires_input", "duplicate_blocked", "duplicate", "nothing_to_file"]
MESSAGES: dict[Status, str] = {
    "success": "Saved to the CRM.",
    "duplicate": "Saved to the CRM, which knew the person or the deal already.",
    "preview": "Nothing was written. This is what was understood.",
    "duplicate_blocked": "The CRM already holds this deal. Nothing was written; allow_duplicate saves it all the same.",
    "requires_input": "Nothing was written: the run waits for somebody to approve it.",
    "nothing_to_file": "There is no candidate or client in this mail.",
}
EXTRACTED = _object(
    {record: _object(_contents(places), *places) for record, places in RECORDS.items()} | _contents(FLAT),
    *RECORDS,
    *FLAT,
)


class IntakeRecord(BaseModel):
    """A record that the CRM has confirmed."""

    module: Literal["account", "contact", "deal", "note", "attachment"]
    id: str | None
    url: str | None
    action: Literal["created", "updated", "reused", "skipped"]
    person: int


class IntakeMatch(BaseModel):
    """A record that the CRM already holds."""

    person: int
    module: str
    id: str
    url: str | None
    matched_on: str
    record: dict[str, Any]


class IntakeDuplicates(BaseModel):
    matches: list[IntakeMatch]


class IntakeAnswer(BaseModel):
    """What became of the mail. Ids are the CRM's own and name records that it has confirmed."""

    status: Status
    message: str
    deal_id: str | None
    account_id: str | None
    contact_id: str | None
    deal_name: str | None
    primary_email: str | None
    extracted: Annotated[dict[str, Any], WithJsonSchema(EXTRACTED)]
    saved_to_db: bool = Field(description="The records are in the CRM of this server's own database.")
    saved_to_zoho: bool
    correlation_id: str
    missing_fields: list[Literal["job_title", "location", "company_name"]] = Field(
        description="What is unknown of what a deal's name is made of, when there is too little for one."
    )
    duplicate_info: IntakeDuplicates | None
    run_id: str
    records: list[IntakeRecord]


class IntakeAccepted(BaseModel):
    """The run is under way; ask at `status_url`, which is the `Location`, too."""

    status: Literal["accepted"]
    message: str
    run_id: str
    correlation_id: str
    status_url: str


def answer_from(
    run: Run,
    state: Mapping[str, Any],
    people: Sequence[Person],
    matches: Sequence[Mapping[str, Any]],
    base: str,
    saved_before: bool = False,
) -> IntakeAnswer:
    """The answer for a run that has settled: `people` as they were, or would be, filed; `base` makes the records'
    addresses absolute; `saved_before` when it was not this call that saved them."""
    missing = [] if state["status"] == "saved" else _missing(people)
    status = _status(state, missing, [match for match in matches if match["module"] == "deal"])
    message = (status == "nothing_to_file" and state["reason"]) or MESSAGES[status]
    if status == "requires_input" and missing:
        message = f"Nothing was written. Please fill in: {', '.join(missing)}."
    if saved_before:
        message = "This mail was saved before. Its records are as they were; what this call says was not applied."
    records, matches = _addressed(state["records"], base), _addressed(matches, base)
    first = next((person for person in people if records and person.index == records[0]["person"]), None)
    first = first or (people[0] if people else Person(index=0))
    ids = {record["module"]: record["id"] for record in reversed(records) if record["person"] == first.index}
    return IntakeAnswer(
        status=status,
        message=message,
        deal_id=ids.get("deal"),
        account_id=ids.get("account"),
        contact_id=ids.get("contact"),
        deal_name=first.text("deal", "deal_name"),
        primary_email=first.text("contact", "email"),
        extracted=extracted_from(first),
        saved_to_db=state["status"] == "saved" and state["target"] == "embedded",
        saved_to_zoho=state["status"] == "saved" and state["target"] == "zoho",
        correlation_id=run.correlation_id,
        missing_fields=[name for name in missing if name != "last_name"],
        duplicate_info=IntakeDuplicates.model_validate({"matches": matches}) if matches else None,
        run_id=str(run.id),
        records=records,
    )


def _addressed(records: Sequence[Mapping[str, Any]], base: str) -> list[dict[str, Any]]:
    return [{**record, "url": record["url"] and urljoin(base, record["url"])} for record in records]


def _status(state: Mapping[str, Any], missing: Sequence[str], deals: Sequence[Any]) -> Status:
    match state["status"]:
        case "preview":
            return "preview"
        case "nothing_to_file":
            return "nothing_to_file"
        case "saved":
            own = [record for record in state["records"] if record["module"] in ("contact", "deal")]
            return "success" if all(record["action"] == "created" for record in own) else "duplicate"
    return "duplicate_blocked" if deals and not missing else "requires_input"


def _missing(people: Sequence[Person]) -> list[str]:
    """What the CRM demands and nobody knows; with a deal's name, all that it could be made of."""
    found: set[str] = set()
    for person in people:
        demanded = missing_for(person)
        found.update(demanded)
        if set(demanded) - {"last_name"}:
            found.update(field for record, field in ASKED_FOR if person.text(record, field) is None)
    return [name for name in ("last_name", *(field for _, field in ASKED_FOR)) if name in found]


def extracted_from(person: Person) -> dict[str, Any]:
    """All that was understood of one person, under the older names. What nobody knows is null."""
    values = {value.name: value.value for value in person.fields}
    return {
        **{record: {name: values.get(place) for name, place in places.items()} for record, places in RECORDS.items()},
        **{name: values.get(place) for name, place in FLAT.items()},
    }


def people_of(state: Mapping[str, Any]) -> tuple[Person, ...]:
    return tuple(Person.model_validate(person) for person in state["people"])


def failure_of(run: Run, state: Mapping[str, Any]) -> Problem:
    """The refusal for a run that has come to nothing."""
    if run.state == Run.State.CANCELLED:
        return Problem(409, "cancelled", "The run was cancelled.", correlation_id=run.correlation_id)
    error = state["error"]
    status, retry_after = (503, 5) if error["retryable"] else (422, None)
    return Problem(status, error["code"], error["message"], retry_after=retry_after, correlation_id=run.correlation_id)
