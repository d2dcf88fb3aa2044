"""The page at `/` in a real Chromium: what a newcomer does, and what they see."""

import asyncio
import base64
import json
import re

import pytest
from playwright.async_api import expect

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from wellintake.tests.server import KEY, ROOT

pytestmark = [pytest.mark.server, pytest.mark.browser]

SAMPLE = ROOT / "addin" / "samples" / "1-direct-introduction.eml"
MAYA = {
    "full_name": "Maya Lindqvist",
    "email": "maya.lindqvist@harborandpine.example",
    "title": "Senior Wealth Advisor",
    "company_name": "Harbor & Pine Wealth",
    "city": "Portland",
    "state": "OR",
}


async def opened(browser, server, **given):
    """The page; a script error or a violated content policy fails the test."""
    page = await browser.new_page(**given)
    page.mistakes = []
    page.on("pageerror", lambda error: page.mistakes.append(str(error)))
    page.on("console", lambda said: page.mistakes.append(said.text) if "Content Security" in said.text else None)
    await page.goto(server.url)
    return page


async def state_is(page, state, seconds=15):
    await expect(page.get_by_test_id("status")).to_have_attribute("data-state", state, timeout=seconds * 1000)


def field(page, record, name):
    return page.locator(f'[data-testid="field"][data-person="0"][data-record="{record}"][data-field="{name}"]')


def value_of(page, record, name):
    return field(page, record, name).locator("input, textarea")


async def test_a_sample_is_watched_corrected_saved_and_found_in_the_admin(own_server, browser):
    server = own_server()
    page = await opened(browser, server)

    await page.get_by_test_id("sample").first.click()
    await state_is(page, "review")
    await expect(value_of(page, "contact", "email")).to_have_value("maya.lindqvist@harborandpine.example")
    assert await page.locator("mark.evidence").count() > 5
    await value_of(page, "contact", "first_name").fill("Maja")
    await page.get_by_test_id("save").click()
    await state_is(page, "saved")

    assert await page.get_by_test_id("record-link").count() >= 4
    stored = server.manage("shell", "-c", "from zoho.models import Contact; print(Contact.objects.get())").stdout
    assert b"Maja Lindqvist" in stored
    assert page.mistakes == []


async def test_a_model_that_failed_is_asked_again_and_what_it_says_is_taken_or_left(
    own_server, scripted_model, browser
):
    answer = answer_for([MAYA | {"compensation": "$310K"}])
    server = own_server(**scripted_model(answer, "--fault", "refusal", "--failures", 1).settings)
    page = await opened(browser, server)
    await page.get_by_test_id("sample").first.click()
    await state_is(page, "review")

    await page.get_by_test_id("ask-again").click()
    take = page.get_by_role("button", name="Take $310K for Deal, compensation")
    await expect(take).to_be_visible(timeout=15_000)
    await expect(value_of(page, "deal", "compensation")).to_have_value("")
    await take.click()

    await expect(value_of(page, "deal", "compensation")).to_have_value("$310K")
    await expect(value_of(page, "deal", "compensation")).to_be_focused()
    await expect(take).to_have_count(0)
    await page.get_by_test_id("save").click()
    await state_is(page, "saved")
    stored = server.manage("shell", "-c", "from zoho.models import Deal; print(Deal.objects.get().description_of_reqs)")
    assert b"$310K" in stored.stdout
    assert page.mistakes == []


async def test_a_save_is_taken_back_corrected_and_saved_again(own_server, browser):
    server = own_server()
    page = await opened(browser, server)
    await page.get_by_test_id("sample").first.click()
    await state_is(page, "review")
    await page.get_by_test_id("save").click()
    await state_is(page, "saved")

    await page.get_by_test_id("undo").click()
    await state_is(page, "review")

    count = "from zoho.models import Contact, Deal; print(Contact.objects.count(), Deal.objects.count())"
    assert b"0 0" in server.manage("shell", "-c", count).stdout
    await expect(page.get_by_test_id("undo")).to_be_hidden()
    await value_of(page, "contact", "first_name").fill("Maja")
    await page.get_by_test_id("save").click()
    await state_is(page, "saved")
    assert b"1 1" in server.manage("shell", "-c", count).stdout
    assert page.mistakes == []


async def test_a_likely_duplicate_is_shown_beside_what_the_mail_says(own_server, browser):
    server = own_server()
    for title in ("Senior Advisor", "Branch Manager"):
        page = await opened(browser, server)
        form = page.get_by_test_id("paste-form")
        await form.locator("input").nth(0).fill("Ann Lee <ann.lee@firm.example>")
        await form.locator("input").nth(1).fill("Hello")
        await form.locator("textarea").fill(f"I am Ann Lee, {title} at Oak Street Wealth in Austin, TX.")
        await form.locator("button").last.click()
        await state_is(page, "review")
        if title == "Senior Advisor":
            await page.get_by_test_id("save").click()
            await state_is(page, "saved")

    row = page.get_by_test_id("compared").locator("tr", has_text="Title")
    assert await row.locator("td").all_inner_texts() == ["Senior Advisor", "Branch Manager"]
    assert page.mistakes == []


async def test_a_dropped_file_and_pasted_text_start_runs(server, browser):
    page = await opened(browser, server)
    await page.get_by_test_id("file").set_input_files(SAMPLE)
    await state_is(page, "review")
    await page.get_by_test_id("cancel").click()
    await state_is(page, "cancelled")

    page = await opened(browser, server)
    form = page.get_by_test_id("paste-form")
    await form.locator("input").nth(0).fill("Ann Lee <ann.lee@firm.example>")
    await form.locator("input").nth(1).fill("Hello")
    await form.locator("textarea").fill("I am Ann Lee, Branch Manager at Oak Street Wealth in Austin, TX.")
    await form.locator("button").last.click()
    await state_is(page, "review")
    await expect(value_of(page, "contact", "last_name")).to_have_value("Lee")


async def test_a_saved_edit_is_said_again_with_its_date(own_server, browser):
    server = own_server()
    for name, company in (("Jane Roe", "Acme Wealth"), ("Bob Stone", "Acme Partners")):
        page = await opened(browser, server)
        form = page.get_by_test_id("paste-form")
        await form.locator("input").nth(0).fill(f"{name} <{name.split()[0].lower()}@acmewealth.example>")
        await form.locator("input").nth(1).fill("Hello")
        await form.locator("textarea").fill(MAIL["body"].replace("Jane Roe", name))
        await form.locator("button").last.click()
        await state_is(page, "review")
        await expect(value_of(page, "company", "company_name")).to_have_value(company)
        if company == "Acme Wealth":
            await value_of(page, "company", "company_name").fill("Acme Partners")
            await page.get_by_test_id("save").click()
            await state_is(page, "saved")

    said = field(page, "company", "company_name")
    await value_of(page, "company", "company_name").focus()
    await expect(said.locator(".origin")).to_have_text("rule")
    await expect(said.get_by_test_id("learned")).to_have_text(
        re.compile("^From an edit on .+, instead of “Acme Wealth”")
    )
    await said.locator(".alternative").click()
    await expect(value_of(page, "company", "company_name")).to_have_value("Acme Wealth")
    assert page.mistakes == []


async def test_a_newsletter_is_kindly_nothing_to_file(server, browser):
    page = await opened(browser, server)

    await page.get_by_test_id("sample").last.click()

    await state_is(page, "nothing")


async def test_the_server_restarts_in_the_middle_and_the_page_goes_on_by_itself(own_server, scripted_model, browser):
    server = own_server(**scripted_model(answer_for([MAYA]), "--tokens-per-second", 60).settings)
    page = await opened(browser, server)
    await page.get_by_test_id("sample").first.click()
    await state_is(page, "running")
    await expect(value_of(page, "contact", "email")).not_to_have_value("")

    server.kill()
    await state_is(page, "reconnecting", 20)
    server.start()

    await state_is(page, "review", 40)
    await page.get_by_test_id("save").click()
    await state_is(page, "saved")
    assert page.mistakes == []


async def test_without_a_socket_it_takes_the_next_rung_and_says_so(server, browser):
    page = await browser.new_page()
    await page.route_web_socket("**/*", lambda socket: socket.close())
    await page.goto(server.url)

    await page.get_by_test_id("sample").first.click()
    await state_is(page, "review", 30)

    assert "WebSocket" not in (await page.get_by_test_id("rung").text_content() or "")


async def test_a_reload_finds_the_run_again(server, browser):
    page = await opened(browser, server)
    await page.get_by_test_id("sample").first.click()
    await state_is(page, "review")

    await page.reload()

    await state_is(page, "review")
    await expect(value_of(page, "contact", "last_name")).to_have_value("Lindqvist")


async def test_a_hostile_mail_is_only_text(server, browser):
    page = await opened(browser, server)
    evil = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    mail = f"From: {evil} <a@b.example>\nSubject: {evil}\n\nI am Ann Lee {evil}, advisor at {evil} Wealth LLC.\n"

    file = {"name": f"{evil}.eml", "mimeType": "message/rfc822", "buffer": mail.encode()}
    await page.get_by_test_id("file").set_input_files(file)
    await state_is(page, "review")

    assert await page.title() != "pwned"
    assert await page.locator("img[src=x]").count() == 0


async def test_elsewhere_than_on_this_machine_the_page_asks_for_a_key(own_server, browser):
    server = own_server(DEBUG="false")
    page = await opened(browser, server)

    assert await page.locator("input[type=password]").count() == 1


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_runs_out_of_the_page(server, browser, width, scheme):
    page = await opened(browser, server, viewport={"width": width, "height": 800}, color_scheme=scheme)
    await page.get_by_test_id("sample").first.click()
    await state_is(page, "review")

    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_calls_and_the_events_can_be_read(server, browser):
    page = await opened(browser, server)

    await page.goto(f"{server.url}/api/docs/")
    await expect(page.get_by_text("Start a run and stream its log as SSE")).to_be_visible(timeout=15_000)
    await page.goto(f"{server.url}/api/events/")
    await expect(page.get_by_role("heading", name="extraction_field")).to_be_visible()
    assert page.mistakes == []


async def test_chromiums_own_eventsource_reads_a_run_and_reconnects_where_it_was(own_server, scripted_model, browser):
    server = own_server("uvicorn", **scripted_model(answer_for([MAYA]), "--tokens-per-second", 60).settings)
    async with server.client() as http:
        mail = {"raw_base64": base64.b64encode(SAMPLE.read_bytes()).decode(), "mode": "preview"}
        started = (await http.post("/stream/runs", json=mail)).json()
    page = await browser.new_page(bypass_csp=True)  # the test itself evaluates code
    await page.goto(f"{server.url}/stream/health")
    await page.evaluate(
        """address => {
            window.seen = []; window.opened = 0;
            const types = ["extraction_start", "extraction_token", "extraction_field", "validation_start",
                           "validation_result", "research_start", "research_result", "complete", "run_error"];
            const source = new EventSource(address);
            source.onopen = () => window.opened++;
            for (const type of types) source.addEventListener(type, event => {
                window.seen.push(JSON.parse(event.data).sequence);
                if (type === "complete") source.close();
            });
        }""",
        started["links"]["events"],
    )
    await page.wait_for_function("window.seen.length > 20")
    server.kill()
    server.start()
    await page.wait_for_function("window.opened >= 2", timeout=30_000)

    async with asyncio.timeout(40):
        while (state := (await httpx_state(server, started["run_id"])))["state"] != "complete":
            await asyncio.sleep(0.2)
    last = int(state["cursor"].partition(".")[2])
    await page.wait_for_function(f"window.seen.at(-1) === {last}", timeout=20_000)

    assert await page.evaluate("window.seen") == list(range(1, last + 1))


async def httpx_state(server, run_id):
    async with server.client() as http:
        return json.loads((await http.get(f"/stream/runs/{run_id}", headers={"X-API-Key": KEY})).text)
