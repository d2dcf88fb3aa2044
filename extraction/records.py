"""What a save writes: a closed union of records, and how they follow from an extraction and the user's corrections."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from extraction.confidence import FILLED
from extraction.letter import Letter
from extraction.types import FIELDS, METRICS, Corrections, Extraction, Person

Step = Literal["account", "contact", "deal", "note", "attachment"]


@dataclass(frozen=True)
class Account:
    """The firm the person works for. `chosen` names the fields that the user decided: they win over what the CRM holds
    already."""

    company_name: str
    phone: str | None = None
    website: str | None = None
    industry: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    source: str | None = None
    source_detail: str | None = None
    who_gets_credit: str | None = None
    credit_person: str | None = None
    owner_email: str | None = None
    chosen: frozenset[str] = frozenset()
    step: Step = field(default="account", init=False)


@dataclass(frozen=True)
class Contact:
    """The person. `chosen` as in `Account`."""

    last_name: str
    first_name: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    linkedin_url: str | None = None
    title: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    account_id: str | None = None
    owner_email: str | None = None
    chosen: frozenset[str] = frozenset()
    step: Step = field(default="contact", init=False)


@dataclass(frozen=True)
class Deal:
    """The placement. `figures` are the advisor's, for a CRM with fields for them; the description tells them, too."""

    deal_name: str
    job_title: str | None = None
    location: str | None = None
    pipeline: str = "Sales Pipeline"
    stage: str = "Lead"
    closing_date: str | None = None
    description_of_reqs: str | None = None
    source: str | None = None
    source_detail: str | None = None
    meeting_link: str | None = None
    account_id: str | None = None
    contact_id: str | None = None
    owner_email: str | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    step: Step = field(default="deal", init=False)


@dataclass(frozen=True)
class Note:
    """What the mail said, readable."""

    title: str
    content: str
    deal_id: str | None = None
    step: Step = field(default="note", init=False)


@dataclass(frozen=True)
class File:
    """An attachment: the letter's file of that number. `content` is put in when it is written."""

    filename: str
    content_type: str
    number: int
    content: bytes = field(default=b"", repr=False)
    deal_id: str | None = None
    step: Step = field(default="attachment", init=False)


Record = Account | Contact | Deal | Note | File


@dataclass(frozen=True)
class Filing:
    """All records of one person, in the order in which they are written."""

    person: int
    account: Account | None
    contact: Contact
    deal: Deal
    note: Note
    files: tuple[File, ...] = ()

    def view(self) -> dict[str, Any]:
        """The draft as clients see it."""
        return {
            "person": self.person,
            "account": self.account and _shown(self.account),
            "contact": _shown(self.contact),
            "deal": _shown(self.deal),
            "note": _shown(self.note),
            "attachments": [file.filename for file in self.files],
        }


def _shown(record: Record) -> dict[str, Any]:
    hidden = {"step", "account_id", "contact_id", "deal_id", "owner_email", "figures", "chosen"}
    return {key: value for key, value in asdict(record).items() if key not in hidden}


def records_from(
    extraction: Extraction, corrections: Corrections, letter: Letter, link: str | None = None
) -> tuple[Filing, ...]:
    """What a save would write, one filing a person, without the people whom the user skipped. `link` leads back to
    the run. People for whom `missing_for` names something have no filing."""
    skipped = {given.index for given in corrections.people if corrections.for_person(given.index).skip}
    people = [person for person in extraction.people if person.index not in skipped and not missing_for(person)]
    return tuple(_filing(person, extraction, corrections, letter, link) for person in people)


def missing_for(person: Person) -> tuple[str, ...]:
    """What the CRM demands and nobody knows: `last_name`, or what a deal's name is made of."""
    missing: tuple[str, ...] = () if _filled(person, "contact", "last_name") else ("last_name",)
    if not _filled(person, "deal", "deal_name"):
        missing += tuple(
            name
            for record, name in (("deal", "job_title"), ("company", "company_name"))
            if not _filled(person, record, name)
        )
    return missing


def _filled(person: Person, record: str, field: str) -> str | None:
    """The value, when it is sure enough to be written without another look."""
    value = next((given for given in person.fields if given.name == (record, field)), None)
    if value is None or (value.confidence < FILLED and value.origin != "user"):
        return None
    return value.value if isinstance(value.value, str) else ", ".join(value.value)


def _filing(
    person: Person, extraction: Extraction, corrections: Corrections, letter: Letter, link: str | None
) -> Filing:
    def filled(record: str, *names: str) -> dict[str, str | None]:
        return {name: value for name in names if (value := _filled(person, record, name)) is not None}

    company = filled("company", *FIELDS["company"])
    contact = filled("contact", *(name for name in FIELDS["contact"] if name != "full_name"))
    deal = filled("deal", *(field.name for field in fields(Deal) if field.name in FIELDS["deal"]))
    owner = letter.recruiter
    return Filing(
        person=person.index,
        account=Account(**company, owner_email=owner, chosen=_chosen(person, "company"))  # type: ignore[arg-type]
        if "company_name" in company
        else None,
        contact=Contact(**contact, owner_email=owner, chosen=_chosen(person, "contact")),  # type: ignore[arg-type]
        deal=Deal(**deal, owner_email=owner, figures=filled("deal", *METRICS)),  # type: ignore[arg-type]
        note=Note(title=_cut(f"Intake: {deal['deal_name']}", 120), content=_note(person, extraction, letter, link)),
        files=_files(corrections, letter),
    )


def _chosen(person: Person, record: str) -> frozenset[str]:
    names = {given.field for given in person.fields if (given.record, given.origin) == (record, "user")}
    return frozenset(names | {"first_name", "last_name"} if "full_name" in names else names)


def _files(corrections: Corrections, letter: Letter) -> tuple[File, ...]:
    """The attachments that the user chose, else all but inline images."""
    chosen = corrections.attachments
    return tuple(
        File(filename=file.filename, content_type=file.content_type, number=number)
        for number, file in enumerate(letter.files)
        if (file.filename in chosen if chosen is not None else not file.is_inline)
    )


def _note(person: Person, extraction: Extraction, letter: Letter, link: str | None) -> str:
    sender = " ".join(part for part in (letter.sender.name, letter.sender.email and f"<{letter.sender.email}>") if part)
    source = " – ".join(part for part in (extraction.source, extraction.source_detail) if part)
    lines = [
        ("Subject", letter.sources.get("subject")),
        ("From", sender),
        ("Received", letter.sent_at),
        ("Source", source),
        *((_label(name), _filled(person, "contact", name)) for name in ("full_name", "title", "email", "phone")),
        ("Company", _filled(person, "company", "company_name")),
        ("Location", _filled(person, "deal", "location")),
        *((_label(name), _filled(person, "deal", name)) for name in ("referrer_name", *METRICS, "meeting_link")),
        ("Run", link),
    ]
    return _cut("\n".join(f"{label}: {value}" for label, value in lines if value), 65_535)


def _label(name: str) -> str:
    return {"aum": "AUM", "full_name": "Name"}.get(name, name.replace("_", " ").capitalize())


def _cut(text: str, length: int) -> str:
    """At most `length` characters, ending at a word."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    return (cut.rsplit(maxsplit=1)[0] if " " in cut[-40:] else cut) + "…"
