"""The add-in's pane in the simulator, in a real Chromium: the whole story, and what goes wrong in Outlook."""

import asyncio
import json
import re
import uuid

import pytest
from playwright.async_api import expect

from streaming.tests.azure_stand_in import AzureStandIn, Weather
from wellintake.tests.fake_tenant import CLIENT, TENANT, FakeTenant
from wellintake.tests.server import KEY, ROOT, Server

pytestmark = [pytest.mark.server, pytest.mark.browser]

AXE = (ROOT / "addin" / "node_modules" / "axe-core" / "axe.min.js").read_text
BODY = "I am {name}, {title} at Oak Street Wealth in Austin, TX. I manage $120M. My cell is 512-555-0{number}."


@pytest.fixture(scope="module")
def served(tmp_path_factory, migrated):
    """A server for the tests of this file; their mails are each another one."""
    server = Server(tmp_path_factory.mktemp("pane"), "daphne", MAX_RUNS_PER_USER="500", MAX_CONNECTIONS_PER_USER="60")
    server.copy_database_from(migrated)
    yield server.start()
    server.stop()


class Outlook:
    """The simulator's page as a user sees it; a script error or a violated content policy is a mistake."""

    def __init__(self, page):
        self.page = page
        self.mistakes = []
        page.on("pageerror", lambda error: self.mistakes.append(str(error)))
        page.on("console", lambda said: self.mistakes.append(said.text) if "Content Security" in said.text else None)

    @property
    def pane(self):
        return self.page.frame_locator('[data-testid="pane"]')

    async def fault(self, **faults):
        await self.page.evaluate("faults => Object.assign(simulator.faults, faults)", faults)

    async def receive(self, select=True, **mail):
        """A mail comes in, and is selected."""
        whole = {"itemId": str(uuid.uuid4()), "internetMessageId": f"<{uuid.uuid4()}@firm.example>", **mail}
        await self.page.evaluate("mail => simulator.add(mail)", {**MAIL, **whole})
        if select:
            await self.page.get_by_test_id("mail").last.click()

    async def press_intake(self):
        await self.page.get_by_test_id("intake").click()

    async def state_is(self, state, seconds=15):
        await expect(self.pane.get_by_test_id("status")).to_have_attribute("data-state", state, timeout=seconds * 1000)

    def value(self, record, name, person=0):
        where = f'[data-testid="field"][data-person="{person}"][data-record="{record}"][data-field="{name}"]'
        return self.pane.locator(where).locator("input, textarea")

    async def says(self, text):
        await expect(self.pane.get_by_test_id("problem")).to_contain_text(text, timeout=20_000)


MAIL = {
    "subject": "Hello",
    "from": {"displayName": "Ann Lee", "emailAddress": "ann.lee@firm.example"},
    "to": [{"displayName": "Dana Whitlock", "emailAddress": "dana.whitlock@wellrecruiting.example"}],
    "cc": [],
    "dateTimeCreated": "2026-11-20T10:00:00Z",
    "html": None,
    "text": BODY.format(name="Ann Lee", title="Branch Manager", number=101),
    "attachments": [],
}


def from_(name, number, title="Branch Manager"):
    """A mail of somebody whom no other test knows."""
    address = f"{name.lower().replace(' ', '.')}@firm{number}.example"
    text = BODY.format(name=name, title=title, number=number).replace("Oak Street", f"Oak {name.split()[1]}")
    return {"from": {"displayName": name, "emailAddress": address}, "text": text}


async def open_outlook(browser, server, **given):
    outlook = Outlook(await browser.new_page(**given))
    await outlook.page.goto(f"{server.url}/addin/simulator/")
    return outlook


@pytest.fixture
async def outlook(browser, served):
    outlook = await open_outlook(browser, served, viewport={"width": 1300, "height": 850})
    yield outlook
    assert outlook.mistakes == []


async def test_one_press_reads_the_mail_and_another_saves_it(outlook):
    await outlook.press_intake()
    await outlook.state_is("review")
    await expect(outlook.value("contact", "email")).to_have_value("maya.lindqvist@harborandpine.example")
    await expect(outlook.pane.get_by_test_id("rung")).to_have_text("WebSocket")
    await expect(outlook.pane.get_by_test_id("timings")).to_contain_text("First field")

    await outlook.value("contact", "first_name").focus()
    await expect(outlook.pane.locator(".field:focus-within q")).to_contain_text("Maya")
    await outlook.value("contact", "first_name").fill("Maja")
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")

    assert await outlook.pane.get_by_test_id("record-link").count() >= 4


async def test_the_keyboard_suffices(outlook):
    await outlook.receive(**from_("Kay Board", 102))
    await outlook.page.get_by_test_id("intake").focus()
    await outlook.page.keyboard.press("Enter")
    await outlook.state_is("review")
    await outlook.value("contact", "first_name").focus()
    await outlook.page.keyboard.press("Control+Enter")
    await outlook.state_is("saved")


async def test_a_pane_that_was_closed_shows_at_once_what_it_knew_and_goes_on(outlook):
    await outlook.receive(**from_("Clo Sed", 103))
    await outlook.press_intake()
    await outlook.state_is("review")
    await outlook.value("contact", "last_name").fill("Sedd")
    await outlook.page.wait_for_timeout(50)
    await outlook.page.get_by_test_id("close-pane").click()

    await outlook.press_intake()
    await outlook.state_is("review")
    await expect(outlook.value("contact", "last_name")).to_have_value("Sedd")
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")


async def test_each_mail_keeps_its_own_result_and_only_a_press_reads_one(outlook):
    await outlook.receive(**from_("One First", 104))
    await outlook.press_intake()
    await outlook.state_is("review")

    await outlook.receive(**from_("Two Second", 105))
    await expect(outlook.pane.get_by_test_id("hint")).to_contain_text("not handed in")
    await outlook.pane.get_by_test_id("read").click()
    await outlook.state_is("review")
    await expect(outlook.value("contact", "last_name")).to_have_value("Second")

    await outlook.page.get_by_test_id("mail").nth(-2).click()
    await expect(outlook.value("contact", "last_name")).to_have_value("First")


async def test_a_mail_that_is_switched_while_it_is_read_never_shows_up_as_the_other(outlook):
    await outlook.receive(**from_("Slow Reader", 106))
    await outlook.receive(select=False, **from_("Quick Switch", 107))
    await outlook.fault(body="silent")
    await outlook.press_intake()
    await expect(outlook.pane.get_by_test_id("cancel")).to_be_visible()
    await outlook.fault(body=None)
    await outlook.page.get_by_test_id("mail").last.click()

    await outlook.pane.get_by_test_id("read").click()
    await outlook.state_is("review")
    await expect(outlook.value("contact", "last_name")).to_have_value("Switch")


async def test_a_stale_pane_never_saves_the_wrong_mail(outlook):
    """Outlook does not say that another mail is open; the item that it hands out is the new one."""
    await outlook.receive(**from_("Stale Item", 108))
    await outlook.press_intake()
    await outlook.state_is("review")
    await outlook.page.evaluate("simulator.mail = simulator.mails[0]")

    await outlook.pane.get_by_test_id("save").click()

    await outlook.says("another mail now, so nothing was saved")
    await expect(outlook.pane.get_by_test_id("subject")).to_contain_text("Exploring a move")


@pytest.mark.parametrize(
    ("faults", "mail", "sentence"),
    [
        ({"body": 9020}, {}, "error 9020"),
        ({}, {"text": ""}, "no text"),
        ({}, {"itemClass": "IPM.Note.SMIME"}, "encrypted"),
    ],
)
async def test_what_outlook_does_not_hand_over_is_said_and_can_be_tried_again(outlook, faults, mail, sentence):
    await outlook.receive(**{**from_("Not Handed", 109), **mail})
    await outlook.fault(**faults)
    await outlook.press_intake()

    await outlook.says(sentence)
    await expect(outlook.pane.get_by_test_id("read")).to_be_visible()
    if faults:
        await outlook.fault(body=None)
        await outlook.pane.get_by_test_id("read").click()
        await outlook.state_is("review")


async def test_without_a_mail_there_is_nothing_to_press(outlook):
    await outlook.page.evaluate("simulator.select(null)")
    await outlook.press_intake()

    await expect(outlook.pane.get_by_test_id("subject")).to_have_text("No mail is open")
    await expect(outlook.pane.get_by_test_id("read")).to_be_hidden()


async def test_what_is_too_large_is_left_out_by_name(outlook):
    small = {"name": "cv.txt", "contentType": "text/plain", "size": 5, "isInline": False, "content": "aGVsbG8="}
    await outlook.receive(
        **from_("Big File", 110), attachments=[small, {**small, "name": "huge.pdf", "size": 25_000_000}]
    )
    await outlook.press_intake()
    await outlook.state_is("review")

    await expect(outlook.pane.get_by_test_id("left-out")).to_contain_text("huge.pdf")
    await expect(outlook.pane.locator(".files")).to_contain_text("cv.txt")


async def test_a_duplicate_is_refused_until_the_user_means_it(outlook):
    for attempt in range(2):
        await outlook.receive(**from_("Dup Licate", 111))
        if attempt == 0:
            await outlook.press_intake()
        else:
            await outlook.pane.get_by_test_id("read").click()
        await outlook.state_is("review")
        await outlook.pane.get_by_test_id("save").click()
        if attempt == 0:
            await outlook.state_is("saved")
    await outlook.says("already holds this deal")
    await expect(outlook.pane.get_by_test_id("save")).to_have_text("Save all the same")
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")


async def test_a_mail_that_was_saved_before_says_since_when_and_by_whom(outlook):
    await outlook.receive(**from_("Seen Before", 112))
    await outlook.press_intake()
    await outlook.state_is("review")
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")

    await outlook.pane.get_by_test_id("new").click()

    await expect(outlook.pane.get_by_test_id("status")).to_contain_text(
        re.compile(r"Already in the CRM since .+, by \S")
    )


async def test_a_save_is_taken_back(outlook):
    await outlook.receive(**from_("Undo Me", 113))
    await outlook.press_intake()
    await outlook.state_is("review")
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")
    await outlook.pane.get_by_test_id("undo").click()
    await outlook.state_is("review")


async def test_a_save_that_the_server_refused_can_be_pressed_again(outlook):
    await outlook.receive(**from_("Try Again", 114))
    await outlook.press_intake()
    await outlook.state_is("review")
    problem = {"title": "Busy", "detail": "Too many at once. Please try again in a moment.", "status": 429}
    await outlook.page.route("**/save", lambda route: route.fulfill(status=429, json=problem))
    await outlook.pane.get_by_test_id("save").click()
    await outlook.says("Too many at once")

    await outlook.page.unroute("**/save")
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")


async def test_nobody_to_file_is_said_kindly(outlook):
    await outlook.page.get_by_test_id("mail").last.click()  # the newsletter
    await outlook.press_intake()
    await outlook.state_is("nothing")
    await expect(outlook.pane.get_by_test_id("nothing")).to_contain_text("Nothing to file")


async def test_several_candidates_are_cards_and_some_can_be_left_out(outlook):
    text = (
        "Three people you should know:\n\n1) Ida Moss, Senior Advisor at Fern Wealth in Boise, ID. ida@fern.example\n\n"
        "2) Tom Reed, Branch Manager at Fern Wealth in Boise, ID. tom@fern.example\n\n"
        "3) Una Vale, Planner at Fern Wealth in Boise, ID. una@fern.example\n\nI recommend them.\n\nAnn"
    )
    await outlook.receive(text=text)
    await outlook.press_intake()
    await outlook.state_is("review")
    await expect(outlook.pane.get_by_test_id("person")).to_have_count(3)

    await outlook.pane.get_by_test_id("file-person").nth(1).uncheck()
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")
    await expect(outlook.pane.get_by_test_id("status")).not_to_contain_text("12 records")


async def test_a_hostile_mail_is_text_everywhere(outlook):
    script = "<img src=x onerror=document.title='owned'>"
    file = {"name": f"{script}.txt", "contentType": "text/plain", "size": 5, "isInline": False, "content": "aGVsbG8="}
    mail = from_("Hos Tile", 115)
    await outlook.receive(
        **mail | {"subject": script, "html": f"<script>document.title='owned'</script>{script}<p>{mail['text']}</p>"},
        attachments=[file],
    )
    await outlook.press_intake()
    await outlook.state_is("review")

    assert await outlook.page.title() == "Well Intake in a simulated Outlook"
    assert await outlook.pane.locator("body").evaluate("body => body.ownerDocument.title") == "Well Intake"
    assert await outlook.pane.locator("img").count() == 0


async def test_quick_save_tells_the_outcome_in_the_mails_notification_bar(outlook):
    await outlook.receive(**from_("Quick Save", 116))
    await outlook.page.get_by_test_id("quick-save").click()
    await expect(outlook.page.get_by_test_id("bar")).to_have_text(
        re.compile(r"Quick Save: \d records are in the CRM\."), timeout=20_000
    )

    await outlook.page.get_by_test_id("mail").nth(5).click()
    await outlook.page.get_by_test_id("quick-save").click()
    await expect(outlook.page.get_by_test_id("bar")).to_contain_text("Nothing to file", timeout=20_000)


ENGLISH = """async () => {
    const [{default: english}, {default: spanish}] = await Promise.all(
        ["en", "es"].map(name => import(`/static/addin/texts/${name}.js`)));
    const foreign = new Set(Object.keys(english).filter(key => english[key] !== spanish[key]).map(key => english[key]));
    const spoken = [...document.body.querySelectorAll("*")].flatMap(one => [
        ...[...one.childNodes].filter(({nodeType}) => nodeType === 3).map(({data}) => data.trim()),
        one.title, one.getAttribute("aria-label"), one.placeholder]);
    return [document.documentElement.lang, spoken.filter(words => foreign.has(words))];
}"""


async def test_an_outlook_that_speaks_spanish_has_a_pane_and_commands_that_do(outlook):
    await outlook.receive(**from_("Ana Ruiz", 120))
    await outlook.page.get_by_test_id("language").select_option("es-ES")
    await outlook.press_intake()
    await outlook.state_is("review")
    await expect(outlook.pane.get_by_test_id("status")).to_have_text(
        "Listo para revisar. Todavía no se ha escrito nada."
    )
    assert await outlook.page.frames[-1].evaluate(ENGLISH) == ["es", []]

    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")
    await expect(outlook.pane.get_by_test_id("status")).to_have_text(re.compile(r"Guardado\. Hay \d registros"))
    assert await outlook.page.frames[-1].evaluate(ENGLISH) == ["es", []]

    await outlook.page.get_by_test_id("mail").nth(5).click()  # the newsletter
    await outlook.pane.get_by_test_id("read").click()
    await expect(outlook.pane.get_by_test_id("nothing")).to_contain_text("no presenta a nadie")
    await outlook.page.get_by_test_id("quick-save").click()
    await expect(outlook.page.get_by_test_id("bar")).to_contain_text("Nada que registrar", timeout=20_000)

    await outlook.page.get_by_test_id("language").select_option("en-US")  # the pane is opened anew
    await expect(outlook.pane.get_by_test_id("nothing")).to_contain_text("Nobody outside the firm")


async def test_a_key_is_asked_for_once_and_a_wrong_one_is_said(browser, tmp_path, migrated):
    server = Server(tmp_path, "daphne", DEBUG="false", ALLOWED_HOSTS="127.0.0.1")
    server.copy_database_from(migrated)
    try:
        outlook = await open_outlook(browser, server.start())
        await outlook.press_intake()
        await outlook.pane.get_by_test_id("key").fill("wi_wrong")
        await outlook.page.keyboard.press("Enter")
        await outlook.says("does not know this key")
        await outlook.pane.get_by_test_id("key").fill(KEY)
        await outlook.page.keyboard.press("Enter")
        await outlook.state_is("review")

        await outlook.page.reload()
        await outlook.receive(**from_("Key Kept", 117))
        await outlook.press_intake()
        await outlook.state_is("review")
        kept = await outlook.page.evaluate(
            "JSON.stringify(Object.entries(localStorage).filter(([name]) => name.startsWith('wellintake.mail')))"
        )
        assert KEY not in kept
    finally:
        server.stop()


# Outlook's side of nested app authentication, as Microsoft's own library speaks to it; what it answers, the test says.
BRIDGE = """window.nestedAppAuthBridge = {
    addEventListener(_, hear) { this.hear = hear; },
    async postMessage(text) {
        const {requestId, method, tokenParams: asked} = JSON.parse(text);
        const answer = said => this.hear(JSON.stringify({messageType: "NestedAppAuthResponse", requestId, ...said}));
        const initContext = {sdkName: "test", sdkVersion: "1"};
        if (method === "GetInitContext") return answer({success: true, initContext});
        const token = await window.microsoft(method, asked.clientId, asked.scope);
        if (!token) return answer({success: false, error: {status: "USER_INTERACTION_REQUIRED"}});
        const account = {environment: "login.microsoftonline.com", username: "ann@firm.example",
                         homeAccountId: "ann.firm", localAccountId: "ann", tenantId: "firm"};
        const lasting = {expires_in: 3600, properties: null};
        answer({success: true, account, token: {access_token: token, id_token: token, ...lasting}});
    },
};"""


async def test_whoever_is_signed_in_to_office_needs_no_key(browser, tmp_path, migrated):
    with FakeTenant() as tenant:
        entra = {"ENTRA_TENANT_ID": TENANT, "ENTRA_CLIENT_ID": CLIENT, "ENTRA_AUTHORITY": tenant.authority}
        server = Server(tmp_path, "daphne", DEBUG="false", ALLOWED_HOSTS="127.0.0.1", **entra)
        server.copy_database_from(migrated)
        try:
            outlook = await open_outlook(browser, server.start())
            answers, asked = {}, []

            async def microsoft(name, client, scope):
                asked.append((name, client, scope))
                return answers.get(name)

            await outlook.page.expose_function("microsoft", microsoft)
            await outlook.page.add_init_script(BRIDGE)
            await outlook.page.reload()

            await outlook.press_intake()  # an Outlook that lends no session: there is the key
            await expect(outlook.pane.get_by_test_id("key")).to_be_focused()
            await expect(outlook.pane.get_by_test_id("sign-in")).to_be_hidden()
            assert asked == []

            await outlook.page.evaluate("simulator.signsIn = true")
            await (
                outlook.press_intake()
            )  # one that wants to ask its user first: Microsoft's window comes on a press only
            await expect(outlook.pane.get_by_test_id("sign-in")).to_be_focused()
            await outlook.pane.get_by_test_id("sign-in").click()
            await outlook.says("sign-in did not work")
            answers["GetTokenPopup"] = tenant.token()
            await outlook.pane.get_by_test_id("sign-in").click()
            await outlook.state_is("review")

            answers |= {"GetToken": tenant.token(), "GetTokenPopup": None}
            await outlook.receive(**from_("Sig Ned", 121))
            await outlook.press_intake()  # one that knows its user
            await outlook.state_is("review")
            await outlook.pane.get_by_test_id("save").click()
            await outlook.state_is("saved")
            await outlook.receive(**from_("Qui Ckly", 122))
            await outlook.page.get_by_test_id("quick-save").click()
            await expect(outlook.page.get_by_test_id("bar")).to_contain_text("records are in the CRM", timeout=20_000)

            assert {one[1:] for one in asked} == {(CLIENT, f"{CLIENT}/access_as_user")}
            stored = await outlook.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
            assert answers["GetToken"] not in stored
            assert outlook.mistakes == []
        finally:
            server.stop()


BLOCKED = {
    "sse": {"websocket"},
    "ndjson": {"websocket", "text/event-stream"},
    "polling": {"websocket", "text/event-stream", "application/x-ndjson"},
}


@pytest.mark.parametrize("rung", BLOCKED)
async def test_every_rung_of_the_ladder_tells_the_whole_story(outlook, rung):
    blocked = BLOCKED[rung]
    await outlook.page.route_web_socket("**/stream/ws/**", lambda socket: socket.close())
    await outlook.page.route(
        "**/events?**",
        lambda route: route.abort() if route.request.headers.get("accept") in blocked else route.continue_(),
    )
    await outlook.receive(**from_("Lad Der", 120 + len(blocked)))
    await outlook.press_intake()
    await outlook.state_is("review")
    await expect(outlook.pane.get_by_test_id("rung")).to_have_attribute("data-rung", rung)
    await outlook.pane.get_by_test_id("save").click()
    await outlook.state_is("saved")


async def test_azure_loses_doubles_and_reorders_and_goes_away_and_the_pane_tells_the_whole_story(
    browser, tmp_path, migrated
):
    async with AzureStandIn.serving() as azure:
        server = Server(tmp_path, "uvicorn", AZURE_SIGNALR_CONNECTION_STRING=azure.connection_string)
        server.copy_database_from(migrated)
        try:
            outlook = await open_outlook(browser, await asyncio.to_thread(server.start))
            rung = outlook.pane.get_by_test_id("rung")
            for number, weather in enumerate(
                (Weather(), Weather(drop=0.4, double=0.4, reorder=0.4), Weather(down=True))
            ):
                azure.weather = weather
                if weather.down:
                    azure.cut()
                await outlook.receive(**from_(f"Azu Re{number}", 150 + number))
                await outlook.press_intake()
                await outlook.state_is("review", 30)
                await expect(outlook.value("contact", "last_name")).to_have_value(f"Re{number}")
                await expect(rung).to_have_attribute("data-rung", "websocket" if weather.down else "signalr")
                await outlook.pane.get_by_test_id("save").click()
                await outlook.state_is("saved", 30)
            assert [azure.strays, outlook.mistakes] == [[], []]
        finally:
            server.stop()


async def test_a_server_that_is_restarted_and_a_network_that_goes_away_cost_nothing(browser, tmp_path, migrated):
    server = Server(tmp_path, "daphne")
    server.copy_database_from(migrated)
    try:
        outlook = await open_outlook(browser, server.start())
        await outlook.press_intake()
        await outlook.state_is("review")
        server.kill()
        await outlook.state_is("reconnecting")
        await asyncio.to_thread(server.start)
        await outlook.state_is("review", 30)

        await outlook.page.context.set_offline(True)
        await outlook.pane.get_by_test_id("save").click()
        await outlook.says("cannot be reached")
        await outlook.page.context.set_offline(False)
        await outlook.state_is("review", 30)
        await outlook.pane.get_by_test_id("save").click()
        await outlook.state_is("saved")
        assert outlook.mistakes == []
    finally:
        server.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(browser, served, scheme):
    outlook = await open_outlook(browser, served, color_scheme=scheme)
    await outlook.receive(**from_("Ax Core", 118 if scheme == "light" else 119))
    await outlook.press_intake()
    await outlook.state_is("review")
    frame = outlook.page.frames[-1]
    for state in ("review", "saved"):
        await outlook.state_is(state)
        frame = next(frame for frame in outlook.page.frames if frame.url.endswith("taskpane.html"))
        await frame.evaluate(AXE("utf-8"))
        found = await frame.evaluate(
            "axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes.length]))"
        )
        assert found == [], json.dumps(found)
        if state == "review":
            await outlook.pane.get_by_test_id("save").click()
