"""`worker`: works on the runs that web servers accept, on as many hosts as there is work for."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

from wellintake.operations import Operations
from wellintake.prometheus import Exposition
from wellintake.wiring import Parts, build


class Command(BaseCommand):
    help = "Work on runs until SIGTERM; what is not done within seconds then is handed to another worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--metrics-port", type=int, help="where Prometheus may scrape this worker; none unless given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ENV.redis_url:
            raise CommandError("Without REDIS_URL the server works on its runs itself; there is no queue to work on.")
        asyncio.run(self._work(build(settings.ENV, works=True), options["metrics_port"]))

    async def _work(self, process: Parts, metrics_port: int | None) -> None:
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        await process.start()
        process.settle_down()
        if metrics_port:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(Scraped(process, asyncio.get_running_loop()))
            start_http_server(metrics_port, registry=registry)
        self.stdout.write("Working. SIGTERM ends it.")
        self.stdout.flush()
        await asked.wait()
        await process.stop()


class Scraped(Collector):
    """The figures of a worker, collected on a thread of the little server that Prometheus asks."""

    def __init__(self, process: Parts, loop: asyncio.AbstractEventLoop) -> None:
        self._process = process
        self._loop = loop
        self._operations = Operations(process)

    def collect(self) -> Iterator[Metric]:
        asked = asyncio.run_coroutine_threadsafe(self._operations.facts(), self._loop)
        return Exposition(self._process, asked.result(10)).collect()
