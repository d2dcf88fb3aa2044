"""Mail text, personal data, keys and tokens never reach a log, a metric, an address or an error.

Every field of a mail holds words of its own, so that whatever leaks says which it was.
"""

import asyncio
import base64
import json
import logging
from uuid import UUID

import httpx2
import pytest
import websockets

from extraction.tests.scripted_openai import answer_for
from extraction.types import Extraction
from streaming.requests import endpoint
from streaming.tests.reading import PROTOCOL, by_sse, by_websocket, connected, ticket
from streaming.tests.test_fuzz import Wire
from streaming.transports.websocket import EmailProcessingConsumer
from streaming.worker import RunWorker
from wellintake.observability import formatter
from wellintake.tests.server import DISTRIBUTED, KEY
from wellintake.tests.test_access_sockets import END
from wellintake.tests.test_runs import MAIL, Office
from wellintake.tests.test_zoho import MAKE_STAFF, settings_for
from zoho.tests.fake_zoho import FakeZoho

FILE = "Yellowhammer: what I earn."
CONTENT = base64.b64encode(FILE.encode()).decode()
EVERY_FIELD = {
    "sender_email": "quill@zebedee.example",
    "sender_name": "Zebedee Quillfeather",
    "reply_to": "Rutabaga <rutabaga@zebedee.example>",
    "to": ["Tamarind <tamarind@wellrecruiting.example>"],
    "cc": ["Cassowary <cassowary@elsewhere.example>"],
    "subject": "Zanzibar move",
    "body": "Hello,\n\nmy name is Zebedee Quillfeather, I am a Senior Thaumaturgist at Oubliette Wealth in Fort Wayne, "
    "Indiana.\nI manage $120M AUM. Call me on (260) 555-0187.\nMy plan is called Operation Quicksilver.\n",
    "internet_message_id": "<mugwump@zebedee.example>",
    "conversation_id": "Conundrum",
    "attachments": [{"filename": "Xylograph.txt", "content_type": "text/plain", "content_base64": CONTENT}],
    "user_context": {"name": "Wombat Recruiter", "email": "wombat@wellrecruiting.example"},
}
CORRECTIONS = {"people": [{"index": 0, "contact": {"city": "Kumquatville", "phone": "+12605550166"}}]}
WORDS = """
    quill zebedee quillfeather rutabaga tamarind cassowary zanzibar thaumaturgist oubliette 555-0187 5550187 quicksilver
    mugwump conundrum xylograph yellowhammer wombat kumquatville 5550166
    idempotent-okapi wrong-password-ocelot nosy-narwhal
""".split()
WORDS.append(CONTENT[:20])


def found(text, *more):
    return [word for word in [*WORDS, *more] if word.lower() in text.lower()]


class Heard:
    """All that came back over HTTP and is no answer to the question: addresses, headers, and whole refusals."""

    def __init__(self):
        self.refusals, self.headers = [], []

    async def note(self, response):
        self.headers += [f"{response.request.url} {response.headers}"]
        if response.status_code >= 400:
            await response.aread()
            self.refusals.append((response.status_code, response.text))


@pytest.mark.server
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_the_whole_story_leaves_no_word_of_a_mail_in_logs_metrics_errors_and_addresses(
    own_server, scripted_model, kind
):
    model = scripted_model(answer_for([{"full_name": "Zebedee Quillfeather"}]), "--fault", "cut")
    heard = Heard()
    async with FakeZoho.serving() as zoho:
        given = {**model.settings, **settings_for(zoho), "RESEARCH": "on", "RESEARCH_TIMEOUT": "0.2"}
        server = await asyncio.to_thread(own_server, kind, LOG_LEVEL="DEBUG", **given)
        async with server.client(event_hooks={"response": [heard.note]}) as http:
            staff = asyncio.to_thread(server.manage, "shell", "-c", MAKE_STAFF)
            tokens, _ = await asyncio.gather(_intake(server, http, zoho), staff)
            await _refused(server, http, heard)
            metrics = [await http.get("/stream/metrics"), await http.get("/metrics")]
        told_on_sockets = await _on_sockets(server, tokens)
        await _in_the_admin(server, heard)
    server.stop()

    assert {one.status_code for one in metrics} == {200}
    assert found("".join(one.text for one in metrics), *tokens) == []
    assert {status for status, _ in heard.refusals} >= {400, 404, 409, 422, 500}
    assert found("".join(text for _, text in heard.refusals), *tokens) == []
    assert found("".join(heard.headers), KEY) == []
    assert found("".join(told_on_sockets), *tokens) == []
    log = server.log.read_text()
    assert found(log, *tokens) == []
    # What has gone wrong is there all the same, by kind and place.
    assert "view_failed" in log and "run_failed" in log and "ValidationError" in log


async def _intake(server, http, zoho):
    """A mail by every door and to every end; what it was read and shown with."""
    spent = ticket(server)
    once = {"Idempotency-Key": "idempotent-okapi"}
    started = (await http.post("/stream/runs", json=EVERY_FIELD, headers=once)).json()
    run = f"/stream/runs/{started['run_id']}"
    await by_sse(server, started["run_id"])
    token = started["links"]["events"].partition("access_token=")[2]
    await http.get(f"{run}/events?access_token={token}")
    zoho.fail("refused", on="POST /Contacts", details={"api_name": "Email", "value": "nosy-narwhal"})
    saved = await http.post(f"{run}/save", json={"corrections": CORRECTIONS})
    assert saved.status_code == 202
    await by_websocket(server, started["run_id"], after="1.1")
    await http.get(f"{run}/mail")
    preview = EVERY_FIELD | {"mode": "preview"}
    lines = (await http.post("/stream/batch/process-email", json=preview)).text.splitlines()
    assert json.loads(lines[-1])["type"] == "complete"
    batch = {"emails": [preview, preview | {"subject": "Zanzibar"}]}
    await http.post("/stream/batch/process-email?stream_chunks=false", json=batch)
    again = EVERY_FIELD | {"internet_message_id": "<mugwump2@zebedee.example>", "user_corrections": CORRECTIONS}
    legacy = await http.post("/intake/email", json=again)
    assert legacy.status_code == 200
    await http.get(f"/intake/email/status/{legacy.headers['X-Run-Id']}")
    for deed in ("undo", "cancel", "retry"):
        await http.post(f"/stream/runs/{legacy.headers['X-Run-Id']}/{deed}")
    rerun = (await http.post(f"{run}/rerun", json={"engine": "patterns"})).json()
    await by_sse(server, rerun["run_id"])
    await _break_its_result(server, started["run_id"], rerun["run_id"])
    return [KEY, spent, token, ticket(server)]


async def _break_its_result(server, *runs):
    """From here on reading these runs' results is a bug whose exception quotes them."""
    for run_id in runs:
        key = run_id if DISTRIBUTED else run_id.replace("-", "")
        broken = '{"people": "Quicksilver", "intent": "Zebedee"}'
        of_run = f"name = 'validated' AND run_id = '{key}'"
        server.database.change(f"UPDATE streaming_step SET result = '{broken}' WHERE {of_run}")
        server.database.change(f"UPDATE streaming_run SET state = 'review', closed = false WHERE id = '{key}'")


async def _refused(server, http, heard):
    run_id = (await http.post("/stream/runs", json=EVERY_FIELD)).json()["run_id"]  # the first one: its result is broken
    assert (await http.post(f"/stream/runs/{run_id}/save", json={"corrections": {}})).status_code == 500
    for path in ("/stream/runs", "/intake/email", "/stream/sse/process-email", "/stream/batch/process-email"):
        for wrong in ({"mode": "Quicksilver"}, {"body": 7}, {"attachments": [{"content_base64": "Yellowhammer"}]}):
            await http.post(path, json=EVERY_FIELD | wrong)
        await http.post(path, content=json.dumps(EVERY_FIELD)[:-9], headers={"Content-Type": "application/json"})
        headers = {"Idempotency-Key": "idempotent-okapi"}
        await http.post(path, json=EVERY_FIELD | {"mode": "preview"}, headers=headers)
    await http.get(f"/stream/runs/{run_id}/events", headers={"Last-Event-ID": "Zanzibar"})
    await http.post(f"/stream/runs/{run_id}/save", json={"corrections": {"people": [{"index": "Kumquatville"}]}})
    await http.get("/stream/runs/00000000-0000-7000-8000-000000000000", headers={"X-Request-Id": "Zanzibar"})


async def _on_sockets(server, tokens):
    """What both sockets say to messages at fault."""
    told = []
    address = f"ws://127.0.0.1:{server.port}/stream/ws/email-processing?access_token={tokens[1]}"
    async with connected(server, subprotocols=[PROTOCOL], address=address) as socket:
        await socket.recv()
        for data in (EVERY_FIELD | {"mode": "Quicksilver"}, {"subject": ["Zanzibar"]}):
            await socket.send(json.dumps({"type": "process_email", "data": data}))
            told.append(await socket.recv())
    hub = f"ws://127.0.0.1:{server.port}/stream?id={tokens[3]}"
    async with websockets.connect(hub, proxy=None) as socket:
        await socket.send('{"protocol":"json","version":1}' + END)
        for arguments in ([EVERY_FIELD | {"mode": "Quicksilver"}], ["Zanzibar"], []):
            record = {"type": 1, "target": "ProcessEmail", "arguments": arguments, "invocationId": "1"}
            await socket.send(json.dumps(record) + END)
        while sum('"type":3' in text for text in told) < 3:
            told.append(await socket.recv())
    return told


async def _in_the_admin(server, heard):
    """A failed log-in, and a page whose bug nobody of ours catches: Django tells its log of it."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=30, event_hooks={"response": [heard.note]}) as http:
        await http.get("/admin/login/")
        for name, password in (("zebedee", "wrong-password-ocelot"), ("zoe", "for-tests")):
            form = {"username": name, "password": password, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            await http.post("/admin/login/?next=/admin/zoho/fieldtarget/", data=form)
        (rerun,) = server.database.rows("SELECT id FROM streaming_run WHERE rerun_of_id IS NOT NULL")[0]
        http.event_hooks = {}  # `DEBUG` shows staff the whole page of a bug; what counts is what the log says
        async with http.stream("GET", f"/admin/runs/{UUID(str(rerun))}/differences") as response:
            assert response.status_code == 500


# ---------------------------------------------------------------- bugs, whose texts quote mails


class Bug(Exception):
    """Of a library that is generous with what it was given."""


def quoting():
    try:
        raise ValueError("Quicksilver")
    except ValueError as error:
        raise ExceptionGroup("Zanzibar", [Bug("Zebedee")]) from error


@pytest.fixture
def log_lines(caplog):
    """Everything that was logged, as the handlers of a server write it."""
    caplog.set_level(logging.DEBUG)
    forms = formatter("console"), formatter("json")
    return lambda: "\n".join(form.format(record) for record in caplog.records for form in forms)


@pytest.mark.django_db(transaction=True)
async def test_a_bug_in_the_work_on_a_run_is_told_by_kind_and_place(log, threads, log_lines):
    async def broken(*given):
        quoting()

    office = Office(log, threads)
    office.worker = RunWorker(office.runs, office.crm, office.write, intake=broken)
    run_id = await office.start(MAIL)
    await office.work()

    page = await office.log.read(run_id)
    assert page.entries[-1].type == "error" and found(page.entries[-1].data) == []
    assert "run_failed" in log_lines() and "Bug" in log_lines() and found(log_lines()) == []


@pytest.mark.django_db(transaction=True)
async def test_a_bug_behind_a_socket_or_a_view_is_told_by_kind_and_place(log, threads, log_lines, rf):
    office = Office(log, threads)
    office.run = ""
    wire = Wire(EmailProcessingConsumer, office)
    await wire.socket.connect()
    wire.socket.hear = lambda text: quoting()
    said = await wire.says("Zanzibar")

    class Views:
        @endpoint("GET")
        async def view(self, request):
            quoting()

    answer = await Views().view(rf.get("/"))

    assert wire.closed == 4500 and found("".join(said)) == []
    assert answer.status_code == 500 and found(answer.content.decode()) == []
    assert "socket_failed" in log_lines() and "view_failed" in log_lines() and found(log_lines()) == []


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_servers_and_libraries_log_of_a_bug_keeps_its_kind_and_place_and_loses_its_words(caplog, form):
    logger = logging.getLogger("daphne.server")
    try:
        quoting()
    except ExceptionGroup as error:
        logger.error("Exception inside application: %s", error, exc_info=error)
        logger.exception("It was %r", "no mail")

        # asyncio's words for a task that nobody has waited for.
        logger.error("Task exception was never retrieved\nfuture: <Task %r>", error, exc_info=error)
    try:
        Extraction.model_validate_json('{"people": "Quicksilver", "intent": "Zebedee"}')
    except ValueError as error:
        logger.error("future: <Task %r>\n%s", error, error, exc_info=error)
        assert "ValidationError" in formatter(form).format(caplog.records.pop()) and found(caplog.text) != []

    for record in caplog.records:
        line = formatter(form).format(record)
        assert found(line) == [] and "Traceback" not in line
        assert "ExceptionGroup at test_privacy.py" in line and "Bug" in line and "ValueError" in line
    assert "no mail" in formatter(form).format(caplog.records[1])


def test_the_words_are_words_of_the_mail():
    """A canary that is nowhere would sing for nobody."""
    said = f"{json.dumps([EVERY_FIELD, CORRECTIONS])} {FILE} 5550187".lower()
    elsewhere = ["idempotent-okapi", "wrong-password-ocelot", "nosy-narwhal"]  # a header, a form, an answer of Zoho's
    assert [word for word in WORDS if word.lower() not in said] == elsewhere
