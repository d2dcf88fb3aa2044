"""The records of a mail about Jane Roe, as a save writes them, without the worker."""

from extraction import records
from extraction.types import FieldValue, Person

STEPS = ("account", "contact", "deal", "note", "attachment")


def person(**values):
    places = {"email": "contact", "job_title": "deal", "company_name": "company"}
    fields = [
        FieldValue(record=places[name], field=name, value=value, confidence=0.9, origin="pattern")
        for name, value in values.items()
    ]
    return Person(index=0, fields=tuple(fields))


JANE = {"email": "jane@acme.example", "job_title": "Advisor", "company_name": "Acme Wealth"}


async def filed(crm, key="mail.0", email="jane@acme.example"):
    """All records of a mail, by step."""
    account = await crm.upsert(records.Account("Acme Wealth", website="acme.example"), f"{key}.account")
    contact = await crm.upsert(
        records.Contact("Roe", first_name="Jane", email=email, account_id=account.id), f"{key}.contact"
    )
    deal = await crm.upsert(
        records.Deal(
            "Advisor (Fort Wayne, IN) - Acme Wealth",
            job_title="Advisor",
            closing_date="2027-01-25",
            source="Referral",
            account_id=account.id,
            contact_id=contact.id,
        ),
        f"{key}.deal",
    )
    note = await crm.upsert(records.Note("Intake", "What the mail said", deal_id=deal.id), f"{key}.note")
    file = records.File("cv.pdf", "application/pdf", 0, b"%PDF-\x00\xff", deal_id=deal.id)
    attachment = await crm.upsert(file, f"{key}.attachment.0")
    return dict(zip(STEPS, (account, contact, deal, note, attachment), strict=True))
