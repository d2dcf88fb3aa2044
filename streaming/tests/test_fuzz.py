"""Whatever a client says on a socket: the contract's answer, in our words; then the server hears the next frame."""

import json
import re
from collections import Counter
from contextlib import suppress

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from extraction.types import Email
from streaming.addresses import Addresses
from streaming.azure.upstream import _record_from
from streaming.live import Live
from streaming.problems import Problem, problem_from
from streaming.transports.hub import _ARGUMENTS as ARGUMENTS
from streaming.transports.hub import END, METHODS, REASONS, EmailHub, Record
from streaming.transports.websocket import _MESSAGE as MESSAGE
from streaming.transports.websocket import MOST_BAD_FRAMES, EmailProcessingConsumer
from wellintake.access.verifier import Verifier
from wellintake.tests.access_table import MESSAGES
from wellintake.tests.test_runs import CALLER, Office

pytestmark = pytest.mark.embedded  # what is said to the database is the same on both

CANARY = "zanzibar"
# What Python says when nobody has caught it, and the names of what we are made of.
GIVEN_AWAY = re.compile(r"Traceback|Error\(|Exception|pydantic|orjson|django|/site-packages/|object at 0x", re.I)
RUN = "01930000-0000-7000-8000-000000000000"

NUMBERS = st.integers(-9, 9) | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**40, 1e308, -0.0])
WORDS = st.text(max_size=12) | st.sampled_from([CANARY, RUN, "1.1", "9.9", "١.١", "a" * 5000, "\x00", "../..", "%s{0}"])
ATOMS = st.none() | st.booleans() | NUMBERS | WORDS


def anything(keys):
    """JSON of any shape. Keys are apart from values: a refusal names what it does not know by its key."""
    return st.recursive(
        ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
    )


NAMES = st.sampled_from(["index", "people", "contact", "filename", "name", "x"])
ANYTHING = anything(WORDS | NAMES)
CURSORS = st.sampled_from([None, "", "1.0", "1.1", "2.0", "1.999999999", "1.-1", "١.١", "1.1 "])
CORRECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "people": st.lists(
            st.fixed_dictionaries(
                {"index": st.integers(-1, 3) | NUMBERS},
                optional={
                    "skip": ATOMS,
                    "contact": st.dictionaries(st.sampled_from(["city", "email", CANARY]), ATOMS, max_size=2),
                },
            ),
            max_size=2,
        ),
        "allow_duplicate": st.booleans(),
    },
)
BASE64 = st.sampled_from(["", "eA==", "?"])
MAILS = st.fixed_dictionaries(
    {"sender_email": WORDS, "subject": WORDS, "body": WORDS},
    optional={
        "mode": st.sampled_from(["review", "auto", "preview", CANARY]),
        "user_corrections": CORRECTIONS,
        "attachments": st.lists(
            st.fixed_dictionaries({"filename": WORDS, "content_base64": st.sampled_from(["", "eA==", "?"])})
        ),
        "to": st.lists(WORDS, max_size=2),
        "raw_email": WORDS,
    },
)
RUNS = st.just(RUN) | WORDS
SAID = {
    "process_email": {"data": MAILS},
    "subscribe": {"run_id": RUNS, "after": CURSORS},
    "unsubscribe": {"run_id": RUNS},
    "save": {"run_id": RUNS, "corrections": CORRECTIONS},
    "cancel": {"run_id": RUNS},
    "ack": {"run_id": RUNS, "sequence": NUMBERS},
    "ping": {},
    "close": {},
}
ASKED = {
    "ProcessEmail": (MAILS,),
    "Subscribe": (RUNS, CURSORS),
    "Unsubscribe": (RUNS,),
    "Save": (RUNS, CORRECTIONS | st.none()),
    "Cancel": (RUNS,),
    "Ack": (RUNS, NUMBERS),
}


@st.composite
def messages(draw):
    """One that means something, with a request id of any kind; half of them with a thing that does not belong there."""
    kind = draw(st.sampled_from(list(SAID)))
    message = {"type": kind, **{name: draw(values) for name, values in SAID[kind].items()}}
    message |= draw(st.fixed_dictionaries({}, optional={"request_id": NUMBERS | WORDS, "acks": st.booleans()}))
    if draw(st.booleans()):
        message[draw(st.sampled_from([*message, CANARY]))] = draw(ANYTHING)
    return message


@st.composite
def records(draw):
    """The same on the hub."""
    target = draw(st.sampled_from(list(ASKED)))
    arguments = [draw(values) for values in ASKED[target]]
    if draw(st.integers(0, 4)) == 0:  # too few, or too many
        arguments = arguments[: draw(st.integers(0, 1))] + draw(st.lists(ATOMS, max_size=3))
    record = {"type": 1, "target": target, "arguments": arguments, "invocationId": "1"}
    if draw(st.booleans()):
        record[draw(st.sampled_from([*record, "streamIds", CANARY]))] = draw(st.integers(0, 9) | ANYTHING)
    return record


@st.composite
def frames(draw, kind, end=""):
    """A message as it is, torn, or no message at all; as text or as bytes."""
    text = json.dumps(draw(kind | ANYTHING) if draw(st.integers(0, 9)) == 0 else draw(kind)) + end
    match draw(st.sampled_from(["whole", "whole", "whole", "torn", "bytes", "noise"])):
        case "torn":
            at = draw(st.integers(0, len(text)))
            return text[:at] + draw(st.sampled_from(["", '"', "}", "\\ud800", "[" * 2000, END, "\x00"])) + text[at:]
        case "bytes":
            return text.encode()
        case "noise":
            return draw(st.binary(max_size=40)) + end.encode()
    return text


class Wire:
    """One connection, without a network: what the server says is kept in `said`."""

    def __init__(self, kind, office):
        verifier = Verifier("s" * 40, None, office.write, office.read, None)
        self.socket = kind(office.runs, Live(20), Addresses(None, verifier, None))
        self.socket.scope = {
            "type": "websocket",
            "caller": CALLER,
            "address": "192.0.2.1",
            "subprotocols": [],
            "headers": [],
        }
        self.socket.base_send = self._keep
        self.run, self.said, self.closed = office.run, [], None

    async def _keep(self, message):
        if message["type"] == "websocket.send":
            self.said.append(message["text"])
        elif message["type"] == "websocket.close":
            self.closed = message["code"]

    async def says(self, frame):
        """Say it, of a run that there is; everything the server has said since."""
        before = len(self.said)
        if isinstance(frame, bytes):
            await self.socket.receive(bytes_data=frame.replace(RUN.encode(), self.run.encode()))
        else:
            await self.socket.receive(text_data=frame.replace(RUN, self.run))
        return self.said[before:]


@pytest.fixture
async def office(log, threads):
    """With a run in review, to be read, saved and cancelled."""
    office = Office(log, threads)
    office.run = await office.start(mode="review")
    await office.work()
    return office


fuzzed = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@fuzzed
@given(st.lists(frames(messages()), max_size=6))
@example([f'{{"type": "cancel", "run_id": "x", "request_id": {10**40}}}'])  # once more than could be said back
async def test_every_frame_on_the_websocket_has_an_answer_of_the_contract(office, sent):
    wire = Wire(EmailProcessingConsumer, office)
    await wire.socket.connect()
    bad = 0
    for frame in sent:
        if wire.closed:
            break
        for text in await wire.says(frame):
            told = json.loads(text)
            assert not GIVEN_AWAY.search(text), text
            if told["sequence"]:
                continue  # an event of a run that this client has started
            assert told["type"] in ("accepted", "pong", "error", "bye"), text
            if told["type"] == "error":
                bad += 1
                assert set(told["data"]) == {"request_id", "code", "message", "errors"}
                assert told["data"]["code"] != "internal" and told["data"]["message"]
    if wire.closed is None:
        assert [json.loads(text)["type"] for text in await wire.says('{"type": "ping"}')][-1:] == ["pong"]
    else:
        assert wire.closed == 1000 or (wire.closed == 4400 and bad >= MOST_BAD_FRAMES)
    await wire.socket.disconnect(1000)


@fuzzed
@given(st.lists(frames(records(), END), max_size=6))
async def test_every_record_on_the_hub_has_an_answer_of_the_protocol(office, sent):
    wire = Wire(EmailHub, office)
    await wire.socket.connect()
    await wire.says('{"protocol":"json","version":1}' + END)
    for frame in sent:
        if wire.closed:
            break
        for record in "".join(await wire.says(frame)).split(END)[:-1]:
            told = json.loads(record)
            assert not GIVEN_AWAY.search(record), record
            assert told["type"] in (1, 3, 6, 7), record
            if told["type"] == 3:
                assert ("result" in told) != ("error" in told) and told["invocationId"] is not None
    if wire.closed is None:
        ping = await wire.says('{"type":1,"invocationId":"last","target":"Unsubscribe","arguments":["x"]}' + END)
        assert '"invocationId":"last"' in "".join(ping)
    else:
        assert wire.closed in (1000, 4400) and wire.closed in REASONS
    await wire.socket.disconnect(1000)


@fuzzed
@given(frames(st.just({"protocol": "json", "version": 1}) | records(), END))
async def test_every_handshake_is_taken_or_refused(office, first):
    wire = Wire(EmailHub, office)
    await wire.socket.connect()
    said = await wire.says(first)
    assert said and not GIVEN_AWAY.search("".join(said))
    assert said[0] == "{}" + END or wire.closed == 4400
    await wire.socket.disconnect(1000)


@fuzzed
@given(frames(records()))
def test_every_message_that_azure_hands_on_is_a_record_or_refused(content):
    body = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    request = RequestFactory().post("/?", body, content_type="application/json")
    request.META["CONTENT_TYPE"] = request.content_type = "application/json"  # the factory names none for no body
    try:
        _record_from(request)
    except Problem as problem:
        assert (problem.status, problem.code) == (400, "malformed")


@fuzzed
@given(st.dictionaries(st.sampled_from(sorted(Email.model_fields)), anything(NAMES) | st.just(CANARY * 2000)))
def test_whatever_fields_are_given_they_pass_or_are_named_without_what_they_held(given):
    try:
        email = Email.model_validate(given)
    except ValidationError as error:
        problem = problem_from(error)
        assert problem.status in (400, 413, 422)
        told = json.dumps([problem.detail, problem.errors])
        assert CANARY not in told and "pydantic" not in told and "Traceback" not in told
    else:
        assert Email.model_validate_json(email.model_dump_json(exclude_unset=True)) == email  # as it is kept


@pytest.mark.parametrize(("kind", "known"), [(messages, SAID), (records, ASKED)])
def test_what_is_fuzzed_means_something_often_enough(kind, known):
    """A fuzzer that never gets past the first check proves nothing."""
    understood = Counter()

    @settings(max_examples=200, derandomize=True, database=None, deadline=None)
    @given(kind())
    def say(message):
        with suppress(ValueError, KeyError):
            if known is SAID:
                understood[MESSAGE.validate_json(json.dumps(message)).type] += 1
            else:
                record = Record.model_validate_json(json.dumps(message))
                ARGUMENTS[record.target].validate_python(tuple(record.arguments))
                understood[record.target] += 1

    say()
    assert set(understood) == set(known) and understood.total() > 40, understood


def test_every_message_and_method_is_fuzzed():
    assert (set(SAID), set(ASKED)) == (set(MESSAGES), set(METHODS))
