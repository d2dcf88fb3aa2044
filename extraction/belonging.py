"""Whose a value is: the recruiting firm's, this person's, or that of somebody else in whose words it stands.

A real value in the wrong place is the commonest mistake of models: the recruiter's phone, the referrer's address, a
title out of the forwarder's signature.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from extraction.letter import Letter, Party, Segment
from extraction.patterns import cities
from extraction.patterns.circle import Circle, domain_of, is_service
from extraction.patterns.links import is_free_mail
from extraction.patterns.names import clean_name, looks_like_a_name
from extraction.types import Evidence, Extraction, OwnFirm, Person

_OF_ONE_PERSON = frozenset({"email", "phone", "mobile", "linkedin_url"})
# What people write under their names: their own, and that of their firm.
_OF_A_SIGNATURE = _OF_ONE_PERSON | {"title", "licenses", "designations", "meeting_link"}
_OF_A_FIRM = frozenset({"company_name", "website", "city", "state", "country"})
# Headers name people, their addresses, at most their firm.
_OF_A_HEADER = frozenset({"full_name", "email", "company_name", "referrer_name", "referrer_email"})
_NEVER_A_NAME = frozenset({"title", "target_title", "company_name", "city", "availability", "specializations"})
_RECOMMENDS = re.compile(
    r"\brefer|\bintroduc|\brecommend|\brecommand|\bsuggest|empfehl|empfohl|\brecomiend|\brecomend|\bpresent[oa]|"
    r"\bprésent|\bapresent|raccomand|consigli|\bmeet\b|\bput (?:you|us|them) in touch",
    re.I,
)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})  # that two people may have in common
MAX_PARTIES = 200  # of thousands of recipients nobody signs the mail
_NAME_LINE = 25  # characters that a line may have beside the name that heads a signature


class Who(NamedTuple):
    """A person by what tells them from others."""

    name: str | None
    email: str | None


def who_is(person: Person) -> Who:
    name = person.text("contact", "full_name") or person.text("contact", "last_name")
    return Who(name, (person.text("contact", "email") or "").lower() or None)


class Belonging:
    """Knows one mail's voices and the recruiting firm. `draft` is what the rules found: whose is what already."""

    def __init__(self, letter: Letter, own: OwnFirm, draft: Extraction) -> None:
        self._letter = letter
        self._circle = Circle(own)
        self._segments: dict[str, list[Segment]] = defaultdict(list)
        for segment in letter.segments:
            self._segments[segment.source].append(segment)
        authors = (segment.author for segment in letter.segments)
        voices = (party for party in chain([letter.sender, letter.reply_to], authors, letter.to, letter.cc) if party)
        self._parties = tuple(islice(dict.fromkeys(voices), MAX_PARTIES))
        self._names = {party.name for party in self._parties} | {who_is(person).name for person in draft.people}
        self._our_names = {party.name for party in self._parties if party.name and self._circle.is_own(party)}
        self._our_names |= {own.user.name} if own.user and own.user.name else set()
        self._referrers = tuple(
            Party(person.text("deal", "referrer_name"), person.text("deal", "referrer_email"))
            for person in draft.people
        )
        self._known: dict[tuple[str, str], set[int]] = defaultdict(set)
        for person in draft.people:
            for value in person.fields:
                if value.field in _OF_ONE_PERSON and isinstance(value.value, str):
                    self._known[value.field, value.value.casefold()].add(person.index)
        is_about_sender = not draft.people or any(_is_same(letter.sender, who_is(person)) for person in draft.people)
        self._tell_of_others = self._referrers if is_about_sender else (*self._referrers, letter.sender)

    # ------------------------------------------------------------ people

    def is_nobody_to_file(self, who: Who) -> bool:
        """The user, a colleague, a service."""
        return any(
            value is not None and self.is_ours(field, value)
            for field, value in (("full_name", who.name), ("email", who.email))
        )

    def may_be_a_person(self, name: str) -> bool:
        """Not a city, a firm or a title; a single word only when somebody is called so."""
        return self._is_somebodys_name(name) or (looks_like_a_name(name) and not cities.known(name))

    def _is_somebodys_name(self, text: str) -> bool:
        return any(name and text.casefold() == name.casefold() for name in self._names)

    def has_another_part(self, who: Who) -> bool:
        """The referrer, or a sender of whom the rules know that they write about others: hardly a candidate."""
        return any(_is_same(party, who) for party in self._tell_of_others)

    def is_ours(self, field: str, value: str) -> bool:
        """Nothing of the firm, of the user or of a service is ever a value of somebody to file."""
        match field:
            case "full_name" | "referrer_name":
                return any(_is_same_name(value, name) for name in self._our_names)
            case "email" | "referrer_email":
                party = Party(None, value)
                return self._circle.is_own(party) or is_service(party)
            case "website":
                return any(value == domain or value.endswith(f".{domain}") for domain in self._circle.own.domains)
            case "company_name":
                return value.casefold() in {name.casefold() for name in self._circle.names()}
        return False

    # ------------------------------------------------------------ values

    def is_theirs(self, who: Who, index: int, field: str, value: str, evidence: Evidence) -> bool:
        """Whether these words can stand for this person's value. `index` is their place among our people."""
        segment = self._segment(evidence)
        if (segment and segment.kind == "disclaimer") or (evidence.source == "header" and field not in _OF_A_HEADER):
            return False
        if field in _NEVER_A_NAME and self._is_somebodys_name(value):
            return False
        if index not in self._known.get((field, value.casefold()), {index}):
            return False
        match field:
            case "email" if self._is_address_of_another(value, who):
                return False
            case "referrer_name":
                may_be = self.may_be_a_person(value) and not _is_same(Party(value, None), who)
                return may_be and self._recommends(value, evidence)
            case "referrer_email":
                party = next((party for party in self._parties if party.email == value), None)
                says = self._recommends(party.name, evidence) if party else evidence.source != "header"
                return value != who.email and says
            case "title" | "target_title" if cities.known(value):
                return False
        return not self._is_anothers(field, segment, evidence, who)

    def _is_address_of_another(self, value: str, who: Who) -> bool:
        return any(
            party.email == value and _is_somebody_else(party, who) for party in (*self._parties, *self._referrers)
        )

    def _recommends(self, name: str | None, evidence: Evidence) -> bool:
        """Whether the mail may say so: to pass a mail on is no referral, nor is to be in copy."""
        read = self._letter.read
        words = [
            read[part.source][part.start : part.end]
            for part in self._letter.segments
            if name and part.author and part.author.name and _is_same_name(part.author.name, name)
        ]
        return any(map(_RECOMMENDS.search, words)) if words else evidence.source != "header"

    def _is_anothers(self, field: str, segment: Segment | None, evidence: Evidence, who: Who) -> bool:
        """In a signature it is its author's or their firm's, but for what stands behind this person's name."""
        if field not in _OF_A_SIGNATURE | _OF_A_FIRM:
            return False
        if who.name and who.name.casefold() in self._above(evidence)[-1].casefold():
            return False
        author = segment.author if segment else None
        if segment and segment.kind == "signature" and author:
            signers = [author]
        else:
            signers = [party for party in self._parties if party.name and self._heads(party.name, evidence)]
            if segment and author and self._circle.is_own(author):
                # What we wrote to somebody holds our own numbers; what we write of them may hold theirs.
                signers += [author] if segment.kind == "quoted" or self._is_beside_ours(evidence) else []
        return any(_is_somebody_else(party, who) and not _shares(field, party, who) for party in signers)

    def _segment(self, evidence: Evidence) -> Segment | None:
        segments = self._segments[evidence.source]
        number = bisect_right(segments, evidence.start, key=lambda segment: segment.start) - 1
        return segments[number] if number >= 0 and evidence.start < segments[number].end else None

    def _above(self, evidence: Evidence) -> list[str]:
        """The lines of its paragraph down to it; of the last one what stands before it."""
        text = self._letter.read[evidence.source][max(0, evidence.start - 400) : evidence.start]
        return [line.strip(" >\t") for line in text.split("\n\n")[-1].split("\n")]

    def _heads(self, name: str, evidence: Evidence) -> bool:
        """Whether it stands in a signature that nothing marks as one: under a line with hardly more than a name."""
        heads = (line.casefold() for line in self._above(evidence)[-5:-1])
        return any(line.startswith(name.casefold()) and len(line) <= len(name) + _NAME_LINE for line in heads)

    def _is_beside_ours(self, evidence: Evidence) -> bool:
        """In our own words, next to an address of ours."""
        below = self._letter.read[evidence.source][evidence.end : evidence.end + 400].split("\n\n")[0].split("\n")
        beside = "\n".join([*self._above(evidence)[-3:], *below[:2]]).casefold()
        return any(f"@{domain}" in beside for domain in self._circle.own.domains)


def _shares(field: str, party: Party, who: Who) -> bool:
    """Colleagues have one firm: an assistant's signature names the principal's."""
    domain = domain_of(who.email)
    return field in _OF_A_FIRM and bool(domain) and domain == domain_of(party.email) and not is_free_mail(domain)


def _is_somebody_else(party: Party, who: Who) -> bool:
    """Surely another person. Who has no name in common is; a name that is missing proves nothing."""
    if not (party.name and who.name) or is_service(party):
        return False
    theirs = words_of(who.name) - _SUFFIXES
    local = (party.email or "").partition("@")[0]
    return not (words_of(party.name) & theirs) and not any(word in local for word in theirs if len(word) > 2)


def _is_same(party: Party, who: Who) -> bool:
    if party.email and party.email == who.email:
        return True
    return bool(party.name and who.name and _is_same_name(party.name, who.name))


def _is_same_name(one: str, other: str) -> bool:
    """The same words but for a middle name: "Dana Whitlock" is "Dana R. Whitlock", not "Dan Whitlock"."""
    mine, theirs = words_of(one), words_of(other)
    return len(mine & theirs) >= 2 and (mine <= theirs or theirs <= mine)


@lru_cache(maxsize=1024)
def words_of(name: str | None) -> frozenset[str]:
    """The words of a name in any case, without dots."""
    return frozenset(clean_name(name or "")[0].casefold().replace(".", " ").replace(",", " ").split())
