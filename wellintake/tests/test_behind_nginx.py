"""Two web servers behind the real nginx with our configuration, a worker, PostgreSQL and Redis: any of them serves
any run on any transport, and restarting one after the other costs no reader an event."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import pytest
import websockets

from conftest import MAIL, scripted_models
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import TRANSPORTS
from streaming.tests.test_hub import stock
from wellintake.tests.nginx import Nginx
from wellintake.tests.server import Server

__all__ = ["stock"]
pytestmark = [pytest.mark.server, pytest.mark.distributed]

JANE = {"full_name": "Jane Roe", "email": "jane.roe@acmewealth.example", "city": "Piney Hollow"}
READERS_EACH = 5  # of each transport


@pytest.fixture(scope="module")
def firm(tmp_path_factory, migrated):
    """(nginx, the web servers behind it, the model): one for all tests here."""
    folder = tmp_path_factory.mktemp("firm")
    with ExitStack() as stack:
        model = stack.enter_context(scripted_models(folder))(answer_for([JANE]))
        settings = {"MAX_FAILED_LOGINS": "3", "TRUSTED_PROXIES": "127.0.0.1/32", "MAX_CONNECTIONS_PER_USER": "60"}
        first = Server(folder, "uvicorn", JOBS="elsewhere", **settings, **model.settings)
        first.copy_database_from(migrated)
        servers = [first, *(Server(folder, kind, beside=first) for kind in ("uvicorn", "worker"))]
        for server in servers:
            stack.callback(server.stop)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Server.start, servers))
        yield stack.enter_context(Nginx.before(folder, *servers[:2])), servers[:2], model


async def posted(server, name, **mail):
    async with server.client() as http:
        answer = await http.post("/stream/runs", json={**MAIL, "subject": f"Role {name}", **mail})
        assert answer.status_code == 202, answer.text
        return answer.json()["run_id"]


def paced(model, tokens_per_second):
    httpx2.post(f"{model.url.removesuffix('/v1')}/scripted", json={"tokens_per_second": tokens_per_second})


def whole(envelopes):
    """A log from its first event on without a gap or a double."""
    assert [envelope["sequence"] for envelope in envelopes] == list(range(1, len(envelopes) + 1))
    return [envelope["type"] for envelope in envelopes]


async def test_a_run_that_one_server_has_accepted_is_told_by_the_other_and_by_nginx_on_every_transport(firm, stock):
    nginx, (one, other), _ = firm
    hub = await stock(other)
    await hub("start")
    run_id = await posted(one, "shared", mode="preview")
    await hub("Subscribe", run_id, None)

    told = await asyncio.gather(*(read(place, run_id) for read in TRANSPORTS.values() for place in (other, nginx)))
    await hub("await", "complete", run_id)

    assert whole(told[0])[-1] == "complete"
    assert all(one == told[0] for one in [*told, await hub("events")])


async def test_answers_name_the_address_that_clients_use(firm):
    nginx, _, _ = firm
    async with nginx.client() as http:
        terms = (await http.get("/stream/negotiate")).json()

    assert terms["url"] == f"ws://127.0.0.1:{nginx.port}/stream/ws/email-processing"


async def test_who_sends_too_much_is_told_so_in_our_words(firm):
    nginx, _, _ = firm
    async with nginx.client(headers={"Content-Type": "application/json"}) as http:
        answer = await http.post("/stream/runs", content=b" " * 20_500_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


async def test_guesses_are_counted_by_the_clients_address_whatever_it_claims(firm):
    nginx, _, _ = firm

    async def guess(address, **headers):
        transport = httpx2.AsyncHTTPTransport(local_address=address)
        async with httpx2.AsyncClient(transport=transport, base_url=nginx.url) as http:
            told = {"X-API-Key": "wi_5e_guess", **headers}
            return (await http.get("/stream/negotiate", headers=told)).status_code

    assert await asyncio.gather(*(guess("127.0.0.2") for _ in range(12)))
    claims = {"X-Forwarded-For": "203.0.113.7"}
    assert [await guess("127.0.0.2"), await guess("127.0.0.2", **claims), await guess("127.0.0.3")] == [429, 429, 401]


class Follower:
    """A client that comes back with its cursor until its run is complete."""

    def __init__(self, read, place, run_id):
        self.events = []
        self.cuts = 0
        self.run_id = run_id
        self._read, self._place = read, place

    async def follow(self):
        while not (self.events and self.events[-1]["type"] == "complete"):
            known = len(self.events)
            after = self.events[-1]["cursor"] if known else None
            try:
                await self._read(self._place, self.run_id, after=after, found=self.events)
            except (httpx2.HTTPStatusError, websockets.InvalidStatus) as error:
                assert error.response.status_code in (502, 503)  # between two servers
                self.cuts += 1
                await asyncio.sleep(0.1)
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd.code == 4012
                self.cuts += 1
            else:
                # Whole, but it has told no end: the server let go of it.
                self.cuts += not any(event["type"] in ("review_ready", "complete") for event in self.events[known:])


async def test_restarting_one_server_after_the_other_costs_no_reader_an_event(firm, stock):
    nginx, servers, model = firm
    paced(model, 12)
    followers = {
        (name, number): Follower(read, nginx, await posted(nginx, f"{name} {number}"))
        for number in range(READERS_EACH)
        for name, read in TRANSPORTS.items()
    }
    hub = await stock(nginx)
    await hub("start")
    heard = (await hub("ProcessEmail", {**MAIL, "subject": "Role of the hub"}))["run_id"]
    following = [asyncio.create_task(one.follow()) for one in followers.values()]
    await hub("await", "extraction_token", heard)
    while not all(len(one.events) > 3 for one in followers.values()):
        assert not any(task.done() for task in following)
        await asyncio.sleep(0.05)
    # Nothing gathers on the way: they have heard of a run that is in the middle of its answer.
    assert not any(event["type"] == "review_ready" for one in followers.values() for event in one.events)

    for server in servers:
        server.terminate()
        await asyncio.to_thread(server.wait)
        await asyncio.to_thread(server.start)
    await hub("reconnected")
    last = [event for event in await hub("events") if event["run_id"] == heard][-1]["cursor"]
    while "error" in await hub.outcome("Subscribe", heard, last):  # it may be on its way back for the second time
        await asyncio.sleep(0.1)
    await hub("await", "review_ready", heard)
    for one in followers.values():
        async with asyncio.timeout(30):
            while not any(event["type"] == "review_ready" for event in one.events):
                await asyncio.sleep(0.05)
    async with nginx.client() as http:
        for run_id in (heard, *(one.run_id for one in followers.values())):
            saved = await http.post(f"/stream/runs/{run_id}/save", json={"corrections": {"allow_duplicate": True}})
            assert saved.status_code == 202, saved.text
    await hub("await", "complete", heard)
    await asyncio.gather(*following)

    for (name, _), one in followers.items():
        assert whole(one.events)[-1] == "complete"
        assert name == "polling" or one.cuts  # each stream was cut, whichever server it was at first
    assert whole([event for event in await hub("events") if event["run_id"] == heard])[-1] == "complete"
    assert "ticket" not in nginx.log.read_text() and "?" not in nginx.log.read_text()
