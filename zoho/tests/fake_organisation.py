"""A Zoho organisation to play with: its fields, picklists, pipeline and users, as a firm of recruiters has them.

It refuses values as Zoho does. What it does not know it ignores, as Zoho does, too: that is why we check before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

SOURCES = (
    "Cold Email, Cold Calling, Conference/Trade Show, Digital Ad, LinkedIn Inbound, LinkedIn Outbound, Warm Market, "
    "Networking, Referral, Reverse Recruiting, Website Inbound, Other"
).split(", ")
STAGES = (
    "Lead, Engaged, Meeting Booked, Meetings Completed, Awaiting Contract Signature, Awaiting Deposit Payment, "
    "Intake Meeting Needed, Intake Meeting Scheduled, Closed Won, Closed Lost, Deferred, Past Client"
).split(", ")
PIPELINE = "Sales Pipeline"
SYSTEM_CHECKS = {"Accounts": ("Account_Name",), "Contacts": ("Email",), "Deals": ("Deal_Name",)}
RELATED = {
    ("Accounts", "Contacts"): "Account_Name",
    ("Accounts", "Deals"): "Account_Name",
    ("Contacts", "Deals"): "Contact_Name",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_JSON_TYPES = {"boolean": "boolean", "integer": "integer", "currency": "double", "double": "double"}


@dataclass(frozen=True)
class Field:
    api_name: str
    data_type: str = "text"
    length: int = 255
    mandatory: bool = False
    unique: bool = False
    picklist: tuple[str, ...] = ()
    lookup: str | None = None

    def fault(self, value: Any, path: str) -> dict[str, Any] | None:
        """What Zoho says about the value; None when it takes it. Lookups are the store's business."""
        details = {"api_name": self.api_name, "json_path": path}
        if not self._has_type(value):
            return _error("INVALID_DATA", "invalid data", details | {"expected_data_type": self.data_type})
        if isinstance(value, str) and len(value) > self.length:
            return _error("INVALID_DATA", "invalid data", details | {"maximum_length": self.length})
        if self.picklist and value not in self.picklist:
            return _error("INVALID_DATA", "invalid data", details)
        return None

    def _has_type(self, value: Any) -> bool:
        match self.data_type:
            case "email":
                return isinstance(value, str) and bool(_EMAIL.fullmatch(value))
            case "date" | "datetime":
                return isinstance(value, str) and _is_moment(value, self.data_type)
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "currency" | "double":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "lookup" | "ownerlookup":
                return isinstance(value, dict) and isinstance(value.get("id"), str)
            case _:
                return isinstance(value, str)

    def view(self, number: int) -> dict[str, Any]:
        """Its entry in `settings/fields`."""
        return {
            "id": f"48760000000{number:06d}",
            "api_name": self.api_name,
            "field_label": self.api_name.replace("_", " "),
            "display_label": self.api_name.replace("_", " "),
            "data_type": self.data_type,
            "json_type": "jsonobject" if self.lookup else _JSON_TYPES.get(self.data_type, "string"),
            "length": self.length,
            "system_mandatory": self.mandatory,
            "unique": {"casesensitive": "false"} if self.unique else {},
            "read_only": False,
            "visible": True,
            "lookup": {"module": {"api_name": self.lookup}} if self.lookup else {},
            "pick_list_values": [
                {"display_value": value, "actual_value": value, "reference_value": value, "type": "used"}
                for value in self.picklist
            ],
        }


def _is_moment(text: str, data_type: str) -> bool:
    try:
        (date if data_type == "date" else datetime).fromisoformat(text)
    except ValueError:
        return False
    return data_type != "date" or len(text) == 10


@dataclass(frozen=True)
class User:
    id: str
    name: str
    email: str
    active: bool = True

    @property
    def short(self) -> dict[str, str]:
        return {"name": self.name, "id": self.id}


def _text(names: str, **given: Any) -> list[Field]:
    return [Field(name, **given) for name in names.split()]


def _fields() -> dict[str, list[Field]]:
    owner = Field("Owner", "ownerlookup")
    description = Field("Description", "textarea", 32_000)
    return {
        "Accounts": [
            Field("Account_Name", length=200, mandatory=True),
            *_text("Billing_City Billing_State Billing_Country Industry"),
            Field("Website", "website"),
            Field("Phone", "phone", 30),
            description,
            owner,
        ],
        "Contacts": [
            Field("First_Name", length=40),
            Field("Last_Name", length=80, mandatory=True),
            Field("Email", "email", 100),
            *_text("Phone Mobile", data_type="phone", length=30),
            Field("Title", length=100),
            *_text("Mailing_City Mailing_State Mailing_Country", length=30),
            Field("LinkedIn", "website", 450),
            Field("Account_Name", "lookup", lookup="Accounts"),
            description,
            owner,
        ],
        "Deals": [
            Field("Deal_Name", length=120, mandatory=True),
            Field("Stage", "picklist", mandatory=True, picklist=tuple(STAGES)),
            Field("Pipeline", "picklist", picklist=(PIPELINE,)),
            *_text("Closing_Date Next_Activity_Date", data_type="date"),
            Field("Contact_Name", "lookup", lookup="Contacts"),
            Field("Account_Name", "lookup", lookup="Accounts"),
            Field("Source", "picklist", picklist=tuple(SOURCES)),
            *_text("Source_Detail Next_Activity_Description"),
            Field("Contingency_Description", "textarea", 2000),
            Field("Amount", "currency"),
            description,
            owner,
        ],
        "Notes": [Field("Note_Title", length=120), Field("Note_Content", "textarea", 65_535, mandatory=True)],
    }


@dataclass
class Organisation:
    """`organisation.put("Deals", Field("Intake_Key", unique=True))` adds a field or replaces it."""

    name: str = "Well Recruiting"
    fields: dict[str, list[Field]] = field(default_factory=_fields)
    users: list[User] = field(
        default_factory=lambda: [
            User("4876000000001001", "Zoe Admin", "zoe@wellrecruiting.example"),
            User("4876000000001002", "Rick Recruiter", "rick@wellrecruiting.example"),
            User("4876000000001003", "Gone Already", "gone@wellrecruiting.example", active=False),
        ]
    )

    def put(self, module: str, spec: Field) -> None:
        self.drop(module, spec.api_name)
        self.fields[module].append(spec)

    def drop(self, module: str, api_name: str) -> None:
        self.fields[module] = [known for known in self.fields[module] if known.api_name != api_name]

    def change(self, module: str, api_name: str, **changes: Any) -> None:
        """`change("Deals", "Source", picklist=("Other",))`"""
        self.put(module, replace(self.find(module, api_name), **changes))

    def find(self, module: str, api_name: str) -> Field:
        return next(known for known in self.fields[module] if known.api_name == api_name)

    def checks(self, module: str) -> list[str]:
        """The fields by which an upsert finds what is there already, in Zoho's order."""
        unique = [known.api_name for known in self.fields[module] if known.unique]
        return list(dict.fromkeys([*SYSTEM_CHECKS.get(module, ()), *unique]))

    def faults(self, module: str, payload: dict[str, Any], index: int, new: bool) -> Iterator[dict[str, Any]]:
        for spec in self.fields[module]:
            path = f"$.data[{index}].{spec.api_name}"
            value = payload.get(spec.api_name)
            if value is None or value == "":
                if spec.mandatory and (new or spec.api_name in payload):
                    details = {"api_name": spec.api_name, "json_path": path}
                    yield _error("MANDATORY_NOT_FOUND", "required field not found", details)
            elif fault := spec.fault(value, path):
                yield fault

    def user(self, user_id: str) -> User | None:
        return next((user for user in self.users if user.id == user_id and user.active), None)

    # ------------------------------------------------------------ what Zoho tells about it

    def fields_view(self, module: str) -> dict[str, Any]:
        return {"fields": [spec.view(number) for number, spec in enumerate(self.fields[module])]}

    def users_view(self, kind: str) -> dict[str, Any]:
        users = [user for user in self.users if user.active or kind != "ActiveUsers"]
        views = [
            {
                "id": user.id,
                "full_name": user.name,
                "first_name": user.name.split()[0],
                "last_name": user.name.split()[-1],
                "email": user.email,
                "status": "active" if user.active else "disabled",
                "confirm": True,
                "role": {"name": "CEO", "id": "4876000000002001"},
                "profile": {"name": "Administrator", "id": "4876000000002002"},
            }
            for user in users
        ]
        return {"users": views, "info": {"per_page": 200, "count": len(views), "page": 1, "more_records": False}}

    def layouts_view(self, module: str) -> dict[str, Any]:
        return {"layouts": [{"id": "4876000000003001", "name": "Standard", "status": "active", "visible": True}]}

    def pipelines_view(self) -> dict[str, Any]:
        stages = self.find("Deals", "Stage").picklist
        maps = [
            {
                "id": f"4876000000004{number:03d}",
                "display_value": stage,
                "actual_value": stage,
                "sequence_number": number,
            }
            for number, stage in enumerate(stages, 1)
        ]
        return {
            "pipeline": [
                {"id": "4876000000005001", "display_value": name, "actual_value": name, "default": True, "maps": maps}
                for name in self.find("Deals", "Pipeline").picklist
            ]
        }

    def org_view(self) -> dict[str, Any]:
        org = {
            "id": "4876000000006001",
            "company_name": self.name,
            "zgid": "700000001",
            "time_zone": "America/New_York",
        }
        return {"org": [org]}


def _error(code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}
