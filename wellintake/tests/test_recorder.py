"""The flight recorder, in a real Chromium against a real server: a run played back, without permission, run again."""

import asyncio
import json
import re

import httpx2
import pytest
from playwright.async_api import expect

from conftest import MAIL, scripted_models
from extraction.prompt import PROMPT_VERSION
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import by_polling, by_sse, connected
from wellintake.tests.server import ROOT, Server

pytestmark = [pytest.mark.server, pytest.mark.browser]

ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"
HOSTILE = MAIL | {
    "subject": f"Role {ATTACK}",
    "body": MAIL["body"] + f"\nMy plan is called Operation Quicksilver. {ATTACK}\n",
}
JANE = {"full_name": "Jane Roe", "email": MAIL["sender_email"], "city": "Fort Wayne", "licenses": ["Series 7"]}
MAKE_USERS = """
from django.contrib.auth.models import Permission, User
User.objects.create_superuser("boss", password="pw")
ann = User.objects.create_user("ann", password="pw", is_staff=True)
ann.user_permissions.set(Permission.objects.filter(codename="view_run"))
User.objects.create_user("bob", password="pw", is_staff=True)
"""
AXE = ROOT / "addin" / "node_modules" / "axe-core" / "axe.min.js"
UNKNOWN = "0193b5a0-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def office(tmp_path_factory, migrated):
    """One server with a model and a signed-up staff, for all of these tests."""
    folder = tmp_path_factory.mktemp("recorder")
    with scripted_models(folder) as start:
        model = start(answer_for([JANE], line=3), "--tokens-per-second", "400")
        prices = {"OPENAI_MODELS": "gpt-5", "OPENAI_PRICES": "gpt-5-mini=1/0.5/4", "OPENAI_CURRENCY": "EUR"}
        server = Server(folder, "uvicorn", **model.settings, **prices)
        server.copy_database_from(migrated)
        server.start()
        server.manage("shell", "-c", MAKE_USERS)
        server.model = model
        yield server
        server.stop()


async def started(server, **mail):
    async with server.client() as http:
        return (await http.post("/stream/runs", json=HOSTILE | mail)).json()["run_id"]


async def saved(server, **mail):
    """A run that was reviewed and saved; its id and its events."""
    run_id = await started(server, **mail)
    (*_, review) = await by_polling(server, run_id)
    async with server.client() as http:
        given = {"corrections": {"allow_duplicate": True}}
        assert (await http.post(f"/stream/runs/{run_id}/save", json=given)).status_code == 202
    await by_polling(server, run_id, after=review["cursor"])
    return run_id, await by_polling(server, run_id)


async def opened(browser, server, path, name="boss", **given):
    """A page of the admin; a script error, an alert or a violated content policy is kept as a mistake."""
    page = await browser.new_page(**given)
    page.mistakes = []
    page.on("pageerror", lambda error: page.mistakes.append(str(error)))
    page.on("dialog", lambda dialog: page.mistakes.append(dialog.message))
    page.on("console", lambda said: page.mistakes.append(said.text) if "Content Security" in said.text else None)
    await page.goto(f"{server.url}/admin/login/?next={path}")
    await page.fill("#id_username", name)
    await page.fill("#id_password", "pw")
    await page.click("[type=submit]")
    return page


async def recorder(browser, server, run_id, at=None, **given):
    page = await opened(browser, server, f"/admin/runs/{run_id}/", **given)
    await is_ready(page)
    if at is not None:
        await page.goto(f"{server.url}/admin/runs/{run_id}/#at={at}")
    return page


async def is_ready(page):
    await expect(page.get_by_test_id("recorder")).to_have_attribute("data-state", "ready", timeout=15_000)


async def shows(page, test_id, text):
    await expect(page.get_by_test_id(test_id)).to_contain_text(text, timeout=15_000)


def place_of(events, kind):
    return next(event["sequence"] for event in events if event["type"] == kind)


async def test_a_run_is_played_stepped_and_scrubbed_and_every_moment_shows_what_was_known_then(browser, office):
    run_id, events = await saved(office)
    page = await recorder(browser, office, run_id)

    await shows(page, "fact-state", "Saved.")
    await shows(page, "fact-prompt-version", PROMPT_VERSION)
    await shows(page, "fact-cost", "EUR")
    await expect(page.get_by_test_id("calls").locator("tr")).to_have_count(4)
    assert re.search(r"\d ms", await page.get_by_test_id("calls").locator("tr").first.inner_text())
    told = "".join(event["data"]["token"] for event in events if event["type"] == "extraction_token")
    await expect(page.get_by_test_id("tokens")).to_have_text(told)

    await page.keyboard.press("Home")
    await shows(page, "moment", "The mail is accepted")
    await shows(page, "fields", "No field yet.")
    await expect(page.get_by_test_id("calls").locator("tr")).to_have_count(0)
    for _ in range(place_of(events, "extraction_field")):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator("[data-testid^=field-]")).to_have_count(1)
    first = events[place_of(events, "extraction_field") - 1]["data"]
    await shows(page, "fields", first["value"])
    await expect(page.locator("mark.evidence")).to_have_text(first["evidence"]["quote"])

    for _ in range(len(events)):  # past the model's text, to the end and not beyond
        await page.keyboard.press("Shift+ArrowRight")
    await shows(page, "moment", f"{len(events)} of {len(events)}")
    await page.get_by_test_id("scrub").fill("0")
    await shows(page, "moment", f"0 of {len(events)}")
    await page.get_by_label("Speed").select_option("16 ×")
    await page.locator("h1").click()
    await page.keyboard.press("Space")
    await shows(page, "moment", f"{len(events)} of {len(events)} ·")
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    await page.get_by_test_id("events").get_by_role("button", name="Ready to review").click()
    await shows(page, "fact-state", "Ready to review.")
    assert page.mistakes == []


async def test_a_link_leads_to_its_moment_and_the_lists_lead_to_the_recorder(browser, office):
    run_id, events = await saved(office)
    page = await opened(browser, office, f"/admin/streaming/run/{run_id}/change/")
    await page.get_by_role("link", name="Replay").click()
    await is_ready(page)
    await page.get_by_test_id("events").get_by_role("button", name="Checking the fields").click()
    at = place_of(events, "validation_start")
    await page.wait_for_url(f"**/#at={at}")

    other = await opened(browser, office, "/admin/")
    await other.goto(page.url)

    await shows(other, "moment", f"{at} of {len(events)} ·")
    await expect(other.get_by_test_id("calls").locator("tr")).to_have_count(0)
    await other.goto(f"{office.url}/admin/streaming/run/")
    await expect(other.get_by_role("link", name="Replay").first).to_be_visible()


async def test_a_save_that_was_taken_back_stands_there_record_by_record_with_its_undo(browser, office):
    run_id, events = await saved(office)
    async with office.client() as http:
        assert (await http.post(f"/stream/runs/{run_id}/undo")).status_code == 202
    await by_polling(office, run_id, after=events[-1]["cursor"])

    page = await recorder(browser, office, run_id)

    await expect(page.get_by_test_id("calls").locator("tr")).to_have_count(8)
    await shows(page, "calls", "Deal deleted")
    await shows(page, "events", "Taking the save back, by")
    await shows(page, "fact-state", "Ready to review.")
    await page.get_by_test_id("events").get_by_role("button", name="Stored: 4 records").click()
    await expect(page.get_by_test_id("calls").locator("tr")).to_have_count(4)
    await expect(page.get_by_test_id("calls")).not_to_contain_text("deleted")


async def test_a_hostile_mail_is_shown_as_the_text_it_is(browser, office):
    run_id, _ = await saved(office)
    page = await recorder(browser, office, run_id)

    mail = page.get_by_role("region", name="The mail")
    await expect(mail).to_contain_text(f"Role {ATTACK}")
    assert await page.locator("#recorder img, #recorder script:not([type='application/json'])").count() == 0
    headers = (await page.request.get(f"{office.url}/admin/runs/{run_id}/")).headers
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert page.mistakes == []


async def test_who_may_not_read_mail_sees_the_run_without_its_words(browser, office):
    run_id, events = await saved(office)
    page = await recorder(browser, office, run_id, name="ann")
    await expect(page.get_by_test_id("withheld")).to_be_visible()
    await shows(page, "fields", "jane.roe@acmewealth.example")
    await shows(page, "field-0.contact.email", "withheld")
    await shows(page, "tokens-note", "withheld")
    assert "Quicksilver" not in await page.content()
    await expect(page.get_by_role("button", name="Run again")).to_have_count(0)
    address = f"{office.url}/admin/runs/{run_id}"
    log = await (await page.request.get(f"{address}/log")).text()
    quotes = [event["data"]["evidence"]["quote"] for event in events if event["data"].get("evidence")]
    assert quotes and "Quicksilver" not in log and '"quote":"' not in log
    assert {event["data"]["token"] for event in json.loads(log)["events"] if event["type"] == "extraction_token"} == {
        ""
    }
    csrf = next(cookie for cookie in await page.context.cookies() if cookie["name"] == "csrftoken")["value"]
    refused = await page.request.post(f"{address}/rerun", headers={"X-CSRFToken": csrf, "Referer": address})
    assert [(await page.request.get(f"{address}/mail")).status, refused.status] == [403, 403]
    assert page.mistakes == []


async def test_reading_a_mail_is_on_record_without_its_words(browser, office):
    run_id, _ = await saved(office)
    looks = "SELECT actor_name FROM streaming_auditentry WHERE action = 'read_mail' ORDER BY id"
    before = office.database.rows(looks)
    await recorder(browser, office, run_id, name="ann")
    page = await recorder(browser, office, run_id)
    await expect(page.locator("mark.evidence").first).to_be_visible()

    async with asyncio.timeout(10):
        while (found := office.database.rows(looks)) == before:
            await asyncio.sleep(0.1)
    assert found == [*before, ("boss",)]


async def test_who_may_not_see_runs_sees_none_and_an_unknown_run_says_so(browser, office):
    run_id, _ = await saved(office)
    for name in ("", "log", "mail", "differences"):
        async with httpx2.AsyncClient(base_url=office.url) as http:
            answer = await http.get(f"/admin/runs/{run_id}/{name}")
        assert (answer.status_code, "/admin/login/" in answer.headers["location"]) == (302, True)

    bob = await opened(browser, office, "/admin/", name="bob")
    statuses = [(await bob.request.get(f"{office.url}/admin/runs/{run_id}/{name}")).status for name in ("", "log")]
    assert statuses == [403, 403]

    page = await opened(browser, office, f"/admin/runs/{UNKNOWN}/")
    await expect(page.get_by_text("There is no run of this name.")).to_be_visible()
    paths = [f"{UNKNOWN}/", f"{UNKNOWN}/log", f"{UNKNOWN}/mail", f"{UNKNOWN}/differences", f"{run_id}/differences"]
    assert {(await page.request.get(f"{office.url}/admin/runs/{path}")).status for path in paths} == {404}


async def test_a_mail_is_run_again_and_what_differs_is_told_field_by_field(browser, office):
    run_id, _ = await saved(office)
    page = await recorder(browser, office, run_id)
    options = page.get_by_test_id("choice").locator("option")
    assert await options.all_inner_texts() == ["what a mail of today gets", "gpt-5-mini", "gpt-5", "the rules alone"]

    await page.get_by_test_id("choice").select_option("the rules alone")
    await page.get_by_role("button", name="Run again").click()
    await page.wait_for_url(re.compile(f"/admin/runs/(?!{run_id})"))
    await is_ready(page)

    await shows(page, "fact-state", "A preview. Nothing was written.")
    await shows(page, "differences-note", "1 gone")
    gone = page.get_by_test_id("difference-0.deal.licenses")
    await expect(gone).to_contain_text("Series 7")
    await page.get_by_text("What is the same").click()
    await shows(page, "difference-0.contact.email", "jane.roe@acmewealth.example")
    assert page.mistakes == []

    await page.get_by_role("link", name="the run before").click()
    await is_ready(page)
    await shows(page, "reruns", "patterns, complete")
    await page.get_by_test_id("choice").select_option("gpt-5")
    await page.get_by_role("button", name="Run again").click()
    await shows(page, "fact-read-by", "gpt-5")
    await shows(page, "differences-note", "0 changed · 0 added · 0 gone")


async def test_a_run_that_goes_on_is_followed_and_its_readers_are_named(browser, office):
    script = f"{office.model.url.removesuffix('/v1')}/scripted"
    httpx2.post(script, json={"tokens_per_second": 20})
    try:
        page = await opened(browser, office, "/admin/")
        run_id = await started(office)
        await page.goto(f"{office.url}/admin/runs/{run_id}/")
        await shows(page, "fact-state", "Reading the mail")
        async with connected(office) as socket:
            await socket.send(json.dumps({"type": "subscribe", "run_id": run_id, "after": None}))
            while json.loads(await socket.recv())["type"] != "extraction_token":
                pass
        await by_sse(office, run_id, after="1.3")

        await shows(page, "fact-state", "Ready to review.")
        await shows(page, "readings", "by WebSocket, from the beginning, for")
        await shows(page, "readings", "again by Server-sent events, behind event 3")
        assert page.mistakes == []
    finally:
        httpx2.post(script, json={"tokens_per_second": 400})


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_narrow_screen_nothing_is_cut_off_and_axe_finds_nothing(browser, office, scheme):
    run_id, _ = await saved(office)
    narrow = {"width": 320, "height": 640}
    page = await recorder(browser, office, run_id, viewport=narrow, color_scheme=scheme, bypass_csp=True)

    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await page.add_script_tag(path=AXE)
    found = "axe.run('#recorder').then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))"
    assert await page.evaluate(found) == []
    await page.get_by_role("button", name="Previous").click()
    await shows(page, "moment", "Stored: 4 records")
