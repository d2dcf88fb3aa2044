"""HTTP that is read no faster than it is used: a transport of `httpx2` over aiohttp, for the model's stream.

Two things make it cheap under load. aiohttp parses in C what httpx2's own transport parses in Python: a third of the
cost per chunk (docs/performance.md). And nothing is read from the socket between one chunk and the moment when the next
is asked for: what comes meanwhile piles up in the kernel and is one chunk then, however many the model sent.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx2

_FAILURES: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (TimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ClientError, httpx2.ReadError),
    (OSError, httpx2.ReadError),
)


class PacedTransport(httpx2.AsyncBaseTransport):
    """`deadline`: the longest time for one answer as a whole, in seconds. One for a process: it holds the connections.
    May be made off the loop, which the TLS context holds up for some 40 ms."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._tls: ssl.SSLContext = httpx2.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._session = self._session or self._opened()
        with _in_httpx_words():
            response = await self._session.request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=self._timeout(request.extensions.get("timeout", {})),
            )
        return httpx2.Response(
            status_code=response.status,
            headers=list(response.raw_headers),
            stream=_PacedStream(response),
            request=request,
        )

    def _timeout(self, given: dict[str, float | None]) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=self._deadline, sock_connect=given.get("connect"), sock_read=given.get("read")
        )

    def _opened(self) -> aiohttp.ClientSession:
        # How many ask at once is decided elsewhere, and a cookie would be one user's for all.
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=True
        )

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()


class _PacedStream(httpx2.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        with _in_httpx_words():
            while chunk := await content.readany():
                self._pause()
                yield chunk
                self._resume()

    def _pause(self) -> None:
        # After the last byte the connection is somebody else's, and `connection` is None.
        if (connection := self._response.connection) and connection.protocol:
            connection.protocol.pause_reading()

    def _resume(self) -> None:
        if (connection := self._response.connection) and connection.protocol:
            connection.protocol.resume_reading()

    async def aclose(self) -> None:
        """A connection whose answer was not read to its end is closed."""
        self._response.close()


@contextmanager
def _in_httpx_words() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        for theirs, ours in _FAILURES:
            if isinstance(error, theirs):
                raise ours(type(error).__name__) from error
        raise
