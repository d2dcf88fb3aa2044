"""Research against a real local server: what it finds, and what it never touches."""

import asyncio
import gzip
import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from extraction import public_web, research
from extraction.errors import ResearchError
from extraction.public_web import NotPublicError, Page, is_public
from extraction.research import WebResearch, facts_from

HOME = """<html><head><title>Harbor Wealth |
  Advisors</title><meta name="description" content="We plan &amp; invest.">
<meta property="og:site_name" content="Harbor">
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [{"@type": "WebSite", "name": "no"},
{"@type": ["FinancialService"], "name": "Harbor Wealth, LLC", "industry": "Wealth Management",
"address": {"@type": "PostalAddress", "addressLocality": "Fort Wayne", "addressRegion": "IN"}}]}</script></head>"""


def http(body: bytes | str, *headers: str, status: int = 200, kind: str = "text/html; charset=utf-8") -> bytes:
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def to(place: str) -> bytes:
    return http("", f"Location: {place}", status=302)


@dataclass
class Site:
    """A web site on loopback that answers every path with `answer(path)`, after `delay` seconds."""

    answer: Callable[[str], bytes]
    delay: float = 0.0
    port: int = 0
    asked: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    greetings: list[bytes] = field(default_factory=list)
    sent: int = 0

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.read(65536)
            if not first.startswith(b"GET "):
                self.greetings.append(first)  # of TLS, which is not spoken here
            else:
                lines = first.decode().split("\r\n")
                self.asked.append(lines[0].split()[1])
                self.hosts.append(next(line[6:] for line in lines if line.lower().startswith("host: ")))
                await asyncio.sleep(self.delay)
                await self._send(self.answer(self.asked[-1]), writer)
        except ConnectionError:
            pass  # the reader has had enough
        finally:
            writer.close()

    async def _send(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(answer), 65536):
            writer.write(answer[at : at + 65536])
            await writer.drain()
            self.sent = at


@asynccontextmanager
async def site(answer: Callable[[str], bytes], delay: float = 0.0) -> AsyncIterator[Site]:
    given = Site(answer, delay)
    server = await asyncio.start_server(given.serve, "127.0.0.1", 0)
    given.port = server.sockets[0].getsockname()[1]
    try:
        yield given
    finally:
        server.close()


@asynccontextmanager
async def researcher(*allowed: str, seconds: float = 3.0, **settings) -> AsyncIterator[WebResearch]:
    web = await asyncio.to_thread(lambda: WebResearch(seconds, frozenset(allowed), **settings))
    try:
        yield web
    finally:
        await web.close()


async def test_a_good_page_tells_who_the_firm_is():
    async with site(lambda path: http(HOME)) as firm, researcher(firm.place) as web:
        facts = await web.find(firm.place)

    assert facts == {
        "name": "Harbor Wealth, LLC",
        "title": "Harbor Wealth | Advisors",
        "description": "We plan & invest.",
        "city": "Fort Wayne",
        "state": "IN",
        "industry": "Wealth Management",
        "website": "127.0.0.1",
        "source_url": f"http://{firm.place}/",
    }


async def test_a_redirect_is_followed_to_the_page():
    async with site(lambda path: http(HOME) if path == "/en/" else to("/en/")) as firm, researcher(firm.place) as web:
        facts = await web.find(firm.place)

    assert facts
    assert facts["source_url"].endswith("/en/")
    assert firm.asked == ["/", "/en/"]


async def test_redirects_without_end_are_given_up():
    async with site(lambda path: to(path + "x")) as firm, researcher(firm.place) as web:
        with pytest.raises(ResearchError):
            await web.find(firm.place)

    assert len(firm.asked) == 5


INSIDE = ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"]


@pytest.mark.parametrize("host", INSIDE)
async def test_a_redirect_into_our_own_machine_is_refused(host, monkeypatch):
    async with site(lambda path: http(HOME)) as inside:
        monkeypatch.setitem(public_web.PORTS, "so that only the address is wrong", inside.port)
        there = f"http://{host}:{inside.port}/"
        async with site(lambda path: to(there)) as firm, researcher(firm.place) as web:
            with pytest.raises(NotPublicError):
                await web.find(firm.place)

    assert (firm.asked, inside.asked) == (["/"], [])


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://10.0.0.8/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://localhost/",
        "file:///etc/passwd",
        "ftp://93.184.215.14/",
        "http://93.184.215.14:22/",
        "http://me:pw@93.184.215.14/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
        "http://224.0.0.1/",
    ],
)
async def test_only_public_places_on_web_ports_are_ever_asked(place):
    async with site(lambda path: to(place)) as firm, researcher(firm.place, seconds=1) as web:
        with pytest.raises(NotPublicError):
            await web.find(firm.place)


@pytest.mark.parametrize("place", ["http://exa mple/", "http://[::", "//", "http://" + "a" * 300 + ".example/"])
async def test_a_redirect_to_nowhere_is_a_failure_of_ours(place):
    async with site(lambda path: to(place)) as firm, researcher(firm.place, seconds=1) as web:
        with pytest.raises(ResearchError):
            await web.find(firm.place)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


async def test_a_name_with_one_address_inside_is_refused():
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "127.0.0.1"]

    async with researcher(resolve=resolve) as web:
        with pytest.raises(NotPublicError):
            await web.find("harborwealth.example")


async def test_the_connection_goes_to_the_address_that_was_checked():
    """The name exists in no DNS: were it looked up a second time, by whoever, nothing would be found."""
    looked_up = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    async with site(lambda path: http(HOME)) as firm:
        place = f"harborwealth.example:{firm.port}"
        async with researcher(place, resolve=resolve) as web:
            facts = await web.find(place)

    assert facts
    assert facts["website"] == "harborwealth.example"
    assert firm.hosts == [place]
    assert b"harborwealth.example" in firm.greetings[0]  # the name that TLS asks for and checks the certificate by
    assert looked_up == ["harborwealth.example"] * 2  # once for https, once for http


@pytest.mark.parametrize(
    "domain", ["", "acme", "acme.example/path", "a@b.example", "acme.example:22", "[::1]", "a b.example"]
)
async def test_what_is_no_domain_is_refused_without_a_look(domain):
    async def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("looked up")

    async with researcher(resolve=resolve) as web:
        with pytest.raises(ResearchError):
            await web.find(domain)


async def test_a_slow_server_is_a_timeout():
    async with site(lambda path: http(HOME), delay=5) as firm, researcher(firm.place, seconds=0.3) as web:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await web.find(firm.place)

    assert time.monotonic() - began < 4.5  # the server answers after five


async def test_of_a_huge_page_only_the_beginning_is_read():
    huge = http(HOME + "x" * 40_000_000)
    async with site(lambda path: huge) as firm, researcher(firm.place) as web:
        facts = await web.find(firm.place)

    assert facts
    assert firm.sent < 20_000_000


async def test_a_gzip_bomb_is_unpacked_only_so_far(monkeypatch):
    read: list[Page] = []
    monkeypatch.setattr(research, "facts_from", lambda page: read.append(page) or {"name": "x"})
    bomb = gzip.compress(HOME.encode() + b" " * 200_000_000)
    async with site(lambda path: http(bomb, "Content-Encoding: gzip")) as firm, researcher(firm.place) as web:
        await web.find(firm.place)

    assert len(read[0].html) == public_web.MAX_BYTES


async def test_a_compressed_page_is_read():
    packed = http(gzip.compress(HOME.encode()), "Content-Encoding: gzip")
    async with site(lambda path: packed) as firm, researcher(firm.place) as web:
        facts = await web.find(firm.place)

    assert facts
    assert facts["name"] == "Harbor Wealth, LLC"


@pytest.mark.parametrize(
    "answer",
    [
        http(b"%PDF-1.7", kind="application/pdf"),
        http('{"name": "x"}', kind="application/json"),
        http("<title>Gone</title>", status=404),
        http("<title>Ours broke</title>", status=500),
        http(HOME, "Content-Encoding: br"),
        http("<p>nothing to see"),
    ],
    ids=["PDF", "JSON", "404", "500", "unasked compression", "empty"],
)
async def test_what_is_no_home_page_is_nothing(answer):
    async with site(lambda path: answer) as firm, researcher(firm.place) as web:
        assert await web.find(firm.place) is None


@pytest.mark.parametrize("answer", [http(b"no gzip", "Content-Encoding: gzip"), b"SMTP ready\r\n\r\n", b""])
async def test_a_server_that_talks_nonsense_is_a_failure_of_ours(answer):
    async with site(lambda path: answer) as firm, researcher(firm.place) as web:
        with pytest.raises(ResearchError) as failure:
            await web.find(firm.place)

    assert str(failure.value) == ResearchError.message


async def test_callers_at_the_same_time_share_one_look():
    async with site(lambda path: http(HOME), delay=0.1) as firm, researcher(firm.place) as web:
        found = await asyncio.gather(*(web.find(firm.place) for _ in range(10)))

    assert len(firm.asked) == 1
    assert all(facts == found[0] for facts in found)


async def test_a_caller_who_leaves_does_not_end_the_look_of_the_others():
    async with site(lambda path: http(HOME), delay=0.2) as firm, researcher(firm.place) as web:
        impatient = asyncio.create_task(web.find(firm.place))
        patient = asyncio.create_task(web.find(firm.place))
        await asyncio.sleep(0.05)
        impatient.cancel()

        assert await patient


@pytest.mark.parametrize("answer", [http(HOME), http("", status=404)], ids=["found", "nothing"])
async def test_an_answer_is_remembered_and_then_forgotten(answer, monkeypatch):
    async with site(lambda path: answer) as firm, researcher(firm.place) as web:
        await web.find(firm.place)
        await web.find(firm.place)
        asked_within_the_hour = len(firm.asked)
        later = time.monotonic() + research.REMEMBERED_SECONDS + 1
        monkeypatch.setattr(research.time, "monotonic", lambda: later)
        await web.find(firm.place)
        monkeypatch.undo()

    assert (asked_within_the_hour, len(firm.asked)) == (1, 2)


async def test_a_failure_is_not_remembered():
    answers = [b"", http(HOME)]
    async with site(lambda path: answers.pop(0)) as firm, researcher(firm.place) as web:
        with pytest.raises(ResearchError):
            await web.find(firm.place)

        assert await web.find(firm.place)


@pytest.mark.parametrize(
    "json_ld",
    [
        "{",
        "[" * 100_000,
        "[1, null]",
        '{"@type": 3}',
        '{"@type": "Organization", "name": 7, "address": [3]}',
        '{"@graph": 1}',
    ],
)
def test_crooked_json_ld_does_not_spoil_the_page(json_ld):
    html = f'<title>Harbor</title><script type="application/ld+json">{json_ld}</script>'

    facts = facts_from(Page("https://www.harbor.example/", "www.harbor.example", html))

    assert facts == {"title": "Harbor", "website": "harbor.example", "source_url": "https://www.harbor.example/"}
