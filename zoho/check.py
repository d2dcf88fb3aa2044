"""Does the organisation have what we write? Asked before the first save, in the admin and by `manage.py check_crm`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from extraction.dealname import MAX_DEAL_NAME
from extraction.description import MAX_DESCRIPTION
from extraction.records import Deal, Step
from extraction.types import METRICS
from zoho.fieldmap import INDISPENSABLE, MODULES, OUR_SOURCES, FieldMap
from zoho.organisation import Organisation, OrganisationField
from zoho.payloads import label, token_of

FIELDS_PAGE, SOURCES_PAGE = "in the admin, under CRM, Zoho fields", "in the admin, under CRM, Zoho sources"
TOKEN_LENGTH = len(token_of(""))
_NEEDED_LENGTHS = {
    ("deal", "deal_name"): MAX_DEAL_NAME,
    ("deal", "description_of_reqs"): MAX_DESCRIPTION,
    ("deal", "source_detail"): 100,
    ("contact", "email"): 100,
    ("contact", "last_name"): 40,
    ("contact", "first_name"): 40,
    ("note", "title"): 120,
    ("note", "content"): 2000,
}
_TYPES = {
    **dict.fromkeys(METRICS, frozenset({"text", "textarea", "picklist"})),
    "account_id": {"lookup"},
    "contact_id": {"lookup"},
    "owner": {"ownerlookup", "userlookup"},
    "closing_date": {"date"},
}


@dataclass(frozen=True)
class Finding:
    """`error`: a save would fail or lose a value. `field` is our name of it, `target` Zoho's."""

    severity: Literal["error", "warning"]
    module: str
    field: str
    target: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.module}, {label(self.field)}: {self.problem}. {self.remedy}."


def findings_of(organisation: Organisation, field_map: FieldMap) -> list[Finding]:
    """Everything in which the map and the organisation do not fit; empty when a save can go through."""
    found = [finding for step in MODULES for finding in _of_module(step, organisation, field_map)]
    return [*found, *_of_sources(organisation, field_map), *_of_key(organisation, field_map)]


def _of_module(step: Step, organisation: Organisation, field_map: FieldMap) -> Iterator[Finding]:
    module, targets = MODULES[step], field_map.targets(step)
    for name, target in targets.items():
        if spec := organisation.field(module, target):
            yield from _of_field(step, name, spec)
        else:
            problem = f"the organisation has no field {target}"
            remedy = f"Create it in Zoho, or name another one (or none) {FIELDS_PAGE}"
            yield Finding("error", module, name, target, problem, remedy)
    for name, target in targets.items():
        if other := next((other for other in targets if targets[other] == target and other < name), None):
            problem = f"{target} holds {label(other)} already"
            yield Finding("error", module, name, target, problem, f"Choose another field {FIELDS_PAGE}")
    for name in sorted(name for of, name in INDISPENSABLE if of == step and name not in targets):
        yield Finding("error", module, name, "", "it has no field in Zoho", f"Give it one {FIELDS_PAGE}")
    known = {*targets.values(), field_map.key_field, "Parent_Id"}
    for spec in organisation.fields.get(module, {}).values():
        if spec.mandatory and not spec.read_only and spec.api_name not in known:
            remedy = f"Make the field optional in Zoho's layout, or give it one of our fields {FIELDS_PAGE}"
            problem = "Zoho demands a value and none of ours goes there"
            yield Finding("error", module, spec.api_name, spec.api_name, problem, remedy)


def _of_field(step: Step, name: str, spec: OrganisationField) -> Iterator[Finding]:
    module, target = MODULES[step], spec.api_name
    if (wanted := _TYPES.get(name)) and spec.data_type not in wanted:
        problem = f"{target} is of the type {spec.data_type}, wanted is {' or '.join(sorted(wanted))}"
        yield Finding("error", module, name, target, problem, f"Choose another field {FIELDS_PAGE}")
    if spec.read_only:
        yield Finding("error", module, name, target, f"{target} is read-only", f"Choose another field {FIELDS_PAGE}")
    needed = _NEEDED_LENGTHS.get((step, name))
    if needed and spec.length and spec.length < needed:
        problem = f"{target} takes {spec.length} characters, values may have {needed}"
        yield Finding("warning", module, name, target, problem, "Make the field longer in Zoho")
    always = {("deal", "stage"): Deal.stage, ("deal", "pipeline"): Deal.pipeline}.get((step, name))
    if always and spec.values and always not in spec.values:
        problem = f"the picklist {target} does not have “{always}”"
        yield Finding("error", module, name, target, problem, "Add the value to the picklist in Zoho, in these words")


def _of_sources(organisation: Organisation, field_map: FieldMap) -> Iterator[Finding]:
    """A source that Zoho's picklist does not have is found here, not by a failed save."""
    for step in ("account", "deal"):
        module, target = MODULES[step], field_map.target(step, "source")
        spec = organisation.field(module, target)
        written = [field_map.sources.get(source, source) for source in OUR_SOURCES]
        for name in dict.fromkeys(written if spec and spec.values else ()):
            if spec and name not in spec.values:
                problem = f"the picklist {target} does not have “{name}”"
                remedy = f"Add the value in Zoho, or say {SOURCES_PAGE}, what it is called there"
                yield Finding("error", module, "source", target, problem, remedy)


def _of_key(organisation: Organisation, field_map: FieldMap) -> Iterator[Finding]:
    deals = MODULES["deal"]
    remedy = "Create a unique single-line field in Deals and name it in ZOHO_DEAL_KEY_FIELD"
    if not field_map.key_field:
        if not field_map.target("deal", "description_of_reqs"):
            problem = "there is no place in a deal for the reference by which it is found again"
            yield Finding("error", deals, "key", "", problem, f"{remedy}, or give description of reqs a field again")
        return
    spec = organisation.field(deals, field_map.key_field)
    if spec is None:
        problem = f"the organisation has no field {field_map.key_field}"
    elif not spec.unique:
        problem = f"{spec.api_name} is not unique"
    elif spec.data_type != "text" or (spec.length or TOKEN_LENGTH) < TOKEN_LENGTH:
        problem = f"{spec.api_name} is not a text of at least {TOKEN_LENGTH} characters"
    else:
        return
    yield Finding("error", deals, "key", field_map.key_field, problem, f"{remedy}, or leave that empty")
