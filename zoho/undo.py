"""Taking a write back: what we created goes to Zoho's recycle bin, what we filled is emptied again, if nobody has
touched it since."""

from collections.abc import Mapping
from typing import assert_never

from extraction import records
from extraction.ports import Stored, Undone
from zoho.answers import results_of
from zoho.client import ZohoClient
from zoho.duplicates import moment
from zoho.errors import ZohoConflict, ZohoRefused
from zoho.fieldmap import MODULES, FieldMap
from zoho.lookup import Lookup, is_gone
from zoho.payloads import Row, holds

CHANGED = "Somebody has changed it in Zoho since."
NOT_OURS = "It was in Zoho before."
GONE = "It is no longer in Zoho."
# What may hang on a record of ours that others have made meanwhile: such a record is not deleted.
DEPENDENTS: Mapping[str, tuple[str, ...]] = {
    "Accounts": ("Contacts", "Deals"),
    "Contacts": ("Deals",),
    "Deals": ("Notes", "Attachments"),
}


class Undo:
    def __init__(self, client: ZohoClient, lookup: Lookup) -> None:
        self._client = client
        self._lookup = lookup

    async def of(self, step: records.Step, stored: Stored, field_map: FieldMap) -> Undone:
        match stored.action:
            case "reused" | "skipped":
                return Undone("kept", NOT_OURS)
            case "created" if step == "attachment":
                deal_id, _, attachment_id = stored.id.partition("/")
                return await self._delete(f"/Deals/{deal_id}/Attachments/{attachment_id}")
            case "created":
                return await self._deleted(MODULES[step], stored)
            case "updated":
                before = {field_map.target(step, name) or name: value for name, value in (stored.before or {}).items()}
                return await self._restored(MODULES[step], stored, before)
            case _:
                assert_never(stored.action)

    async def _deleted(self, module: str, stored: Stored) -> Undone:
        held = await self._lookup.read(module, stored.id)
        if held is None:
            return Undone("deleted")
        if _is_changed(held, stored):
            return Undone("kept", CHANGED)
        for others in DEPENDENTS.get(module, ()):
            if await self._lookup.related(module, stored.id, others, ("id",)):
                return Undone("kept", f"In Zoho it has {others.lower()} that are not of this save.")
        return await self._delete(f"/{module}/{stored.id}")

    async def _delete(self, path: str) -> Undone:
        try:
            answer = await self._client.call("DELETE", path, idempotent=True)
        except ZohoRefused as error:
            if not is_gone(error):
                raise
            return Undone("deleted")
        for result in results_of(answer or {}):
            if (refusal := result.refusal) and not is_gone(refusal):
                raise refusal
        return Undone("deleted")

    async def _restored(self, module: str, stored: Stored, before: Row) -> Undone:
        held = await self._lookup.read(module, stored.id)
        if held and not holds(held, before) and not _is_changed(held, stored):
            held = await self._written_back(module, stored, before)
        if held is None:
            return Undone("kept", GONE)
        return Undone("restored") if holds(held, before) else Undone("kept", CHANGED)

    async def _written_back(self, module: str, stored: Stored, before: Row) -> Row | None:
        """The record after that, or as somebody has made it in the very moment."""
        path = f"/{module}/{stored.id}"
        headers = {"If-Unmodified-Since": stored.modified_at} if stored.modified_at else None
        try:
            [result] = await self._client.records("PUT", path, [before], headers=headers, idempotent=True)
        except ZohoConflict:
            return await self._lookup.read(module, stored.id)
        if result.refusal:
            raise result.refusal
        return before


def _is_changed(held: Row, stored: Stored) -> bool:
    return stored.modified_at is None or moment(held["Modified_Time"]) != moment(stored.modified_at)
