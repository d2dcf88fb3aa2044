"""What a firm says about itself on its home page. Nothing of the mail leaves but the domain."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from extraction.errors import ResearchError
from extraction.public_web import Page, PublicWeb, Resolve, UnreachableError

DEADLINE_SECONDS = 5.0
REMEMBERED_SECONDS = 3600.0
MAX_REMEMBERED = 1000
MAX_FACT = 500  # characters

_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_][\w-]{0,61}[^\W_]")
# schema.org: Organization and those of its kinds that firms of this trade call themselves.
_ORGANIZATIONS = frozenset(
    {
        "Organization",
        "Corporation",
        "LocalBusiness",
        "FinancialService",
        "ProfessionalService",
        "AccountingService",
        "InsuranceAgency",
        "BankOrCreditUnion",
        "EmploymentAgency",
        "LegalService",
    }
)

Facts = dict[str, Any]


@dataclass(frozen=True)
class _Remembered:
    facts: Facts | None
    until: float


class WebResearch:
    """Keeps the promise of `ports.Research`: one look at a domain serves everybody who asks within the hour."""

    def __init__(
        self,
        timeout: float = DEADLINE_SECONDS,
        allow_hosts: frozenset[str] = frozenset(),
        resolve: Resolve | None = None,
    ) -> None:
        """`timeout`: seconds for all of it. Takes some 40 ms for the TLS context: build it off the loop."""
        self._timeout = timeout
        self._allow_hosts = allow_hosts
        self._web = PublicWeb(allow_hosts, resolve)
        self._remembered: dict[str, _Remembered] = {}
        self._under_way: dict[str, asyncio.Task[Facts | None]] = {}

    async def close(self) -> None:
        await self._web.close()

    async def find(self, domain: str) -> Facts | None:
        """See `ports.Research.find`."""
        domain = domain.strip().lower().removesuffix(".")
        known = self._remembered.get(domain)
        if known and known.until > time.monotonic():
            return known.facts
        return await asyncio.shield(self._look(domain))

    def _look(self, domain: str) -> asyncio.Task[Facts | None]:
        """The one look at this domain that is under way; a caller who leaves does not end it for the others."""
        if looking := self._under_way.get(domain):
            return looking
        looking = asyncio.create_task(self._read(domain))
        self._under_way[domain] = looking
        looking.add_done_callback(lambda done: self._landed(domain, done))
        return looking

    def _landed(self, domain: str, done: asyncio.Task[Facts | None]) -> None:
        del self._under_way[domain]
        if done.cancelled() or done.exception():
            return  # a failure is not remembered: the next mail may have more luck
        if len(self._remembered) >= MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[domain] = _Remembered(done.result(), time.monotonic() + REMEMBERED_SECONDS)

    async def _read(self, domain: str) -> Facts | None:
        if domain not in self._allow_hosts and not _DOMAIN.fullmatch(domain):
            raise ResearchError
        async with asyncio.timeout(self._timeout):
            try:
                page = await self._web.page(f"https://{domain}/")
            except UnreachableError:
                page = await self._web.page(f"http://{domain}/")
        return facts_from(page) if page else None


def facts_from(page: Page) -> Facts | None:
    """`{name, title, description, website, city, state, industry, source_url}` as far as the page says; or None."""
    tree = LexborHTMLParser(page.html)
    firm = next(_organizations(tree), {})
    place = firm.get("address")
    place = place[0] if isinstance(place, list) and place else place
    title = tree.css_first("title")
    said = {
        "name": _fact(firm.get("name")) or _meta(tree, "property", "og:site_name"),
        "title": _fact(title.text()) if title else None,
        "description": _meta(tree, "name", "description") or _meta(tree, "property", "og:description"),
        "city": _fact(place.get("addressLocality")) if isinstance(place, dict) else None,
        "state": _fact(place.get("addressRegion")) if isinstance(place, dict) else None,
        "industry": _fact(firm.get("industry")),
    }
    facts: Facts = {name: fact for name, fact in said.items() if fact}
    if not facts:
        return None
    return facts | {"website": page.host.removeprefix("www."), "source_url": page.url}


def _organizations(tree: LexborHTMLParser) -> Iterator[Facts]:
    """The firms that the page describes in JSON-LD, at the top or in a `@graph`."""
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            told = json.loads(script.text())
        except (ValueError, RecursionError):
            continue
        for thing in _things(told):
            kinds = thing.get("@type")
            names = kinds if isinstance(kinds, list) else [kinds]
            if not _ORGANIZATIONS.isdisjoint(name for name in names if isinstance(name, str)):
                yield thing


def _things(told: Any) -> Iterator[Facts]:
    for thing in told if isinstance(told, list) else [told]:
        if isinstance(thing, dict):
            yield thing
            graph = thing.get("@graph")
            yield from (part for part in (graph if isinstance(graph, list) else ()) if isinstance(part, dict))


def _meta(tree: LexborHTMLParser, attribute: str, name: str) -> str | None:
    found = tree.css_first(f'meta[{attribute}="{name}"]')
    return _fact(found.attributes.get("content")) if found else None


def _fact(said: Any) -> str | None:
    """A short text on one line, or nothing."""
    if not isinstance(said, str):
        return None
    return " ".join(said.replace("\x00", " ").split())[:MAX_FACT] or None
