"""The fake Zoho for tests that are not asynchronous: on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zoho.tests.fake_zoho import FakeZoho


@contextmanager
def serving() -> Iterator[FakeZoho]:
    ready, ended = threading.Event(), asyncio.Event()
    held: list[FakeZoho] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with FakeZoho.serving() as zoho:
            held.append(zoho)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    try:
        yield held[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
