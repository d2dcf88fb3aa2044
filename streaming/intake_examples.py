"""The examples of `/intake/email` in the OpenAPI document. A test sends them, in this order, to a server that has not
seen them before, and holds its answers to those shown."""

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiExample

from extraction.types import FieldValue, Person
from streaming.intake_shapes import FLAT, RECORDS, extracted_from


@dataclass(frozen=True)
class Example:
    name: str
    mail: dict[str, Any]
    answer: dict[str, Any]


def sent() -> list[OpenApiExample]:
    return [OpenApiExample(one.name, one.mail, request_only=True) for one in EXAMPLES]


def answered() -> list[OpenApiExample]:
    return [OpenApiExample(one.name, one.answer, response_only=True, status_codes=["200"]) for one in EXAMPLES]


def _answer(status: str, message: str, known: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A whole answer: `known` are the flat keys and `record.key` of what was understood; the rest is null."""
    person = Person(index=0, fields=tuple(_field(name, value) for name, value in (known or {}).items()))
    nothing: dict[str, Any] = dict.fromkeys(("deal_id", "account_id", "contact_id", "duplicate_info"))
    return {
        "status": status,
        "message": message,
        **nothing,
        "deal_name": person.text("deal", "deal_name"),
        "primary_email": person.text("contact", "email"),
        "extracted": extracted_from(person),
        "saved_to_db": False,
        "saved_to_zoho": False,
        "correlation_id": "7d3a1f0c5b9e4286",
        "missing_fields": [],
        "run_id": "01a215fb-6880-7043-82a9-03425c85f335",
        "records": [],
    } | more


def _field(name: str, value: str) -> FieldValue:
    within, _, key = name.rpartition(".")
    record, field = RECORDS[within][key] if within else FLAT[key]
    return FieldValue(record=record, field=field, value=value, confidence=1, origin="pattern")


def _record(module: str, number: str, action: str = "created") -> dict[str, Any]:
    url = f"https://intake.example/admin/zoho/{module}/{number}/change/"
    return {"module": module, "id": number, "url": url, "action": action, "person": 0}


BY_MAIL = {
    "company_record.company_source": "Email Inbound",
    "company_record.source_detail": "Direct email contact",
    "company_record.who_gets_credit": "BD Rep",
    "deal_record.pipeline": "Sales Pipeline",
    "deal_record.closing_date": "2027-01-25",
    "source": "Email Inbound",
    "source_detail": "Direct email contact",
}
JANE = {
    "sender_email": "jane.roe@acmewealth.example",
    "sender_name": "Jane Roe",
    "subject": "Interested in a new role",
    "body": "Hello,\n\nmy name is Jane Roe, I am a Senior Financial Advisor at Acme Wealth in Fort Wayne, Indiana. "
    "You can reach me at (260) 555-0144.\n\nBest regards,\nJane Roe",
}
JANE_KNOWN = BY_MAIL | {
    "candidate_name": "Jane Roe",
    "contact_record.first_name": "Jane",
    "contact_record.last_name": "Roe",
    "contact_record.city": "Fort Wayne",
    "contact_record.state": "IN",
    "email": "jane.roe@acmewealth.example",
    "phone": "+12605550144",
    "job_title": "Senior Financial Advisor",
    "location": "Fort Wayne, IN",
    "company_name": "Acme Wealth",
    "deal_record.deal_name": "Senior Financial Advisor (Fort Wayne, IN) - Acme Wealth",
}
JANE_STORED = [_record(module, "1") for module in ("account", "contact", "deal", "note")]
MATCHES = {
    "matches": [
        {
            "person": 0,
            "module": "contact",
            "id": "1",
            "url": JANE_STORED[1]["url"],
            "matched_on": "email",
            "record": {"first_name": "Jane", "last_name": "Roe", "email": "jane.roe@acmewealth.example"},
        },
        {
            "person": 0,
            "module": "deal",
            "id": "1",
            "url": JANE_STORED[2]["url"],
            "matched_on": "contact, title and company",
            "record": {"deal_name": JANE_KNOWN["deal_record.deal_name"], "stage": "Lead"},
        },
    ]
}
JOHN = {
    "sender_email": "john.doe@gmail.com",
    "sender_name": "John Doe",
    "subject": "A question",
    "body": "Hello,\n\nmy name is John Doe and I am looking for a new position.\n\nBest regards,\nJohn Doe",
    "internet_message_id": "<question.1@mail.example>",
}
JOHN_KNOWN = BY_MAIL | {
    "candidate_name": "John Doe",
    "contact_record.first_name": "John",
    "contact_record.last_name": "Doe",
    "email": "john.doe@gmail.com",
}

EXAMPLES = [
    Example(
        "Dry run",
        JANE | {"dry_run": True},
        _answer("preview", "Nothing was written. This is what was understood.", JANE_KNOWN),
    ),
    Example(
        "A new candidate",
        JANE,
        _answer(
            "success",
            "Saved to the CRM.",
            JANE_KNOWN,
            deal_id="1",
            account_id="1",
            contact_id="1",
            saved_to_db=True,
            records=JANE_STORED,
        ),
    ),
    Example(
        "A deal that the CRM holds already",
        JANE | {"subject": "Interested in a new role, again"},
        _answer(
            "duplicate_blocked",
            "The CRM already holds this deal. Nothing was written; allow_duplicate saves it all the same.",
            JANE_KNOWN,
            duplicate_info=MATCHES,
        ),
    ),
    Example(
        "The same, saved all the same",
        JANE | {"subject": "Interested in a new role, again", "allow_duplicate": True},
        _answer(
            "duplicate",
            "Saved to the CRM, which knew the person or the deal already.",
            JANE_KNOWN,
            deal_id="2",
            account_id="1",
            contact_id="1",
            saved_to_db=True,
            duplicate_info=MATCHES,
            records=[
                _record("account", "1", "reused"),
                _record("contact", "1", "reused"),
                _record("deal", "2"),
                _record("note", "2"),
            ],
        ),
    ),
    Example(
        "Too little for a deal",
        JOHN,
        _answer(
            "requires_input",
            "Nothing was written. Please fill in: job_title, location, company_name.",
            JOHN_KNOWN,
            missing_fields=["job_title", "location", "company_name"],
        ),
    ),
    Example(
        "The same, with what was missing",
        JOHN | {"user_corrections": {"job_title": "Advisor", "location": "Remote", "company_name": "Hill & Co."}},
        _answer(
            "success",
            "Saved to the CRM.",
            JOHN_KNOWN
            | {
                "job_title": "Advisor",
                "location": "Remote",
                "company_name": "Hill & Co.",
                "deal_record.deal_name": "Advisor (Remote) - Hill & Co.",
            },
            deal_id="3",
            account_id="2",
            contact_id="2",
            saved_to_db=True,
            records=[_record("account", "2"), _record("contact", "2"), _record("deal", "3"), _record("note", "3")],
        ),
    ),
    Example(
        "Nobody to file",
        {
            "sender_email": "jane.roe@acmewealth.example",
            "subject": "Automatic reply: Your opening",
            "body": "I am out of office until Monday and will answer then.",
        },
        _answer("nothing_to_file", "An automatic reply or a delivery report: nobody to file."),
    ),
]
