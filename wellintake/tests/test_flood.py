"""What one client may take: places over all processes, turns on a socket, a server's patience."""

import asyncio
import json
import os
import time

import pytest
import uvicorn

from streaming.callers import Caller
from streaming.live import Live
from streaming.pace import Pace
from streaming.problems import Problem
from streaming.transports.websocket import EmailProcessingConsumer
from wellintake.access import patience
from wellintake.access.seats import KEPT_SECONDS, RedisSeats

ANN, BEN = Caller("user:ann", "firm"), Caller("user:ben", "firm")


# ---------------------------------------------------------------- places


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def replicas():
    """Two processes that share a Redis and a clock."""
    clock, prefix = Clock(), f"test {time.time_ns()}"
    seats = [RedisSeats(os.environ["REDIS_URL"], prefix, clock) for _ in range(2)]
    yield [Live(3, seats=one) for one in seats], seats, clock
    for one in seats:
        await one.close()


async def taken(live, caller=ANN):
    """How many places are still to be had, all of which are taken here."""
    stacks = []
    while True:
        try:
            stacks.append((await live.connect("sse", caller))[0])
        except Problem as problem:
            assert (problem.status, problem.code) == (429, "too_many_connections")
            return stacks


@pytest.mark.distributed
async def test_connections_are_counted_over_all_processes_and_are_free_again_when_they_end(replicas):
    (first, second), (seats, _), _ = replicas
    held = (await first.connect("websocket", ANN))[0], (await second.connect("sse", ANN))[0]
    assert len(await taken(second)) == 1
    assert len(await taken(first)) == 0
    assert len(await taken(first, BEN)) == 3  # everybody has their own

    held[0].close()
    await seats.settle()

    assert len(await taken(second)) == 1


@pytest.mark.distributed
async def test_what_a_killed_process_held_is_free_by_itself_and_what_lives_is_kept(replicas):
    (killed, living), (_, seats), clock = replicas
    await killed.connect("sse", ANN)
    stack, _ = await living.connect("sse", ANN)
    clock.now += KEPT_SECONDS - 1
    await seats.settle()  # as it does all the time
    clock.now += 2

    assert len(await taken(living)) == 2
    stack.close()


@pytest.mark.embedded
async def test_while_redis_is_away_each_process_counts_for_itself():
    seats = RedisSeats("redis://127.0.0.1:1", "test")
    stacks = await taken(Live(3, seats=seats))
    assert len(stacks) == 3
    stacks[0].close()
    await seats.close()


# ---------------------------------------------------------------- turns


@pytest.mark.embedded
def test_who_talks_faster_than_the_pace_waits_and_is_let_in_again_after_a_pause():
    clock = Clock()
    pace = Pace(10, 3, clock)
    assert [round(pace.due(), 3) for _ in range(5)] == [0, 0, 0, 0.1, 0.2]
    clock.now += 0.2
    assert round(pace.due(), 3) == 0.1
    clock.now += 1000
    assert [round(pace.due(), 3) for _ in range(4)] == [0, 0, 0, 0.1]


@pytest.mark.embedded
async def test_who_never_pauses_is_let_go_and_who_pauses_is_not():
    clock = Clock()
    pace = Pace(10, 3, clock)
    for _ in range(9):
        pace.due()
    assert not pace.flooding
    pace.due()
    assert pace.flooding
    clock.now += 60
    pace.due()
    assert not pace.flooding


@pytest.mark.embedded
async def test_a_socket_that_floods_is_closed_with_4429():
    told = []

    async def keep(message):
        told.append(message)

    consumer = EmailProcessingConsumer(runs=None, live=Live(5), addresses=None)
    consumer.scope, consumer.base_send = {"subprotocols": [], "caller": ANN}, keep
    await consumer.connect()
    consumer.pace = Pace(1e6, 3, Clock())
    for _ in range(12):
        await consumer.receive(text_data='{"type": "ping"}')
    assert (told[-1]["type"], told[-1]["code"]) == ("websocket.close", 4429)
    assert len(consumer.live) == 0


# ---------------------------------------------------------------- patience


@pytest.fixture
async def impatient(monkeypatch):
    """A server that waits a tenth of a second; its port."""
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.1)
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 0.1)

    async def application(scope, receive, send):
        length = 0
        while (message := await receive())["type"] == "http.request":
            length += len(message["body"])
            if not message["more_body"]:
                break
        await asyncio.sleep(0.3 if scope["path"] == "/slow" else 0)  # longer than anybody may take to ask
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"%4d" % length})

    http = "wellintake.access.patience:PatientProtocol"
    config = uvicorn.Config(application, port=0, http=http, lifespan="off", log_level="critical", access_log=False)
    config.log_config = None
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def said(port, *pieces):
    """All that the server says until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.embedded
async def test_a_request_that_never_becomes_whole_is_given_up(impatient):
    begun = b"POST / HTTP/1.1\r\nHost: x\r\n"
    assert await said(impatient) == b""  # a proxy may connect ahead of time, and hears no answer before it asks
    for never_whole in (begun, b"G"):
        assert await said(impatient, never_whole) == patience.TOO_LATE
    body = await said(impatient, begun + b"Content-Length: 9\r\n\r\nhalf")
    assert body in (b"", patience.TOO_LATE)


@pytest.mark.embedded
async def test_a_whole_request_is_answered_however_long_that_takes_and_the_next_one_too(impatient):
    slow, last = (
        b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % given for given in ((b"/slow", b""), (b"/", b"Connection: close\r\n"))
    )
    answer = await said(impatient, slow, last)
    assert answer.count(b"200 OK") == 2 and answer.endswith(b"   0")


@pytest.mark.embedded
def test_the_servers_of_the_repository_are_started_with_it():
    from wellintake.tests.server import COMMANDS, ROOT

    where = f"{patience.PatientProtocol.__module__}:PatientProtocol"
    for text in (
        (ROOT / "Dockerfile").read_text(),
        (ROOT / "deploy" / "compose.yaml").read_text(),
        json.dumps(COMMANDS),
    ):
        assert where in text
