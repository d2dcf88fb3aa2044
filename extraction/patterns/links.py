"""E-mail addresses, profiles, web sites and booking links."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span

_ADDRESS = re.compile(r"(?<![\w.+-])[a-z0-9][\w.+'-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,15}\b", re.I)
_PROFILE = re.compile(r"(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/(?:comm/)?in/([\w%.-]{3,100})", re.I)
_SITE = re.compile(
    r"(?<![\w@./-])(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,15})(?![\w@-])(?:/[^\s<>()]{0,200})?", re.I
)
_EVENT = re.compile(r"https://calendly\.com/events/[\w-]{3,80}")
_NO_SITE = re.compile(
    r"^(?:[\w-]+\.)*(?:microsoft|office|webex|goto|bit|aka|youtube|calendly|linkedin|zoom|google|gmail|outlook|hotmail|yahoo|facebook|twitter|instagram)\.",
    re.I,
)
_TLDS = frozenset(
    [
        "com",
        "net",
        "org",
        "io",
        "co",
        "us",
        "ca",
        "biz",
        "info",
        "example",
        "de",
        "fr",
        "es",
        "ch",
        "at",
        "it",
        "pt",
        "br",
        "mx",
        "uk",
        "au",
        "eu",
        "wealth",
        "financial",
        "bank",
        "capital",
    ]
)

FREE_MAIL = frozenset(
    [
        "gmail",
        "googlemail",
        "yahoo",
        "hotmail",
        "outlook",
        "aol",
        "icloud",
        "me",
        "mac",
        "msn",
        "live",
        "proton",
        "protonmail",
        "pm",
        "ymail",
        "gmx",
        "web",
        "mail",
        "comcast",
        "att",
        "verizon",
        "sbcglobal",
        "bellsouth",
        "cox",
        "charter",
        "calendly",
        "linkedin",
    ]
)


def is_free_mail(domain: str) -> bool:
    """A domain that says nothing about a firm."""
    return domain.split(".")[0] in FREE_MAIL or domain.endswith((".edu", ".gov"))


def addresses_in(passage: Passage) -> Iterator[Span]:
    for match in _ADDRESS.finditer(passage.text):
        yield Span(match.group().lower(), passage, match.start(), match.end())


def profiles_in(passage: Passage) -> Iterator[Span]:
    for match in _PROFILE.finditer(passage.text):
        yield Span(
            f"https://www.linkedin.com/in/{match.group(1).rstrip('.')}", passage, match.start(), match.end(), 0.9
        )


def events_in(passage: Passage) -> Iterator[Span]:
    for match in _EVENT.finditer(passage.text):
        yield Span(match.group(), passage, match.start(), match.end(), 0.95)


def sites_in(passage: Passage) -> Iterator[Span]:
    """Bare hosts: `www.` and scheme are dropped."""
    for match in _SITE.finditer(passage.text):
        host = match.group(1).lower().removeprefix("www.")
        written = match.group().lower().startswith(("http", "www."))
        if host.rpartition(".")[2] not in _TLDS or _NO_SITE.match(host) or ("." not in host):
            continue
        if written or host.endswith((".com", ".example", ".net", ".org")):
            yield Span(host, passage, match.start(), match.end(), 0.8 if written else 0.7)
