"""A log with real threads and a real database file; runs that need no model."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from channels.layers import InMemoryChannelLayer

from extraction.events import Complete, ExtractionToken
from extraction.types import Usage
from streaming.bell import Bell
from streaming.journal import RunJournal
from streaming.log import Log
from streaming.measures import Measures
from streaming.models import Run
from streaming.runs import journal_of, open_run
from wellintake.database import DatabaseThreads


@pytest.fixture
def threads(transactional_db):
    write, read = DatabaseThreads("test-write"), DatabaseThreads("test-read", 2)
    yield write, read
    write.close()
    read.close()


@asynccontextmanager
async def working_log(threads, layer=None, committed=None):
    """A log as one process has it: with its writer, its tail and its ears; `committed` hears what it has written."""
    write, read = threads
    bell = Bell(layer or InMemoryChannelLayer())
    log = Log(write, read, bell, Measures(), committed)

    async def hear():
        async for grown in bell.hear():
            log.tail.heard(grown)

    tasks = [asyncio.create_task(work) for work in (log.write(), log.tail.run(), hear())]
    try:
        yield log
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def log(threads):
    async with working_log(threads) as log:
        yield log


def new_run(**columns) -> Run:
    given = {"tenant": "t", "owner": "o", "correlation_id": "c", "mode": "preview", "digest": "d", "email": "{}"}
    return Run.objects.create(**given | columns)


async def journal_for(log: Log, threads) -> RunJournal:
    """The pen of a fresh run."""
    run = await threads[0](new_run)
    return await reopened(log, threads, str(run.id))


async def reopened(log: Log, threads, run_id: str) -> RunJournal:
    opened = await threads[0](open_run, run_id, tuple(Run.State.values), None)
    assert opened
    journal = journal_of(log, opened)
    journal.run_id = run_id
    return journal


def token(text: str) -> ExtractionToken:
    return ExtractionToken(token=text)


def complete() -> Complete:
    return Complete(status="preview", result={}, records=[], timings={}, usage=Usage())


async def followed(log: Log, run_id: str, cursor=None) -> list:
    """All items until the log is closed."""
    return [item async for items in log.follow(run_id, cursor) for item in items]
