"""What a CRM holds, looked at from behind: by our names, whatever its own are."""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from zoho.accounts import Accounts, Grant, OAuthClient
from zoho.client import Limits, Token, ZohoClient
from zoho.crm import ZohoCrm
from zoho.data_centres import Whereabouts
from zoho.embedded import MODELS, EmbeddedCrm
from zoho.fieldmap import MODULES, FieldMap
from zoho.tests.fake_organisation import Field
from zoho.tests.fake_zoho import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

KEY_FIELD = "Intake_Key"


class Embedded:
    def __init__(self, database):
        self.crm = EmbeddedCrm(database, "https://crm.example")
        self._database = database

    async def rows(self, step):
        def read():
            return [
                {name: str(value) if name.endswith("_id") and value else value for name, value in row.items()}
                for row in MODELS[step].objects.values()
            ]

        return await self._database(read)

    async def files(self, deal_id):
        rows = MODELS["attachment"].objects.filter(deal=deal_id)
        return await self._database(lambda: {row.filename: bytes(row.content) for row in rows})

    async def change(self, step, record_id, **values):
        """As somebody does in the CRM itself."""
        row = await self._database(MODELS[step].objects.get, pk=record_id)
        for name, value in values.items():
            setattr(row, name, value)
        await self._database(row.save)

    async def age(self, deal_id, days):
        created = time.time() - days * 86_400
        await self._database(lambda: MODELS["deal"].objects.filter(pk=deal_id).update(created_at=created))


class BehindZoho:
    def __init__(self, zoho, crm, field_map):
        self.zoho, self.crm, self._field_map = zoho, crm, field_map

    async def rows(self, step):
        if step == "attachment":
            return self.zoho.rows("Attachments")
        targets = self._field_map.targets(step)
        return [
            {name: _id_or_value(row.get(target)) for name, target in targets.items()}
            for row in self.zoho.rows(MODULES[step])
        ]

    async def files(self, deal_id):
        rows = [row for row in self.zoho.rows("Attachments") if row["Parent_Id"]["id"] == deal_id]
        return {row["File_Name"]: self.zoho.content(row["id"]) for row in rows}

    async def change(self, step, record_id, **values):
        self.zoho.change(
            MODULES[step], record_id, **{self._field_map.target(step, name): value for name, value in values.items()}
        )

    async def age(self, deal_id, days):
        created = datetime.fromtimestamp(time.time() - days * 86_400, UTC).isoformat(timespec="seconds")
        (deal,) = (row for row in self.zoho.rows("Deals") if row["id"] == deal_id)
        deal["Created_Time"] = created


def _id_or_value(value):
    return value["id"] if isinstance(value, dict) else value


class AskedTokens:
    """A token from the accounts server, kept in memory. The stored ones have their own tests."""

    def __init__(self, zoho, refresh_token=REFRESH_TOKEN):
        whereabouts = Whereabouts(accounts_url=zoho.url, api_url=zoho.url)
        self._accounts = Accounts(OAuthClient(CLIENT_ID, CLIENT_SECRET), whereabouts)
        self._grant = Grant(refresh_token, whereabouts.addresses())
        self._token = None

    async def token(self):
        return self._token or await self.renewed(None)

    async def renewed(self, refused):
        granted = await asyncio.to_thread(self._accounts.refresh, self._grant)
        self._token = Token(granted.access_token, granted.api_url)
        return self._token


class NoMeter:
    def called(self, outcome, milliseconds, credits_left):
        pass

    def retried(self):
        pass


@asynccontextmanager
async def crm_behind(zoho, field_map=None, tokens=None, patience=1.0, **given):
    """A `ZohoCrm` as a process of its own has it: it knows nothing yet."""
    limits = Limits(per_second=1000.0, timeout=2.0, patience=patience)
    client = ZohoClient(tokens or AskedTokens(zoho), limits, NoMeter())

    async def read():
        return field_map or FieldMap()

    try:
        yield ZohoCrm(client, read, "https://crm.example/crm", **given)
    finally:
        await client.close()


def with_key_field(zoho):
    """The organisation as an administrator has prepared it (docs/zoho.md)."""
    zoho.organisation.put("Deals", Field(KEY_FIELD, length=20, unique=True))
    return FieldMap(key_field=KEY_FIELD)
