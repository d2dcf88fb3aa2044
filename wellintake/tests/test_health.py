"""Health says what does not work, and a start that failed is tried again."""

import asyncio
import json

import pytest
from django.conf import settings
from django.test import RequestFactory

from wellintake.lifecycle import Lifecycle
from wellintake.operations import Operations
from wellintake.wiring import build


@pytest.fixture
async def process(transactional_db):
    process = build(settings.ENV)
    yield process
    await process.stop()


async def health(process):
    answer = await Operations(process).health(RequestFactory().get("/stream/health"))
    return answer.status_code, json.loads(answer.content)


async def test_a_background_task_that_ends_makes_the_process_unhealthy_and_is_named(process):
    await process.start()
    before = await health(process)

    async def broken(lines):
        raise ZeroDivisionError("the secret of Jane Roe")

    process.log._commit = broken
    process.log.append(Silent())
    while not process.ended():
        await asyncio.sleep(0.01)
    status, body = await health(process)

    assert (before[0], before[1]["status"], before[1]["checks"]["background"]) == (200, "healthy", "ok")
    assert (status, body["status"], body["checks"]["background"]) == (503, "unhealthy", "ended: log")


class Silent:
    """A writer whose batch is never looked into."""

    def take(self):
        return self


async def test_a_start_that_failed_is_told_by_health_and_tried_again_by_the_next_request(process, monkeypatch):
    seen = []

    async def application(scope, receive, send):
        seen.append((await health(process))[1]["checks"]["engine"])

    async def out_of_reach(*given):
        raise ConnectionError

    lifecycle = Lifecycle({"http": application}, process)
    start = process.engine.start
    monkeypatch.setattr(process.engine, "start", out_of_reach)
    await lifecycle({"type": "http"}, None, None)
    monkeypatch.setattr(process.engine, "start", start)
    await asyncio.gather(*(lifecycle({"type": "http"}, None, None) for _ in range(3)))

    assert seen == ["failed", "ok", "ok", "ok"]
    assert len({task.get_name() for task in process.tasks}) == len(process.tasks)
