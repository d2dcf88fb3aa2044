"""The parts that people play in a mail: to be filed, referring them, telling about them."""

import re
from dataclasses import dataclass

from extraction.letter import Letter, Party
from extraction.patterns.circle import Circle, is_service
from extraction.patterns.names import clean_name, same_person
from extraction.patterns.reading import Span

VIA = re.compile(r"\s+via\s+.*$", re.I)


@dataclass(frozen=True)
class Somebody:
    """A person to file: as named, with an address when one is surely theirs, and where they are named."""

    name: str
    email: str | None = None
    named: Span | None = None
    mentions: tuple[Span, ...] = ()
    row: int = 0
    score: float = 0.9


@dataclass(frozen=True)
class Cast:
    """Everybody's part in the mail. `voices` are the authors whose words tell about the people."""

    people: tuple[Somebody, ...]
    referrer: Somebody | None = None
    voices: tuple[Party | None, ...] = ()
    notice: str | None = None
    others: tuple[Party, ...] = ()
    strangers: tuple[Span, ...] = ()
    platform: str | None = None  # the host of the service that wrote: nobody's web site


def from_party(party: Party, name: str | None = None) -> Somebody:
    return named(VIA.sub("", name or party.name or ""), party.email if not is_service(party) else None)


def named(name: str, email: str | None) -> Somebody:
    """Emoji and other ornaments are no part of a name."""
    return Somebody(clean_name(re.sub(r"[\[{<][^\]}>]*[\]}>]|[^\w\s.,'’\"“”()&ªº-]", "", name))[0], email)


def is_known(name: str, letter: Letter, circle: Circle) -> bool:
    """The sender, a colleague or the user."""
    parties = [letter.sender, *letter.to, *letter.cc, Party(circle.own.user.name, None) if circle.own.user else None]
    return any(
        party
        and party.name
        and same_person(party.name, name)
        and (party is letter.sender or circle.is_own(party) or party.email is None)
        for party in parties
    )


def is_user(name: str, circle: Circle) -> bool:
    return bool(circle.own.user and circle.own.user.name and same_person(circle.own.user.name, name))
