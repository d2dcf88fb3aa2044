"""`worker`: works on the runs that web servers accept, on as many hosts as there is work for."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from wellintake.wiring import Parts, build


class Command(BaseCommand):
    help = "Work on runs until SIGTERM; what is not done within seconds then is handed to another worker."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ENV.redis_url:
            raise CommandError("Without REDIS_URL the server works on its runs itself; there is no queue to work on.")
        asyncio.run(self._work(build(settings.ENV, works=True)))

    async def _work(self, process: Parts) -> None:
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        await process.start()
        self.stdout.write("Working. SIGTERM ends it.")
        self.stdout.flush()
        await asked.wait()
        await process.stop()
