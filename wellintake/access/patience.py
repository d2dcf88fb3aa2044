"""uvicorn's HTTP, with an end to patience: `uvicorn --http wellintake.access.patience:PatientProtocol`.

uvicorn waits for ever for a request that never becomes whole. Here a connection that has not said its headers after ten
seconds, or not its whole request after two minutes, is answered with 408 and closed: a thousand of them are a thousand
file descriptors, and no more for ten seconds.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
REQUEST_SECONDS = 120.0  # 20 MB at 170 KB a second
TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    _patience: asyncio.TimerHandle | None = None
    _is_asking = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(HEADER_SECONDS)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_asking = True
        self._wait(HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        self._wait(REQUEST_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_asking = False
        self._wait(None)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._wait(None)
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait(None)
        super().connection_lost(exc)

    def _wait(self, seconds: float | None) -> None:
        if self._patience:
            self._patience.cancel()
        self._patience = self.loop.call_later(seconds, self._give_up) if seconds is not None else None

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        # Neither in the middle of an answer, nor to a proxy that has only connected ahead of time.
        if self._is_asking and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(TOO_LATE)
        self.transport.close()
