"""The outbox in the admin: what staff read of a save, and what its buttons do."""

import asyncio
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from extraction.errors import CrmUnavailable
from wellintake.tests.test_memory import admin_of
from wellintake.tests.test_runs import MAIL, office
from wellintake.tests.test_saving import undo
from zoho.models import Deal

__all__ = ["office"]

OUTBOX = "/admin/streaming/savedrun/"


def text_of(page) -> str:
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", page.content.decode(), flags=re.DOTALL).split())


async def staff(office, *permissions: str) -> Client:
    def sign_in():
        user = User.objects.create_user("ann", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return await office.write(sign_in)


async def failed(office) -> str:
    office.crm.before["deal"] = CrmUnavailable()
    run_id = await office.start(MAIL.model_copy(update={"allow_duplicate": True}))
    await office.work()
    return run_id


async def test_the_outbox_tells_what_each_save_came_to_and_filters_by_it(office):
    await office.start(mode="preview")
    await office.start(MAIL.model_copy(update={"subject": "Other", "body": f"{MAIL.body} I like golf."}))
    taken_back = await office.start(MAIL.model_copy(update={"allow_duplicate": True}))
    await office.work()
    await undo(office, taken_back)
    await failed(office)
    admin = await staff(office, "view_savedrun")

    pages = {
        outcome: await office.read(admin.get, OUTBOX, {"outcome": outcome})
        for outcome in ("", "saved", "taken back", "failed", "being saved")
    }

    counts = {outcome: page.context["cl"].result_count for outcome, page in pages.items()}
    assert counts == {"": 3, "saved": 1, "taken back": 1, "failed": 1, "being saved": 0}
    assert "The CRM cannot be reached." in text_of(pages["failed"])


async def test_a_save_shows_its_records_with_key_outcome_and_link_and_no_words_of_the_mail(office):
    run_id = await failed(office)
    admin = await staff(office, "view_savedrun")

    page = await office.read(admin.get, f"{OUTBOX}{run_id}/change/")

    text = text_of(page)
    assert re.search(r"1 1 account created \d+ .*? [0-9a-f]{32}\.0\.account", text)
    assert re.search(r"1 1 contact created", text)
    assert "deal created" not in text
    assert "Jane" not in text
    assert "Try again" not in text
    assert 'value="Take back"' not in page.content.decode()


async def test_the_buttons_try_again_and_take_back(office):
    run_id = await failed(office)
    admin = await staff(office, "change_savedrun")
    page = (await office.read(admin.get, f"{OUTBOX}{run_id}/change/")).content.decode()
    assert [word in page for word in ('value="Try again"', 'value="Take back"')] == [True, True]

    await asyncio.to_thread(admin.post, f"{OUTBOX}{run_id}/retry/")
    assert await office.state(run_id) == "saving"
    await office.worker.process(run_id)
    assert await office.state(run_id) == "complete"

    answer = await asyncio.to_thread(admin.post, f"{OUTBOX}{run_id}/undo/", follow=True)
    assert "It is being taken back." in text_of(answer)
    assert await office.state(run_id) == "undoing"
    await office.worker.process(run_id)

    page = text_of(await office.read(admin.get, f"{OUTBOX}{run_id}/change/"))
    assert await office.state(run_id) == "review"
    assert re.search(r"deal created .*? deleted", page)
    assert await office.read(Deal.objects.count) == 0


async def test_many_saves_are_tried_again_at_once_and_a_refusal_is_told(office):
    run_id = await failed(office)
    admin = await staff(office, "change_savedrun")
    form = {"action": "retry", "_selected_action": [run_id]}

    await asyncio.to_thread(admin.post, OUTBOX, form)
    assert await office.state(run_id) == "saving"
    refused = await asyncio.to_thread(admin.post, OUTBOX, form, follow=True)

    assert "The run is saving; there is nothing to retry." in text_of(refused)


async def test_who_may_only_look_changes_nothing(office):
    run_id = await failed(office)
    admin = await staff(office, "view_savedrun")

    answers = [await asyncio.to_thread(admin.post, f"{OUTBOX}{run_id}/{doing}/") for doing in ("retry", "undo")]
    by_link = await asyncio.to_thread((await staff_again(office, "change_savedrun")).get, f"{OUTBOX}{run_id}/undo/")

    assert [answer.status_code for answer in (*answers, by_link)] == [403, 403, 405]
    assert await office.state(run_id) == "failed"


async def staff_again(office, *permissions: str) -> Client:
    await office.write(lambda: User.objects.all().delete())
    return await staff(office, *permissions)


@pytest.mark.server
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_on_the_real_server_the_button_takes_a_save_back(own_server, kind):
    server = own_server(kind)
    async with server.client() as http, server.client(follow_redirects=True) as admin:
        mail = MAIL.model_dump(exclude_unset=True) | {"mode": "auto"}
        run = (await http.post("/stream/batch/process-email?stream_chunks=false", json=mail)).json()["data"]
        del admin.headers["X-API-Key"]
        await admin_of(server, admin)
        page = f"{OUTBOX}{run['run_id']}/change/"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', (await admin.get(page)).text)[1]

        await admin.post(
            f"{OUTBOX}{run['run_id']}/undo/",
            data={"csrfmiddlewaretoken": token},
            headers={"Referer": server.url + page},
        )
        events = await http.get(
            f"/stream/runs/{run['run_id']}/events?after={run['cursor']}", headers={"Accept": "application/x-ndjson"}
        )

    assert run["state"] == "complete"
    assert '"by":"chief"' in events.text
    assert '"type":"review_ready"' in events.text
