"""Spans given to persons: what is found in the words of those who tell about somebody, by field and by person."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from operator import itemgetter

from extraction.patterns import availability, companies, links, metrics, money, phones
from extraction.patterns.circle import Circle, domain_of
from extraction.patterns.notices import Answer
from extraction.patterns.places import COUNTRIES_OF, ENGLISH, Place, places_in
from extraction.patterns.reading import Passage, Span
from extraction.patterns.roles import Cast, Somebody
from extraction.patterns.titles import Title, titles_in

_IGNORED = frozenset({"dial", "guests", "links", "date", "event", "ignored"})
_OF_NOW = frozenset({"title", "company", "name", "work"})
_SHARED = frozenset({"company", "website", "availability"})  # with the place: said once for several people of one team
_OF_ALL = re.compile(
    r"\b(?:both|all (?:three|four|of (?:them|us))|each of (?:them|us)|the (?:two|three) of (?:them|us)|tous|toutes|"
    r"beide|alle|ambos|ambas|entrambi|"
    r"entrambe|os dois|las dos|los dos)\b",
    re.I,
)
_SAME_FIRM = re.compile(r"\bsame\s+(?:firm|shop|company|office|team|branch)\b|\b(?:is|as) our (?-i:[A-Z])", re.I)


_OF_ANY_FIRM = frozenset({"group", "company", "co", "inc", "llc", "llp", "lp", "ltd", "corp", "gmbh", "ag"})


@dataclass(frozen=True)
class Lookup:
    """Where a mail's numbers (`regions`) and towns (`countries`) are looked for first."""

    regions: tuple[str, ...]
    countries: tuple[str, ...]


def lookup_for(language: str | None, passages: tuple[Passage, ...], addresses: list[str]) -> Lookup:
    """From the language, and for numbers also from the places that the mail names."""
    countries = COUNTRIES_OF.get(language or "", ENGLISH)
    if any("£" in passage.text for passage in passages):
        countries = ("GB", *countries)
    named = [place.country for passage in passages for place in places_in(passage, countries) if place.score >= 0.5]
    return Lookup(phones.regions_for(language, addresses, dict.fromkeys(named)), countries)


@dataclass
class Belongings:
    """Everything that was found for one person, by kind; nothing is chosen yet."""

    person: Somebody
    spans: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    places: list[Place] = field(default_factory=list)
    titles: list[Title] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


def belongings_of(
    cast: Cast, passages: tuple[Passage, ...], answers: tuple[Answer, ...], circle: Circle, lookup: Lookup
) -> list[Belongings]:
    """For each person of the cast, in order, what is theirs."""
    shares = [Belongings(person) for person in cast.people]
    for passage in passages:
        mine = [answer for answer in answers if answer.passage is passage]
        _share_out(passage, mine, shares, circle, lookup, cast)
    _same_firm(shares)
    return shares


def _same_firm(shares: list[Belongings]) -> None:
    """ "… at the same firm" means that of the person presented before."""
    for earlier, later in pairwise(shares):
        for mention in later.person.mentions if not later.spans["company"] else ():
            if _SAME_FIRM.search(mention.passage.text, mention.end, mention.end + 200):
                later.spans["company"] += earlier.spans["company"]
                later.places += [] if later.places else earlier.places


def _share_out(
    passage: Passage,
    answers: list[Answer],
    shares: list[Belongings],
    circle: Circle,
    lookup: Lookup,
    cast: Cast,
) -> None:
    owners = _Owners(passage, shares, answers, cast.strangers)
    posting = cast.notice == "board" and passage.kind != "attachment"  # a job board's words are about its job
    for given in answers:
        for share in owners.of(given.start):
            share.answers.append(given)
    for kind, spans in _found(passage, circle, lookup.regions):
        for span in spans:
            answer = owners.answer_at(span.start)
            if answer and answer.kind in _IGNORED and not _speaks_anyway(kind, answer, cast):
                continue
            if kind == "website" and span.value == cast.platform:
                continue
            for share in owners.of(span.start, kind in _SHARED):
                share.spans[kind].append(_as_asked(kind, span, answer))
    for share in shares:
        share.spans["company"] += companies.named_as_domain(passage, share.person.email)
    firms = [(span.start, span.end) for span in companies.companies_in(passage) if span.score >= 0.5]
    for place in places_in(passage, lookup.countries):
        answer = owners.answer_at(place.start)
        if any(first < place.start and place.end <= last for first, last in firms):
            continue  # "Fiduciaria Andes" is no place
        if posting and not answer and _names_a_title(passage, place.start):
            continue  # where the job is
        if answer and answer.kind in (*_IGNORED, "wanted", "target"):
            continue
        for share in owners.of(place.start, True):
            asked = answer and answer.kind in ("place", "company", "work")
            score = 0.95 if asked else place.score - 0.1 * owners.is_anybodys(place.start)
            share.places.append(replace(place, score=score))
    for title in titles_in(passage):
        answer = owners.answer_at(title.start)
        if answer and (
            answer.kind in _IGNORED or (answer.kind == "name" and not passage.text[: title.start].endswith(", "))
        ):
            continue
        for share in owners.of(title.start):
            wanted = posting and not answer and title.tense != "past"
            share.titles.append(replace(title, tense="target") if wanted else _asked_for(title, answer))


def _names_a_title(passage: Passage, position: int) -> bool:
    """Whether the line of a position holds a title as well, as the line of a posting does."""
    start = passage.text.rfind("\n", 0, position) + 1
    end = passage.text.find("\n", position)
    return any(start <= title.start < (end if end >= 0 else len(passage.text)) for title in titles_in(passage))


def _as_asked(kind: str, span: Span, answer: Answer | None) -> Span:
    """A span with the weight that the label of its answer gives it."""
    if answer and kind == "phone" and answer.kind in ("phone", "desk"):
        return replace(span, score=max(span.score, 0.9) if answer.kind == "phone" else 0.2)
    if answer and (answer.kind in (kind, "email") or (kind == "company" and answer.kind == "work")):
        return replace(span, score=0.95, label=answer.kind)
    return span


def _speaks_anyway(kind: str, answer: Answer, cast: Cast) -> bool:
    """Links are what such lines are for; "Kezia will call Reginald at …" is the invitee's number, not a dial-in; "When:
    April 1" is an appointment in a calendar's notice only."""
    if kind == "availability" and answer.kind == "date":
        return cast.notice is None
    return kind in ("meeting_link", "linkedin_url") or (
        kind == "phone" and bool(re.search(r"\bwill call\b", answer.text))
    )


def _asked_for(title: Title, answer: Answer | None) -> Title:
    if title.score < 0.3:
        return title
    if answer and answer.kind in ("target", "hope"):
        return replace(title, tense="target", score=0.95)
    if answer and answer.kind in _OF_NOW:
        return replace(title, tense="current", score=0.95)
    return title


def _found(passage: Passage, circle: Circle, regions: tuple[str, ...]) -> Iterable[tuple[str, Iterable[Span]]]:
    own = circle.own.domains
    yield "email", (span for span in links.addresses_in(passage) if domain_of(span.value) not in own)
    yield "phone", phones.phones_in(passage, regions)
    yield "linkedin_url", links.profiles_in(passage)
    yield "meeting_link", links.events_in(passage)
    yield (
        "website",
        (span for span in links.sites_in(passage) if not any(span.value.endswith(domain) for domain in own)),
    )
    yield "company", (span for span in companies.companies_in(passage) if not _is_own_name(span.value, circle))
    yield "money", money.money_in(passage)
    yield "count", metrics.counts_in(passage)
    yield "licenses", metrics.licenses_in(passage)
    yield "designations", metrics.designations_in(passage)
    yield "book_transferable", metrics.shares_in(passage)
    yield "availability", availability.availability_in(passage)
    yield "specializations", availability.specialties_in(passage)


def _is_own_name(name: str, circle: Circle) -> bool:
    """By the names in the settings, or spelt as one of our domains: "Acme Search Group, LLC" at acmesearch.com. Whole
    words, and all of them: at well.com neither "The Wellington Group" nor "Well Street Advisors" are ours."""
    if name.casefold() in {own.casefold() for own in circle.names()}:
        return True
    words = re.findall(r"\w+", name.casefold())
    while len(words) > 1 and words[-1] in _OF_ANY_FIRM:
        words.pop()
    return "".join(words) in {re.sub(r"\W", "", domain.partition(".")[0]) for domain in circle.own.domains}


class _Owners:
    """Whose is what stands at a position: a table row's person, the person last named before it, or everybody's."""

    def __init__(
        self, passage: Passage, shares: list[Belongings], answers: list[Answer], strangers: tuple[Span, ...]
    ) -> None:
        self.shares = shares
        self.answers = sorted(answers, key=lambda answer: answer.start)
        mentions = [(span, [share]) for share in shares for span in share.person.mentions]
        mentions += [(span, []) for span in strangers]
        here = sorted(
            ((span.start, theirs) for span, theirs in mentions if span.passage.number == passage.number),
            key=itemgetter(0),
        )
        self.mentions = here if len(shares) > 1 or strangers else []
        self.ends = {share.person.row: share for share in shares if share.person.row}
        self.passage = passage

    def answer_at(self, position: int) -> Answer | None:
        return next((answer for answer in self.answers if answer.start <= position < answer.end), None)

    def is_anybodys(self, position: int) -> bool:
        """Said of a team before anybody is named: what is said of one of them by name is surer."""
        return bool(self.mentions) and position < self.mentions[0][0]

    def of(self, position: int, shared: bool = False) -> list[Belongings]:
        """`shared`: what is said before anybody is named, or of them all, holds for each of them."""
        answer = self.answer_at(position)
        if answer and answer.row:
            return [self.ends[answer.row]] if answer.row in self.ends else []
        if not self.mentions:
            return self.shares
        if self.ends:  # a table: what stands outside it is everybody's
            return self.shares if shared or len(self.shares) == 1 else []
        if shared and _OF_ALL.search(self.passage.before(position, 80)):
            return self.shares
        named = [theirs for start, theirs in self.mentions if start <= position]
        if (
            named
            and re.search(r"\n\s*\n", self.passage.text[self.mentions[-1][0] : position])
            and named[-1] is self.mentions[-1][1]
        ):
            return []  # after the last person's paragraph the text speaks of something else
        return named[-1] if named else self.shares if shared else []
