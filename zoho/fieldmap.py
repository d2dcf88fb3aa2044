"""Which of Zoho's fields holds which of ours: the defaults, and what administrators have made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from extraction.records import Step
from extraction.types import METRICS

MODULES: Mapping[Step, str] = MappingProxyType(
    {"account": "Accounts", "contact": "Contacts", "deal": "Deals", "note": "Notes"}
)
# An empty target is not written: Zoho has no such field unless somebody has created one.
DEFAULTS: Mapping[Step, Mapping[str, str]] = MappingProxyType(
    {
        "account": {
            "company_name": "Account_Name",
            "phone": "Phone",
            "website": "Website",
            "industry": "Industry",
            "city": "Billing_City",
            "state": "Billing_State",
            "country": "Billing_Country",
            "source": "",
            "source_detail": "",
            "who_gets_credit": "",
            "credit_person": "",
            "owner": "Owner",
        },
        "contact": {
            "last_name": "Last_Name",
            "first_name": "First_Name",
            "email": "Email",
            "phone": "Phone",
            "mobile": "Mobile",
            "linkedin_url": "LinkedIn",
            "title": "Title",
            "city": "Mailing_City",
            "state": "Mailing_State",
            "country": "Mailing_Country",
            "account_id": "Account_Name",
            "reference": "Description",
            "owner": "Owner",
        },
        "deal": {
            "deal_name": "Deal_Name",
            "job_title": "",
            "location": "",
            "pipeline": "Pipeline",
            "stage": "Stage",
            "closing_date": "Closing_Date",
            "description_of_reqs": "Contingency_Description",
            "source": "Source",
            "source_detail": "Source_Detail",
            "meeting_link": "",
            "account_id": "Account_Name",
            "contact_id": "Contact_Name",
            "owner": "Owner",
            **dict.fromkeys(METRICS, ""),
        },
        "note": {"title": "Note_Title", "content": "Note_Content"},
    }
)
# Without these a record cannot be written, found again or put under another.
INDISPENSABLE = frozenset(
    {
        ("account", "company_name"),
        ("contact", "last_name"),
        ("contact", "email"),
        ("contact", "account_id"),
        ("deal", "deal_name"),
        ("deal", "stage"),
        ("deal", "pipeline"),
        ("deal", "account_id"),
        ("deal", "contact_id"),
        ("note", "content"),
    }
)
OUR_SOURCES = (
    "Referral",
    "Conference/Trade Show",
    "Reverse Recruiting",
    "LinkedIn Inbound",
    "Website Inbound",
    "Email Inbound",
)
DEFAULT_SOURCES = MappingProxyType({"Email Inbound": "Other"})


@dataclass(frozen=True)
class FieldMap:
    """`changed` holds what differs from the defaults, `sources` how our sources are called in Zoho's picklist where
    they are called otherwise, `key_field` the unique field of the deal that holds our reference, if there is one."""

    changed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=lambda: DEFAULT_SOURCES)
    key_field: str | None = None

    def target(self, step: Step, name: str) -> str:
        """Zoho's name of the field; empty when it is not to be written."""
        return self.changed.get((step, name), DEFAULTS[step].get(name, ""))

    def targets(self, step: Step) -> dict[str, str]:
        """Ours to Zoho's, of all fields that are written."""
        return {name: target for name in DEFAULTS[step] if (target := self.target(step, name))}

    def ours(self, step: Step, api_name: str) -> str | None:
        return next((name for name, target in self.targets(step).items() if target == api_name), None)
