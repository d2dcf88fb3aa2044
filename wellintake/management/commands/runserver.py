"""Daphne's `runserver`, which starts the engine as soon as it listens and says goodbye to readers when it stops."""

import asyncio
from typing import Any

from daphne.management.commands.runserver import Command as DaphneRunserver


class Command(DaphneRunserver):  # type: ignore[misc]
    def inner_run(self, *args: Any, **options: Any) -> None:
        from twisted.internet import reactor

        # Daphne has no lifespan: without this, runs that a crash left behind would wait for the first request.
        reactor.callWhenRunning(self._start)
        super().inner_run(*args, **options)

    def _start(self) -> None:
        from wellintake.asgi import application

        self._starting = asyncio.get_event_loop().create_task(application.start())
