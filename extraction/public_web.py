"""Fetching a page of the public web for a stranger's domain, without becoming the stranger's hand inside our network.

Every hop is resolved by us, every address of it is checked, and the connection goes to the address that was checked
(name in `Host` and TLS SNI), so that a second DNS answer changes nothing. Size and compression are bounded.
"""

import asyncio
import ipaddress
import re
import socket
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from extraction.errors import ResearchError

MAX_HOPS = 5  # the page and four redirects
MAX_BYTES = 512 * 1024  # after decompression; also of what comes over the wire
CONNECT_SECONDS = 2.0
PORTS = {"http": 80, "https": 443}
HEADERS = {
    "User-Agent": "WellIntake/1 (+company look-up)",
    "Accept": "text/html",
    "Accept-Encoding": "gzip",
    "Accept-Language": "en",
}

_CHARSET = re.compile(r"charset=[\"']?([\w-]{1,40})", re.I)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True)
class Page:
    """An HTML page and the address at which it was found after redirects."""

    url: str
    host: str
    html: str


class UnreachableError(ResearchError):
    """Nobody answers at this address (another one may)."""


class NotPublicError(ResearchError):
    """The address is none that we go to for a stranger."""


class PublicWeb:
    """`allow_hosts` are let through unchecked, as `host` or `host:port`: for tests against a server of their own."""

    def __init__(self, allow_hosts: frozenset[str] = frozenset(), resolve: Resolve | None = None) -> None:
        self._allow_hosts = allow_hosts
        self._resolve = resolve or _resolved
        self._http = httpx2.AsyncClient(
            headers=HEADERS,
            trust_env=False,  # a proxy would resolve the name again, past our check
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx2.Timeout(30, connect=CONNECT_SECONDS),  # the caller has the deadline
            limits=httpx2.Limits(max_connections=50, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def page(self, url: str) -> Page | None:
        """The HTML page at an address; None when there is none. Raises `ResearchError`."""
        here = _parsed(url)
        for _ in range(MAX_HOPS):
            address = await self._checked_address(here)
            try:
                found = await self._get(here, address)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                raise UnreachableError from error
            except httpx2.HTTPError as error:
                raise ResearchError from error
            if not isinstance(found, httpx2.URL):
                return found
            here = found
        raise ResearchError

    async def _get(self, url: httpx2.URL, address: str) -> Page | httpx2.URL | None:
        request = self._http.build_request(
            "GET",
            url.copy_with(host=address, fragment=None),
            headers={"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._http.send(request, stream=True)
        try:
            if response.has_redirect_location:
                return _parsed(str(url), response.headers["location"])
            if response.status_code != 200 or not _is_html(response):
                return None
            body = await _bounded_body(response)
        finally:
            await response.aclose()
        return Page(str(url), url.host, _decoded(body, response.headers["content-type"]))

    async def _checked_address(self, url: httpx2.URL) -> str:
        """An address to connect to. Refuses a name when any of its addresses is not public."""
        port = url.port or PORTS.get(url.scheme, 0)
        allowed = not self._allow_hosts.isdisjoint({url.host, f"{url.host}:{port}"})
        if url.scheme not in PORTS or url.userinfo or not (allowed or port in PORTS.values()):
            raise NotPublicError
        addresses = await self._resolve(url.host, port)
        if not addresses:
            raise UnreachableError
        if not allowed and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
            raise NotPublicError
        return min(addresses, key=lambda address: ":" in address)  # IPv4 first: it works everywhere


def is_public(ip: IpAddress) -> bool:
    """Whether an address belongs to the public internet, also by the IPv4 address inside an IPv6 one."""
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if inner:
        return is_public(inner)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def _resolved(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError from error
    return [str(address[0]).partition("%")[0] for *_, address in found]


def _parsed(url: str, relative: str = "") -> httpx2.URL:
    try:
        return httpx2.URL(url).join(relative) if relative else httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise ResearchError from error


def _is_html(response: httpx2.Response) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "text/html" and response.headers.get("content-encoding", "") in ("", "gzip")


async def _bounded_body(response: httpx2.Response) -> bytes:
    """What fits of the body. Decompressed here, since httpx2 would unpack a whole chunk, however large it becomes."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if response.headers.get("content-encoding") else None
    body, taken = bytearray(), 0
    try:
        async for chunk in response.aiter_raw():
            taken += len(chunk)
            body += unpacker.decompress(chunk, MAX_BYTES) if unpacker else chunk
            if max(len(body), taken) >= MAX_BYTES:
                break
    except zlib.error as error:
        raise ResearchError from error
    return bytes(body[:MAX_BYTES])


def _decoded(body: bytes, content_type: str) -> str:
    told = _CHARSET.search(content_type) or _CHARSET.search(body[:2048].decode("ascii", "replace"))
    try:
        return body.decode(told[1] if told else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
