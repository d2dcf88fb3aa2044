"""Signing in with Microsoft Entra, against a tenant of our own with real keys."""

import asyncio
import json
import time

import httpx2
import pytest
import websockets
from cryptography.hazmat.primitives.asymmetric import rsa

from conftest import MAIL
from streaming.problems import Problem
from streaming.tests.reading import received
from wellintake.access import entra
from wellintake.access.entra import EntraTokens
from wellintake.access.verifier import Verifier
from wellintake.tests.fake_tenant import CLIENT, TENANT, FakeTenant

pytestmark = pytest.mark.embedded
SECRET = "a-secret-for-tests-that-is-long-enough-0123456789"
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def tenant():
    with FakeTenant() as tenant:
        yield tenant


@pytest.fixture
def verifier(tenant):
    return Verifier(SECRET, None, None, None, EntraTokens(tenant.authority, [TENANT], CLIENT, "access_as_user"))


async def caller_by(verifier, token):
    return await verifier.caller_of({"authorization": f"Bearer {token}"})


async def test_a_token_of_the_tenant_is_that_person_till_it_expires(tenant, verifier):
    exp = int(time.time()) + 1800
    caller = await caller_by(verifier, tenant.token(exp=exp))

    assert (caller.subject, caller.tenant, caller.name, caller.until) == ("entra:ann", TENANT, "Ann Lee", exp)
    assert caller.scopes == {"intake", "read"}


REFUSED = {
    "of another tenant": lambda tenant: tenant.token(tid=OTHER),
    "of another issuer": lambda tenant: tenant.token(iss=tenant.issuer.replace(TENANT, OTHER)),
    "of version 1": lambda tenant: tenant.token(iss=f"https://sts.windows.net/{TENANT}/"),
    "for another application": lambda tenant: tenant.token(aud=OTHER),
    "for Microsoft Graph": lambda tenant: tenant.token(aud="00000003-0000-0000-c000-000000000000"),
    "expired": lambda tenant: tenant.token(exp=int(time.time()) - 61),
    "not yet": lambda tenant: tenant.token(nbf=int(time.time()) + 600),
    "of another scope": lambda tenant: tenant.token(scp="User.Read"),
    "of an application": lambda tenant: tenant.token(scp=None, roles=["access_as_user"]),
    "of nobody": lambda tenant: tenant.token(oid=None),
    "without an end": lambda tenant: tenant.token(exp=None),
    "without a tenant": lambda tenant: tenant.token(tid=None),
    "with a tenant that is no text": lambda tenant: tenant.token(tid=[TENANT]),
    "signed by a stranger": lambda tenant: tenant.token(key=STRANGER),
    "signed otherwise": lambda tenant: tenant.token(algorithm="RS512"),
    "signed with the public key": lambda tenant: tenant.token_signed_with_the_public_key(),
    "with another key's name": lambda tenant: tenant.token(kid="second"),
    "unsigned": lambda tenant: tenant.token(algorithm="none"),
    "cut": lambda tenant: tenant.token()[:-20],
    "none at all": lambda tenant: "x.y.z",
}


@pytest.mark.parametrize("how", REFUSED)
async def test_a_token_that_proves_nothing_is_refused(tenant, verifier, how):
    assert await caller_by(verifier, REFUSED[how](tenant)) is None


async def test_the_tokens_of_strange_tenants_cause_no_request(tenant, verifier):
    assert await caller_by(verifier, tenant.token(tid=OTHER)) is None

    assert tenant.asked == []


async def test_many_at_once_fetch_the_keys_once_and_hold_nobody_up(tenant, verifier):
    callers = await asyncio.gather(*(caller_by(verifier, tenant.token()) for _ in range(20)))

    assert all(callers)
    assert len(tenant.asked) == 2  # the configuration, the keys


async def test_a_rotated_key_is_fetched_when_it_is_first_named_and_the_old_one_is_good_no_more(
    tenant, verifier, monkeypatch
):
    old = tenant.token()
    assert await caller_by(verifier, old)
    tenant.rotate("second")
    monkeypatch.setattr(entra, "AGAIN_SECONDS", 0)

    assert await caller_by(verifier, tenant.token())
    assert await caller_by(verifier, old) is None


async def test_made_up_keys_are_not_asked_for_again_and_again(tenant, verifier):
    assert await caller_by(verifier, tenant.token())
    for number in range(10):
        assert await caller_by(verifier, tenant.token(kid=f"made up {number}")) is None

    assert len(tenant.asked) == 2


async def test_while_microsoft_is_away_known_keys_go_on_and_unknown_ones_are_503(tenant, verifier, monkeypatch):
    assert await caller_by(verifier, tenant.token())
    tenant.is_away = True
    monkeypatch.setattr(entra, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(entra, "FRESH_SECONDS", 0.0)
    assert await caller_by(verifier, tenant.token())

    with pytest.raises(Problem) as refused:
        await caller_by(verifier, tenant.token(kid="second"))
    assert (refused.value.status, refused.value.code) == (503, "sign_in_unavailable")
    monkeypatch.setattr(entra, "KEPT_SECONDS", 0.0)
    with pytest.raises(Problem):
        await caller_by(verifier, tenant.token())
    tenant.is_away = False
    monkeypatch.undo()
    monkeypatch.setattr(entra, "AGAIN_SECONDS", 0)
    assert await caller_by(verifier, tenant.token())


async def test_an_outage_is_not_made_worse_by_asking(tenant, verifier):
    tenant.is_away = True
    for _ in range(5):
        with pytest.raises(Problem):
            await caller_by(verifier, tenant.token())

    assert len(tenant.asked) == 1


async def test_a_configuration_of_another_issuer_is_not_believed(tenant, verifier):
    tenant.issuer_told = f"https://login.microsoftonline.com/{OTHER}/v2.0"

    with pytest.raises(Problem):
        await caller_by(verifier, tenant.token())


async def test_a_caller_who_goes_away_takes_nobodys_keys_along(tenant, verifier):
    gone = asyncio.create_task(caller_by(verifier, tenant.token()))
    await asyncio.sleep(0)
    gone.cancel()

    assert await caller_by(verifier, tenant.token())


@pytest.mark.server
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_person_signs_in_everywhere_and_a_colleague_sees_the_run(own_server, tenant, kind):
    server = own_server(kind, ENTRA_TENANT_ID=TENANT, ENTRA_CLIENT_ID=CLIENT, ENTRA_AUTHORITY=tenant.authority)
    ann, ben = ({"Authorization": f"Bearer {tenant.token(oid=name)}"} for name in ("ann", "ben"))
    async with httpx2.AsyncClient(base_url=server.url, headers=ann, timeout=30) as http:
        terms = (await http.get("/stream/negotiate")).json()
        hub = (await http.post("/stream/negotiate?negotiateVersion=1")).json()
        older = await http.post("/intake/email", json={**MAIL, "dry_run": True})
        forged = await http.get("/stream/negotiate", headers={"Authorization": f"Bearer {tenant.token(key=STRANGER)}"})
    assert (terms["userId"], older.status_code, forged.status_code) == ("entra:ann", 200, 401)

    async with websockets.connect(f"{terms['url']}?access_token={terms['accessToken']}", proxy=None) as socket:
        await socket.send(json.dumps({"type": "process_email", "data": {**MAIL, "mode": "preview"}}))
        run_id = (await received(socket, "accepted"))["run_id"]
        assert (await received(socket, "complete"))["status"] == "preview"
    address = f"ws://127.0.0.1:{server.port}/stream?id={hub['connectionToken']}"
    async with websockets.connect(address, proxy=None) as socket:
        await socket.send('{"protocol":"json","version":1}\x1e')
        assert await socket.recv() == "{}\x1e"
    async with httpx2.AsyncClient(base_url=server.url) as http:
        answers = [await http.get(f"/stream/runs/{run_id}", headers=headers) for headers in (ann, ben, {})]
    assert [answer.status_code for answer in answers] == [200, 200, 401]


@pytest.mark.server
async def test_without_microsofts_keys_a_call_is_told_to_come_back(own_server, tenant):
    tenant.is_away = True
    server = own_server(ENTRA_TENANT_ID=TENANT, ENTRA_CLIENT_ID=CLIENT, ENTRA_AUTHORITY=tenant.authority)
    async with httpx2.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/stream/negotiate", headers={"Authorization": f"Bearer {tenant.token()}"})

    assert (answer.status_code, answer.json()["code"]) == (503, "sign_in_unavailable")
    assert answer.headers["retry-after"] == "30"
