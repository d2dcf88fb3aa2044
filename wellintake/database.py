"""Database work off the event loop, on threads of our own.

Django's `sync_to_async` shares one thread per process with every synchronous view, and an async view that uses the
ORM keeps a thread and a connection for as long as it lives. Here a unit of work borrows a thread for milliseconds.
SQLite has one writer at a time, so one thread writes and waits for nobody; others read. Under PostgreSQL it is the
same: the log's writer puts what has piled up into one transaction, whose row locks meet nobody else's of this process.
"""

import asyncio
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connections

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS = 30.0
logger = structlog.get_logger()


class DatabaseThreads:
    """Call it with a function and its arguments: `await database(insert_run, run)`.

    A connection that died (database restarted, file locked too long) is dropped and the function is called again for
    up to 30 s, so hand in only functions that may run twice: each is one transaction, and does nothing when repeated.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"database-{name}")

    async def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = functools.partial(_with_retries, functools.partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def close(self) -> None:
        """Close the threads' connections and end the threads."""
        # The barrier makes sure that it is each thread's turn once, and not one thread's every time.
        all_here = threading.Barrier(self._threads)
        for _ in range(self._threads):
            self._executor.submit(_close, all_here)
        self._executor.shutdown(wait=True)


def _close(all_here: threading.Barrier) -> None:
    connections.close_all()
    all_here.wait(10)


def _with_retries(function: Callable[[], T]) -> T:
    deadline = time.monotonic() + RETRY_SECONDS
    pause = 0.05
    while True:
        try:
            return function()
        except (OperationalError, InterfaceError) as error:
            connections["default"].close()
            if time.monotonic() + pause > deadline:
                raise
            logger.warning("database_retry", kind=type(error).__name__)
        time.sleep(pause)
        pause = min(pause * 2, 2.0)
