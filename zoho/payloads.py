"""Records of ours as Zoho takes them. Pure: a map, an organisation's fields and a record in, a payload out."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from extraction import records
from extraction.errors import CrmRejected
from zoho.fieldmap import INDISPENSABLE, MODULES, FieldMap
from zoho.organisation import Organisation, OrganisationField

REFERENCE = "Intake reference: "
Row = dict[str, Any]
Written = records.Account | records.Contact | records.Deal | records.Note

_LOOKUPS = frozenset({"account_id", "contact_id", "owner"})
_CUTTABLE = frozenset({"deal_name", "description_of_reqs", "content", "title", "reference"})  # still mean the same
_ELSEWHERE = frozenset({"step", "deal_id", "owner_email"})


@dataclass(frozen=True)
class Payload:
    """What is sent, and what is not, each with the reason as a user may read it."""

    values: Row
    left_out: tuple[str, ...] = ()

    @property
    def remark(self) -> str | None:
        return "; ".join(self.left_out) or None


def reference_of(key: str) -> str:
    """How a record says which key it was written under: by it a retry recognises what a cut attempt has written."""
    return REFERENCE + token_of(key)


def token_of(key: str) -> str:
    """The key as it fits into a field of 20 characters."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]


def says_reference(text: Any, key: str) -> bool:
    """Whether the text ends with the key's reference."""
    return str(text or "").rstrip().endswith(reference_of(key))


def payload_for(
    record: Written, key: str, field_map: FieldMap, organisation: Organisation, owner_id: str | None = None
) -> Payload:
    """Raises `CrmRejected` when Zoho would refuse a value without which the record makes no sense."""
    values: Row = {}
    left_out = []
    for name, value in _values(record, key, field_map, owner_id):
        if not (target := field_map.target(record.step, name)):
            continue
        spec = organisation.field(MODULES[record.step], target)
        fault = _fault(name, value, spec) if spec else f"the organisation has no field {target}"
        if spec and not fault:
            values[target] = {"id": value} if name in _LOOKUPS else _fitted(value, spec.length)
        elif (record.step, name) in INDISPENSABLE:
            raise CrmRejected(f"The {record.step}'s {label(name)} cannot be saved: {fault}. Correct it and save again.")
        else:
            left_out.append(f"{label(name)} left out: {fault}")
    match record:
        case records.Deal() if field_map.key_field:
            values[field_map.key_field] = token_of(key)
        case records.Note(deal_id=str(deal_id)):
            values["Parent_Id"] = {"module": {"api_name": MODULES["deal"]}, "id": deal_id}
    return Payload(values, tuple(left_out))


def label(name: str) -> str:
    """Our name of a field, for people."""
    return name.removesuffix("_id").replace("_", " ")


def _values(record: Written, key: str, field_map: FieldMap, owner_id: str | None) -> Iterator[tuple[str, str]]:
    """Our names and values, as texts, none of them empty."""
    given: Row = {spec.name: getattr(record, spec.name) for spec in fields(record) if spec.name not in _ELSEWHERE}
    match record:
        case records.Account():
            given["owner"] = owner_id
        case records.Contact():
            given |= {"owner": owner_id, "reference": None if record.email else reference_of(key)}
        case records.Deal():
            given |= {"owner": owner_id, **record.figures}
            if not field_map.key_field:
                given["description_of_reqs"] = _with_reference(record.description_of_reqs, key)
        case records.Note():
            given["content"] = _with_reference(record.content, key)
    if source := given.get("source"):
        given["source"] = field_map.sources.get(source, source)
    return ((name, value.strip()) for name, value in given.items() if isinstance(value, str) and value.strip())


def _with_reference(text: str | None, key: str) -> str:
    return f"{text or ''}\n{reference_of(key)}"


def _fault(name: str, value: str, spec: OrganisationField) -> str | None:
    """What Zoho would have against the value; nothing is told of the value itself."""
    if spec.length and len(value) > spec.length and name not in _CUTTABLE | _LOOKUPS:
        return f"it is longer than the {spec.length} characters that Zoho takes"
    if spec.values and value not in spec.values:
        return f"Zoho's picklist {spec.api_name} does not know the value"
    return None


def _fitted(value: str, length: int | None) -> str:
    """The value in the length that Zoho takes, cut at a word; the reference in its last line stays whole."""
    if not length or len(value) <= length:
        return value
    text, _, last = value.rpartition("\n")
    if not last.startswith(REFERENCE):
        return _cut(value, length)
    return f"{_cut(text, length - len(last) - 1)}\n{last}"


def _cut(text: str, length: int) -> str:
    cut = text[: max(0, length - 1)]
    return (cut.rsplit(maxsplit=1)[0] if " " in cut[-60:] else cut).rstrip() + "…"


def news_for(held: Mapping[str, Any], values: Mapping[str, Any], chosen: Collection[str] = ()) -> Row:
    """What of the values is to go into the record that Zoho holds: into its empty fields, and into those that the user
    decided (`chosen`, by Zoho's names). The others belong to whoever filled them."""
    return {
        name: value
        for name, value in values.items()
        if name != "Owner" and (not held.get(name) or (name in chosen and not holds(held, {name: value})))
    }


def holds(row: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether the record has these values already; Zoho tells more of a lookup than we send."""
    return all(_told(row.get(name)) == _told(value) for name, value in values.items())


def _told(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value or None
