"""Several web servers and workers over one PostgreSQL and one Redis: nothing is lost, whatever host goes away."""

import asyncio
import os
from contextlib import ExitStack

import httpx2
import psycopg
import pytest
import redis.asyncio as redis

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import TRANSPORTS, by_polling
from wellintake.tests.server import Server

pytestmark = [pytest.mark.server, pytest.mark.distributed]

JANE = {"full_name": "Jane Roe", "email": "jane.roe@acmewealth.example", "city": "Piney Hollow"}


@pytest.fixture
def hosts(tmp_path, migrated):
    """`hosts("uvicorn", "daphne", "worker", **settings)`: web servers and workers, each to be killed alone."""
    with ExitStack() as stack:

        def start(*kinds, **settings):
            first, *others = kinds
            server = Server(tmp_path, first, JOBS="elsewhere", **settings)
            server.copy_database_from(migrated)
            started = [server, *(Server(tmp_path, kind, beside=server) for kind in others)]
            # A web server says that it is well once there is a worker, so workers come first.
            for one in sorted(started, key=lambda one: one.kind != "worker"):
                stack.callback(one.stop)
                one.start()
            return started

        yield start


async def posted(server, number, **mail):
    async with server.client() as http:
        answer = await http.post("/stream/runs", json={**MAIL, "subject": f"Role {number}", **mail})
        assert answer.status_code == 202, answer.text
        return answer.json()["run_id"]


def whole(envelopes):
    """A log from its first event on without a gap, with one end."""
    assert [envelope["sequence"] for envelope in envelopes] == list(range(1, len(envelopes) + 1))
    return [envelope["type"] for envelope in envelopes]


async def test_any_replica_tells_any_run_on_any_transport(hosts):
    first, _, second = hosts("daphne", "worker", "uvicorn")
    for name, read in TRANSPORTS.items():
        run_id = await posted(first, name, mode="preview")

        told = [await read(server, run_id) for server in (second, first)]

        assert told[0] == told[1]
        assert whole(told[0])[-1] == "complete"


async def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_doubles_nothing(hosts, scripted_model):
    model = scripted_model(answer_for([JANE]), "--delay", "1.5")
    web, one, two = hosts("uvicorn", "worker", "worker", **model.settings)
    ids = [await posted(web, number, mode="auto", allow_duplicate=True) for number in range(8)]
    await asyncio.sleep(1)
    one.kill()

    logs = await asyncio.gather(*(by_polling(web, run_id) for run_id in ids))

    assert [whole(log)[-1] for log in logs] == ["complete"] * 8
    assert [log[-1]["data"]["status"] for log in logs] == ["saved"] * 8
    for table, count in {"deal": 8, "note": 8, "account": 1, "contact": 1}.items():
        assert web.database.rows(f"SELECT COUNT(*) FROM zoho_{table}") == [(count,)], table
    assert two.log.read_text().count("run_failed") == 0


async def test_a_worker_that_is_told_to_end_hands_its_runs_over(hosts, scripted_model):
    model = scripted_model(answer_for([JANE]), "--delay", "6")
    web, one, _ = hosts("uvicorn", "worker", "worker", **model.settings)
    ids = [await posted(web, number, mode="preview") for number in range(4)]
    await asyncio.sleep(1)
    one.terminate()

    assert one.wait(20) == 0
    logs = await asyncio.gather(*(by_polling(web, run_id) for run_id in ids))
    assert [whole(log)[-1] for log in logs] == ["complete"] * 4


async def test_a_redis_that_forgets_everything_costs_seconds_and_no_run(hosts):
    web, _, _ = hosts("uvicorn", "worker", "worker")
    before = await posted(web, "before", mode="preview")
    async with redis.from_url(web.environment["REDIS_URL"]) as queue:
        await queue.flushdb()
    after = [await posted(web, number, mode="preview") for number in range(3)]

    logs = await asyncio.gather(*(by_polling(web, run_id) for run_id in (before, *after)))

    assert [whole(log)[-1] for log in logs] == ["complete"] * 4


async def test_a_database_that_cuts_every_connection_costs_no_event(hosts):
    web, _ = hosts("uvicorn", "worker")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    ids = []
    for number in range(6):
        ids.append(await posted(web, number, mode="preview"))
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
            database.execute(cut, [web.database.name])

    logs = await asyncio.gather(*(by_polling(web, run_id) for run_id in ids))

    assert [whole(log)[-1] for log in logs] == ["complete"] * 6


async def test_a_worker_is_scraped_for_itself(hosts):
    web, worker = hosts("uvicorn", "worker")
    await by_polling(web, await posted(web, "scraped", mode="preview"))
    async with httpx2.AsyncClient() as http:
        told = (await http.get(f"http://127.0.0.1:{worker.port}/metrics")).text
    async with web.client() as http, asyncio.timeout(15):
        while not (await http.get("/stream/metrics")).json()["performance"]["total_ms"]["count"]:
            await asyncio.sleep(0.5)  # another process's figures come with its next beat

    assert "wellintake_total_seconds_count 1.0" in told


async def test_without_a_worker_runs_are_accepted_and_health_says_who_is_missing(hosts):
    web, worker = hosts("uvicorn", "worker")
    worker.stop()
    async with web.client() as http:
        async with asyncio.timeout(30):
            while (health := await http.get("/stream/health")).json()["checks"]["engine"] == "ok":
                await asyncio.sleep(0.5)
        run_id = await posted(web, "waiting", mode="preview")
        metrics = (await http.get("/stream/metrics")).json()
    assert (health.status_code, health.json()["status"], health.json()["checks"]["engine"]) == (
        200,
        "degraded",
        "no_worker",
    )
    assert metrics["queue"]["depth"] == 1

    worker.start()
    assert whole(await by_polling(web, run_id))[-1] == "complete"
