"""What an organisation's modules look like: its fields with their types, lengths and picklists, and its users."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoho.client import ZohoClient
from zoho.errors import ZohoUnavailable
from zoho.fieldmap import MODULES
from zoho.recently import Recently

KEPT_SECONDS = 3600.0
USERS_A_PAGE = 200


@dataclass(frozen=True)
class OrganisationField:
    """`values` is empty for what is no picklist, `length` None where Zoho names none."""

    api_name: str
    data_type: str
    length: int | None = None
    mandatory: bool = False
    unique: bool = False
    read_only: bool = False
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Organisation:
    """Fields by module and API name; ids of active users by e-mail in lower case."""

    fields: Mapping[str, Mapping[str, OrganisationField]]
    users: Mapping[str, str] = field(default_factory=dict)

    def field(self, module: str, api_name: str) -> OrganisationField | None:
        return self.fields.get(module, {}).get(api_name)

    def user_id(self, emails: Iterable[str | None]) -> str | None:
        """Of the first of these addresses that Zoho knows."""
        return next((self.users[email.lower()] for email in emails if email and email.lower() in self.users), None)


class KnownOrganisation:
    """The organisation as it was at most an hour ago. One reads it, the others wait for that."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self._kept: Recently[Organisation] = Recently(KEPT_SECONDS)
        self._one_at_a_time = asyncio.Lock()

    async def recent(self) -> Organisation:
        """Raises `CrmError`."""
        async with self._one_at_a_time:
            return self._kept.get("") or await self.now()

    async def now(self) -> Organisation:
        """Raises `CrmError`."""
        users, modules = await asyncio.gather(self._users(), asyncio.gather(*map(self._fields, MODULES.values())))
        return self._kept.put("", Organisation(dict(zip(MODULES.values(), modules, strict=True)), users))

    async def _fields(self, module: str) -> dict[str, OrganisationField]:
        told = await self._client.call("GET", "/settings/fields", params={"module": module})
        return {known.api_name: known for known in map(_field, _listed(told, "fields"))}

    async def _users(self) -> dict[str, str]:
        users: dict[str, str] = {}
        page, more = 1, True
        while more:
            params = {"type": "ActiveUsers", "per_page": str(USERS_A_PAGE), "page": str(page)}
            told = await self._client.call("GET", "/users", params=params)
            users |= {user["email"].lower(): user["id"] for user in _listed(told, "users") if user.get("email")}
            page, more = page + 1, bool(told and told.get("info", {}).get("more_records"))
        return users


def _listed(told: Mapping[str, Any] | None, name: str) -> list[dict[str, Any]]:
    """What is remembered for an hour must not be an answer to something else."""
    if told is None:
        return []
    if not isinstance(listed := told.get(name), list):
        raise ZohoUnavailable(f"Zoho's answer does not say which {name} there are.", sent=False)
    return listed


def _field(told: Mapping[str, Any]) -> OrganisationField:
    is_picklist = told.get("data_type") == "picklist"
    length = told.get("length")
    return OrganisationField(
        api_name=str(told["api_name"]),
        data_type=str(told.get("data_type", "text")),
        length=length if isinstance(length, int) and length > 0 and not is_picklist else None,
        mandatory=bool(told.get("system_mandatory")),
        unique=bool(told.get("unique")),
        read_only=bool(told.get("read_only") or told.get("field_read_only")),
        values=frozenset(
            str(value["actual_value"])
            for value in told.get("pick_list_values") or []
            if is_picklist and value.get("type") != "unused"
        ),
    )
