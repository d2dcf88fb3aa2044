"""Zoho as the CRM of a whole server: from the settings to the records, over real sockets."""

import asyncio
import json

import httpx2
import pytest

from conftest import MAIL
from wellintake.tests.server import Server
from zoho.tests.fake_zoho import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, FakeZoho

pytestmark = pytest.mark.server


@pytest.fixture
async def zoho():
    async with FakeZoho.serving() as zoho:
        yield zoho


def settings_for(zoho):
    return {
        "ZOHO_CLIENT_ID": CLIENT_ID,
        "ZOHO_CLIENT_SECRET": CLIENT_SECRET,
        "ZOHO_REFRESH_TOKEN": REFRESH_TOKEN,
        "ZOHO_API_URL": zoho.url,
        "ZOHO_ACCOUNTS_URL": zoho.url,
    }


async def events_of(server, mail):
    async with server.client() as http:
        answer = await http.post("/stream/batch/process-email", json=mail)
        return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_mail_is_filed_in_zoho_and_every_event_tells_what_zoho_answered(own_server, zoho):
    zoho.organisation.drop("Contacts", "Mailing_State")
    server = await asyncio.to_thread(own_server, "uvicorn", **settings_for(zoho))

    events = await events_of(server, MAIL | {"mode": "auto"})

    told = {event["data"]["step"]: event["data"] for event in events if event["type"] == "zoho_progress"}
    (contact,), (deal,), (note,) = (zoho.rows(module) for module in ("Contacts", "Deals", "Notes"))
    assert events[-1]["type"] == "complete" and events[-1]["data"]["status"] == "saved"
    assert (told["contact"]["id"], told["deal"]["id"]) == (contact["id"], deal["id"])
    assert told["contact"]["message"] == "Contact created: state left out: the organisation has no field Mailing_State"
    assert (contact["Last_Name"], contact["Email"]) == ("Roe", "jane.roe@acmewealth.example")
    assert deal["Contact_Name"]["id"] == contact["id"] and note["Parent_Id"]["id"] == deal["id"]


async def test_a_run_that_met_zoho_without_access_says_so_and_goes_on_when_it_is_tried_again(own_server, zoho):
    zoho.revoked = True
    server = await asyncio.to_thread(own_server, "uvicorn", **settings_for(zoho))

    events = await events_of(server, MAIL | {"mode": "auto"})
    failed, run = events[-1]["data"], events[-1]["run_id"]
    zoho.revoked = False
    row = await asyncio.to_thread(server.manage, "shell", "-c", FORGET_THE_FAILURE)
    async with server.client() as http:
        await http.post(f"/stream/runs/{run}/retry")
        for _ in range(100):
            state = (await http.get(f"/stream/runs/{run}")).json()["state"]
            if state == "complete":
                break
            await asyncio.sleep(0.1)

    assert row.returncode == 0
    assert (failed["code"], failed["retryable"], state) == ("crm_not_connected", True, "complete")
    assert [len(zoho.rows(module)) for module in ("Accounts", "Contacts", "Deals", "Notes")] == [1, 1, 1, 1]


# A refusal of the grant is remembered for a minute, so that not every mail asks the accounts server again.
FORGET_THE_FAILURE = "from zoho.models import Connection; Connection.objects.update(ask_again_at=0)"
MAKE_STAFF = "from django.contrib.auth.models import User; User.objects.create_superuser('zoe', password='for-tests')"


async def test_check_crm_says_what_is_missing_and_fails_by_it(tmp_path, zoho):
    server = Server(tmp_path, **settings_for(zoho))
    await asyncio.to_thread(server.create_database)

    good = await asyncio.to_thread(server.manage, "check_crm", check=False)
    zoho.organisation.drop("Contacts", "LinkedIn")
    bad = await asyncio.to_thread(server.manage, "check_crm", "--json", check=False)

    assert (good.returncode, good.stdout.decode().strip()) == (0, "The CRM has what we write.")
    assert bad.returncode == 1
    assert [found["target"] for found in json.loads(bad.stdout)] == ["LinkedIn"]


async def test_the_admins_button_shows_what_the_check_finds(own_server, zoho):
    zoho.organisation.drop("Contacts", "LinkedIn")
    server = await asyncio.to_thread(own_server, "uvicorn", **settings_for(zoho))
    await asyncio.to_thread(server.manage, "shell", "-c", MAKE_STAFF)

    async with httpx2.AsyncClient(base_url=server.url, follow_redirects=True, timeout=30) as http:
        form = {"username": "zoe", "password": "for-tests", "next": "/admin/zoho/fieldtarget/"}
        await http.get("/admin/login/")
        await http.post("/admin/login/", data=form | {"csrfmiddlewaretoken": http.cookies["csrftoken"]})
        token = {"csrfmiddlewaretoken": http.cookies["csrftoken"]}
        page = await http.post("/admin/zoho/fieldtarget/check/", data=token)

    assert "the organisation has no field LinkedIn" in page.text and "Create it in Zoho" in page.text
