"""A socket whose client does not read: told so by its own code, and never charged for what it has left."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from streaming.budget import WITH_ACKS, Budget
from streaming.callers import Caller
from streaming.live import Live
from streaming.measures import Measures
from streaming.transports import socket as sockets
from streaming.transports.websocket import EmailProcessingConsumer
from streaming.wire import Entry

CALLER = Caller(subject="key:one", tenant="firm")


class StuckSocket:
    """A server with back-pressure: whoever sends waits as soon as the client has stopped reading."""

    def __init__(self):
        self.frames = []
        self.reads = True

    async def __call__(self, message):
        self.frames.append(message)
        if not self.reads and message["type"] == "websocket.send":
            await asyncio.Event().wait()


@pytest.mark.parametrize("said", ['{"type": "ping"}', '{"type": "dance"}', "nonsense"])
async def test_a_client_that_does_not_read_its_answers_is_closed_with_4008(monkeypatch, said):
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "BYE_SECONDS", 0.05)
    consumer = EmailProcessingConsumer(runs=None, live=Live(5), addresses=None)
    consumer.scope, consumer.base_send = {"subprotocols": [], "caller": CALLER}, (socket := StuckSocket())
    await consumer.connect()
    socket.reads = False

    await consumer.receive(text_data=said)

    bye, close = socket.frames[-2:]
    assert json.loads(bye["text"])["data"] == {"code": 4008, "reconnect": True, "cursors": {}}
    assert (close["type"], close["code"]) == ("websocket.close", 4008)
    assert len(consumer.live) == 0


async def test_a_client_that_does_not_read_what_it_follows_is_closed_with_4008(monkeypatch):
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "BYE_SECONDS", 0.05)
    log = SimpleNamespace(follow=one_token, measures=Measures())
    consumer = EmailProcessingConsumer(runs=SimpleNamespace(log=log), live=Live(5), addresses=None)
    consumer.scope, consumer.base_send = {"subprotocols": [], "caller": CALLER}, (socket := StuckSocket())
    await consumer.connect()
    socket.reads = False

    await consumer.follow("a-run", None)
    async with asyncio.timeout(10):
        while socket.frames[-1]["type"] != "websocket.close":
            await asyncio.sleep(0.01)

    assert socket.frames[-1]["code"] == 4008
    assert len(consumer.live) == 0


async def one_token(run_id, cursor):
    yield [Entry(run_id, 1, 1, "extraction_token", 0.0, '{"token":"a"}')]
    await asyncio.Event().wait()


async def test_who_leaves_a_run_is_not_charged_for_it_any_more():
    budget = Budget()
    budget.expect_acks()
    budget.sent("left", 1, WITH_ACKS)
    budget.sent("kept", 1, 10)
    waiting = asyncio.create_task(budget.room())
    await asyncio.sleep(0)
    assert not waiting.done()

    budget.forget("left")
    await asyncio.wait_for(waiting, 1)

    assert budget.outstanding == 10
    budget.forget("left")
    budget.acknowledged("left", 1)
    budget.acknowledged("kept", 1)
    assert budget.outstanding == 0
