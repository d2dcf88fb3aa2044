"""Dispatch of jobs by Docket. A job is a hint, too: it says "look at this run"; the run's row is the truth."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from docket import Docket, Perpetual, Worker

SWEEP_EVERY = timedelta(seconds=3)
ANALYTICS_EVERY = timedelta(seconds=10)
LEASE_SECONDS = 5.0
SUBMIT_SECONDS = 2.0
_EVERY_FEW_SECONDS = Perpetual(every=SWEEP_EVERY)
_NOW_AND_THEN = Perpetual(every=ANALYTICS_EVERY)
logger = structlog.get_logger()


Job = Callable[[str], Awaitable[None]]
Sweep = Callable[[], Awaitable[None]]


class Engine:
    """Hands every submitted run to `process(run_id)` of one worker process, and has one of them call `sweep()` every
    three seconds, and `analytics()` every ten. `url` is a Redis, or `memory://` for a process of its own; `concurrency`
    is how many runs one process works on at once, further ones wait in the queue."""

    def __init__(self, name: str, url: str, concurrency: int) -> None:
        self._docket = Docket(name=name, url=url)
        self._concurrency = concurrency
        self._working: asyncio.Task[None] | None = None

    @property
    def working(self) -> bool:
        return self._working is not None and not self._working.done()

    async def open(self) -> None:
        """Open the queue, to submit to it only."""

        async def process_run(run_id: str) -> None:
            raise NotImplementedError("a process that only submits was given a job")

        await self._docket.__aenter__()
        self._docket.register(process_run)  # a task is known by its name; who works on it is elsewhere

    async def start(self, process: Job, sweep: Sweep, analytics: Sweep | None = None) -> None:
        """Open the queue and work on it in the background."""

        async def process_run(run_id: str) -> None:
            await process(run_id)

        async def sweep_runs(perpetual: Perpetual = _EVERY_FEW_SECONDS) -> None:
            await sweep()

        async def tell_analytics(perpetual: Perpetual = _NOW_AND_THEN) -> None:
            if analytics:
                await analytics()

        # Docket names a task after its function and injects its dependencies by the defaults of its parameters.
        await self._docket.__aenter__()
        self._docket.register(process_run)
        self._docket.register(sweep_runs)
        # Known in any case: the queue may still hold it from when it was set.
        self._docket.register(tell_analytics)
        jobs = {"sweep": "sweep_runs", **({"analytics": "tell_analytics"} if analytics else {})}
        self._working = asyncio.create_task(self._work(jobs))

    async def workers(self) -> int:
        """How many processes work on the queue, as far as their signs of life say. Raises what the queue raises."""
        return len(await self._docket.workers())

    async def stop(self, grace: float = 4.0) -> None:
        """Take no more jobs and let those under way end, for `grace` seconds: less than the lease, so that another
        process does not take over what is still being finished here."""
        if self._working:
            self._working.cancel()
            await asyncio.wait({self._working}, timeout=grace)
            self._working = None
        await self._docket.__aexit__(None, None, None)

    async def submit(self, run_id: str, state: str) -> None:
        """Best effort: what is not submitted here is found by the sweep. The same run in the same state twice is one
        job."""
        try:
            async with asyncio.timeout(SUBMIT_SECONDS):
                await self._docket.add("process_run", key=f"{run_id}:{state}")(run_id)
        except Exception as error:  # noqa: BLE001  (the run is stored; the sweep will find it)
            logger.warning("submit_failed", run_id=run_id, kind=type(error).__name__)

    async def _work(self, jobs: dict[str, str]) -> None:
        lease = timedelta(seconds=LEASE_SECONDS)
        worker = Worker(self._docket, concurrency=self._concurrency, redelivery_timeout=lease)
        async with worker:
            for key, name in jobs.items():
                await self._docket.add(name, key=key)()
            await worker.run_forever()
