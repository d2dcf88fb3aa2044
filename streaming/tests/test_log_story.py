"""Whatever happens to hosts, connections and Azure's messages, and in whatever order: what a client holds is a prefix
of the log, in the end the log, and what a worker was told to be written is in it.

Two hosts share a database and a layer. A host that crashes loses all that it has in memory, writes under way included;
its runs are taken over under the next lease, and whoever had them before writes nothing more.
"""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest
from channels.layers import InMemoryChannelLayer
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from extraction.errors import LeaseLost
from extraction.events import ExtractionField
from streaming import tail
from streaming.tests.conftest import complete, new_run, reopened, token, working_log
from streaming.transports import ndjson, polling, sse
from streaming.wire import Cursor

HOSTS = st.sampled_from([0, 1])
CUTS = st.one_of(st.just(1.0), st.floats(0, 1))  # how much of what was sent arrives


def of_sse(text):
    """Envelopes of whole events; one that is cut does not count."""
    whole = text.split("\n\n")[:-1]
    return [json.loads(line.removeprefix("data: ")) for one in whole for line in one.split("\n") if line[:5] == "data:"]


def of_ndjson(text):
    return [one for one in map(json.loads, text.split("\n")[:-1]) if one.get("sequence")]


def frames(items):
    """A socket's: each arrives whole or not at all, which lines do, too."""
    return "".join(f"{item.envelope}\n" for item in items)


WAYS = {"sse": (sse.encode, of_sse), "ndjson": (ndjson.encode, of_ndjson), "websocket": (frames, of_ndjson)}


class Client:
    """The client rule of the contract."""

    def __init__(self):
        self.events = []

    @property
    def cursor(self):
        return Cursor.parse(self.events[-1]["cursor"]) if self.events else None

    def take(self, envelope):
        """Apply the next one, drop what is older. Whether nothing is missing before it."""
        last = len(self.events)
        if envelope["sequence"] == last + 1:
            self.events.append(envelope)
        return envelope["sequence"] <= last + 1


class Story(RuleBasedStateMachine):
    threads = None

    def __init__(self):
        super().__init__()
        self.loop = asyncio.Runner()
        self.layer = InMemoryChannelLayer()
        self.azure = []  # messages under way, each the envelopes of one commit
        self.client = Client()
        self.stream = self.way = self.reads_at = self.pen = self.writes_at = None
        self.zombies = []  # pens of living hosts whose lease is over
        self.told = 0
        self.handed_in, self.promised = [], []  # fields told by this pen; those of any pen that were said to be written

    def run(self, work):
        async def running():
            return await work

        return self.loop.run(running())

    # ------------------------------------------------------------ hosts

    @initialize()
    def begin(self):
        self.hosts = [AsyncExitStack(), AsyncExitStack()]
        self.logs = [self.run(self.start(number)) for number in (0, 1)]
        self.run_id = str(self.run(self.threads[0](new_run)).id)
        self.take_over(0)

    async def start(self, number):
        return await self.hosts[number].enter_async_context(working_log(self.threads, self.layer, self.commit))

    def commit(self, run_id, entries):
        self.azure.append([json.loads(entry.envelope) for entry in entries])

    @rule(number=HOSTS)
    def crash(self, number):
        if self.reads_at == number:
            self.hang_up()
        self.run(self.hosts[number].aclose())
        self.hosts[number] = AsyncExitStack()
        self.logs[number] = self.run(self.start(number))
        self.zombies = [(at, pen) for at, pen in self.zombies if at != number]
        if self.writes_at == number:
            self.pen = self.writes_at = None
            self.handed_in = []

    @rule(number=HOSTS)
    def take_over(self, number):
        if self.pen:
            self.zombies.append((self.writes_at, self.pen))
        self.pen = self.run(reopened(self.logs[number], self.threads, self.run_id))
        self.writes_at = number
        self.handed_in = []

    # ------------------------------------------------------------ writing

    @precondition(lambda self: self.pen)
    @rule(kinds=st.lists(st.sampled_from(["token", "field"]), min_size=1, max_size=4), waits=st.booleans())
    def tell(self, kinds, waits):
        events = [self.event(kind) for kind in kinds]

        async def tell():
            self.pen.tell(*events)
            if waits:
                await self.pen.written()

        self.run(tell())
        self.handed_in += [event.field for event in events if isinstance(event, ExtractionField)]
        if waits:
            self.promised += self.handed_in
            self.handed_in = []

    def event(self, kind):
        self.told += 1
        if kind == "token":
            return token(f"{self.told} ")
        return ExtractionField(
            person=0, record="contact", field=f"f{self.told}", value=str(self.told), confidence=0.9, origin="model"
        )

    @precondition(lambda self: self.zombies)
    @rule()
    def who_has_lost_the_lease_writes_nothing(self):
        _, pen = self.zombies.pop()

        async def tell():
            pen.tell(self.event("field"))
            await pen.written()

        with pytest.raises(LeaseLost):
            self.run(tell())

    # ------------------------------------------------------------ reading

    def hang_up(self):
        if self.stream:
            self.run(self.stream.aclose())
        self.stream = self.reads_at = None

    @rule(number=HOSTS, way=st.sampled_from(sorted(WAYS)))
    def connect(self, number, way):
        self.hang_up()
        self.stream = self.logs[number].follow(self.run_id, self.client.cursor, keepalive=0.01)
        self.way, self.reads_at = WAYS[way], number

    @precondition(lambda self: self.stream)
    @rule(share=CUTS)
    def read(self, share):
        encode, parse = self.way
        items = self.run(anext(self.stream))
        text = encode(items) if items else ""
        for envelope in parse(text[: int(len(text) * share)]):
            assert self.client.take(envelope)  # a stream that begins at the cursor has no gap
        if share < 1:
            self.hang_up()

    @rule(number=HOSTS)
    def poll(self, number):
        async def page():
            found = await self.logs[number].read(self.run_id, len(self.client.events))
            at = found.entries[-1].cursor if found.entries else Cursor(1, len(self.client.events))
            return json.loads(polling.encode(found.run, found.entries, at, False))

        for envelope in self.run(page())["events"]:
            assert self.client.take(envelope)

    @rule(
        which=st.integers(0, 9), fate=st.sampled_from(["arrives", "arrives", "is lost", "arrives twice"]), number=HOSTS
    )
    def a_message_of_azure(self, which, fate, number):
        """In any order: the service promises none."""
        if not self.azure:  # no precondition: whether a write is done by now is a matter of time
            return
        message = self.azure.pop(which % len(self.azure))
        for envelope in {"arrives": message, "is lost": [], "arrives twice": message * 2}[fate]:
            if not self.client.take(envelope):
                self.poll(number)

    # ------------------------------------------------------------ what holds

    @invariant()
    def the_client_holds_a_prefix_of_the_log(self):
        if hasattr(self, "run_id"):
            assert self.client.events == self.log()[: len(self.client.events)]

    def log(self):
        page = self.run(self.logs[0].read(self.run_id))
        log = [json.loads(entry.envelope) for entry in page.entries]
        assert [envelope["sequence"] for envelope in log] == list(range(1, len(log) + 1))
        assert len(log) >= page.run.last_sequence  # the row is read first
        return log

    def teardown(self):
        if not hasattr(self, "run_id"):
            return
        try:
            self.take_over(1)
            self.run(self.close())
            self.connect(0, "sse")
            self.run(self.read_to_the_end())
            log = self.log()
            assert self.client.events == log
            assert [envelope["type"] for envelope in log].count("complete") == 1
            fields = [envelope["data"]["field"] for envelope in log if envelope["type"] == "extraction_field"]
            assert [field for field in fields if field in set(self.promised)] == self.promised
        finally:
            self.hang_up()
            for host in self.hosts:
                self.run(host.aclose())
            self.loop.close()

    async def close(self):
        self.pen.change(closed=True, state="complete")
        self.pen.tell(complete())
        await self.pen.written()

    async def read_to_the_end(self):
        async with asyncio.timeout(20):
            async for items in self.stream:
                for envelope in of_sse(sse.encode(items)) if items else ():
                    assert self.client.take(envelope)
        self.stream = None


def test_what_a_client_holds_is_always_a_prefix_of_the_log_and_in_the_end_the_log(threads, monkeypatch):
    monkeypatch.setattr(tail, "RELOOK_SECONDS", 0.02)
    monkeypatch.setattr(Story, "threads", threads)
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
