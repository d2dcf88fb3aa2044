"""Keys and what is made from them: shown once, limited, noted, revoked."""

import asyncio
import re
import time
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from streaming.callers import Caller
from streaming.live import Live
from wellintake.access.farewell import look_once
from wellintake.access.keys import make_key
from wellintake.access.tokens import SECONDS, SESSION_SECONDS, caller_of_token
from wellintake.access.verifier import Verifier
from wellintake.models import ApiKey

pytestmark = [pytest.mark.embedded, pytest.mark.django_db(transaction=True)]
SECRET = "a-secret-for-tests-that-is-long-enough-0123456789"


@pytest.fixture
def verifier(threads):
    write, read = threads
    return Verifier(SECRET, "a-legacy-key-0123456789", write, read)


def test_a_key_of_the_command_line_holds_what_was_asked_for(capsys):
    call_command("create_api_key", "probe", "--scope", "metrics", "--days", "30", "--tenant", "firm")

    key = ApiKey.objects.get()
    assert re.fullmatch(rf"wi_{key.id}_[\w-]{{43}}\n", capsys.readouterr().out)
    assert (key.scopes, key.tenant) == ("metrics", "firm")
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)


def test_a_key_of_the_admin_is_shown_once_and_can_be_limited_and_revoked(verifier):
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    form = {"name": "probe", "tenant": "", "scopes": ["read", "metrics"], "expires_at_0": "", "expires_at_1": ""}
    made = browser.post("/admin/wellintake/apikey/add/", form)

    text = re.search(r'id="made-key">(wi_\w+_[\w-]+)<', made.content.decode())[1]
    key = ApiKey.objects.get()
    assert (key.scopes, key.tenant) == ("read metrics", f"key:{key.id}")
    pages = [
        browser.get(f"/admin/wellintake/apikey/{path}") for path in ("", f"{key.id}/change/", f"{key.id}/history/")
    ]
    assert not any(text.rpartition("_")[2] in page.content.decode() for page in pages)
    assert not any(text in str(cookie) for cookie in browser.cookies.values())

    browser.post(f"/admin/wellintake/apikey/{key.id}/change/", form | {"scopes": ["read"]})
    assert ApiKey.objects.get().scopes == "read"
    browser.post("/admin/wellintake/apikey/", {"action": "revoke", "_selected_action": [key.id]})
    assert ApiKey.objects.get().revoked_at


def test_who_may_only_look_at_keys_revokes_none():
    make_key("one")
    from django.contrib.auth.models import Permission

    ann = User.objects.create_user("ann", is_staff=True)
    ann.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    browser = Client()
    browser.force_login(ann)
    browser.post("/admin/wellintake/apikey/", {"action": "revoke", "_selected_action": [ApiKey.objects.get().id]})

    assert ApiKey.objects.get().revoked_at is None


async def test_the_last_use_is_noted_to_the_minute(verifier):
    key = await sync_to_async(make_key)("one")
    assert await verifier.caller_of({"x-api-key": key})
    first = (await ApiKey.objects.aget()).last_used_at
    await verifier.caller_of({"x-api-key": key})
    assert (await ApiKey.objects.aget()).last_used_at == first

    await ApiKey.objects.aupdate(last_used_at=first - timedelta(minutes=2))
    await verifier.caller_of({"x-api-key": key})
    assert (await ApiKey.objects.aget()).last_used_at > first


async def test_a_ticket_is_spent_once_whichever_replica_it_is_shown_to_and_however_many_at_once(threads):
    write, read = threads
    replicas = [Verifier(SECRET, None, write, read), Verifier(SECRET, None, read, read)]  # threads of their own
    ticket = replicas[0].token(Caller("user:ann", "t"), "ticket")
    found = await asyncio.gather(*(replica.spend(ticket) for replica in replicas * 5))

    assert [caller.subject for caller in found if caller] == ["user:ann"]


def test_what_is_made_from_a_sign_in_does_not_outlive_it(verifier):
    soon = time.time() + 100
    caller, _ = caller_of_token(verifier.token(Caller("key:1", "t", until=soon), "bearer"), "bearer", SECRET)
    assert caller.until == soon


def test_a_session_ends_however_often_its_bearer_is_renewed(verifier, monkeypatch):
    caller, now = Caller("user:ann", "t"), time.time()
    for hours in range(SESSION_SECONDS // SECONDS["bearer"]):
        monkeypatch.setattr("time.time", lambda hours=hours: now + hours * SECONDS["bearer"] * 0.99)
        bearer = verifier.token(caller, "bearer")
        caller, _ = caller_of_token(bearer, "bearer", SECRET)

    assert caller.until <= now + SESSION_SECONDS + 1


async def test_the_socket_of_a_key_that_is_revoked_or_limited_is_ended(verifier):
    keys = [await sync_to_async(make_key)(name) for name in ("kept", "revoked", "limited")]
    callers = {caller.name: caller for key in keys if (caller := await verifier.caller_of({"x-api-key": key}))}
    live, ended = Live(5), []

    def goodbye(name):
        async def say():
            ended.append(name)

        return say

    with (
        live._connected("websocket", callers["kept"], goodbye("kept")),
        live._connected("websocket", callers["revoked"], goodbye("revoked")),
        live._connected("websocket", callers["limited"], goodbye("limited")),
        live._connected("websocket", Caller("user:ann", "t", until=time.time() - 1), goodbye("over")),
    ):
        await ApiKey.objects.filter(name="revoked").aupdate(revoked_at=timezone.now())
        await ApiKey.objects.filter(name="limited").aupdate(scopes="read")
        await look_once(live, verifier)
        await sync_to_async(lambda: None)()

    assert sorted(ended) == ["limited", "over", "revoked"]
