"""How the patterns read a letter: passages without quote marks, and the spans found in them.

A passage is as long as the stretch of source it stands for, character by character: quote marks are blanked, not cut.
So an offset in a passage plus its start is an offset in the source, and evidence is exact by construction.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from extraction.letter import Letter, Party, Segment, SegmentKind
from extraction.patterns.resume import of_today
from extraction.types import Evidence

P = ParamSpec("P")
T = TypeVar("T")

MAX_SEGMENT = 8_000
MAX_ALL = 16_000
_QUOTE_MARKS = re.compile(r"^(?: ?>)+", re.M)
_SENTENCE_END = re.compile(r"[.!?;](?=\s)|\n\s*\n|\n\s*[-•*]|\n\s*\d[.)]")

# What a form offers and nobody chose.
_UNTICKED = re.compile(r"(?:\[ ?\]|☐) ?[^\n\[\]☐☑☒✓\t]{1,60}")

# Below it a network shows people who have nothing to do with the mail.
_ADVERTISED = re.compile(
    r"^[ \t]*(?:people you may know|you may (?:also )?(?:want|like|know)\b|similar (?:profiles|candidates|members)|"
    r"recommended for you|other (?:candidates|applicants|members)|people also viewed|more (?:candidates|profiles))",
    re.I | re.M,
)
_WHITE = re.compile(r"\s+")
_NOT_A_LINE_END = re.compile(r"[^\n]")


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


@dataclass(frozen=True)
class Passage:
    """One segment as it is read. `number` counts in reading order: subject first, newest before oldest."""

    number: int
    kind: SegmentKind
    source: str
    start: int
    text: str = field(repr=False)
    author: Party | None = None
    raw: str = field(default="", repr=False)
    found: dict[Hashable, tuple[Any, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def before(self, position: int, reach: int = 90) -> str:
        """The words of the same sentence before a position, on one line."""
        return _WHITE.sub(" ", self.lines_before(position, reach))

    def lines_before(self, position: int, reach: int = 90) -> str:
        """As `before`, with line ends."""
        window = self.text[max(0, position - reach) : position]
        ends = [match.end() for match in _SENTENCE_END.finditer(window)]
        return window[ends[-1] if ends else 0 :]

    def after(self, position: int, reach: int = 60) -> str:
        """The words of the same sentence after a position, on one line."""
        window = self.text[position : position + reach]
        end = _SENTENCE_END.search(window)
        return _WHITE.sub(" ", window[: end.start()] if end else window)


def once(finder: Callable[Concatenate[Passage, P], Iterable[T]]) -> Callable[Concatenate[Passage, P], tuple[T, ...]]:
    """A finder whose finds the passage keeps: several steps ask for its titles, places and answers."""

    @wraps(finder)
    def remembering(passage: Passage, /, *args: P.args, **kwargs: P.kwargs) -> tuple[T, ...]:
        asked = (finder, args, *kwargs.items())
        if asked not in passage.found:
            passage.found[asked] = tuple(finder(passage, *args, **kwargs))
        return passage.found[asked]

    return remembering


@dataclass(frozen=True)
class Span:
    """A value and where it stands. `score` says how plausible it is before anybody asks whose it is."""

    value: str
    passage: Passage
    start: int
    end: int
    score: float = 0.5
    label: str = ""

    def evidence(self) -> Evidence:
        start = self.passage.start + self.start
        return Evidence(
            source=self.passage.source,
            start=start,
            end=self.passage.start + self.end,
            quote=self.passage.raw[self.start : self.end],
            status="quoted" if self.value in self.passage.raw[self.start : self.end] else "normalised",
        )


def passages_of(letter: Letter) -> tuple[Passage, ...]:
    """Everything that somebody wrote, newest first; the subject counts as the sender's words."""
    parts = [segment for segment in letter.segments if segment.kind not in ("disclaimer", "header")]
    subject = Segment("header", "subject", 0, min(len(letter.sources["subject"]), 1000), letter.sender)
    return tuple(_passage(letter, number, segment) for number, segment in enumerate([subject, *parts]))


def within_limits(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """What is read of long mails: 16 KB, and always the oldest message, which says who somebody is."""
    passages = tuple(passages)
    oldest = max((passage.number for passage in passages if passage.kind not in ("signature", "attachment")), default=0)
    left = MAX_ALL
    chosen = []
    for passage in passages:
        if (passage.number >= oldest and passage.kind != "attachment") or len(passage.text) <= left:
            chosen.append(passage)
            left -= len(passage.text)
    return tuple(chosen)


def _passage(letter: Letter, number: int, segment: Segment) -> Passage:
    raw = letter.text(segment)[:MAX_SEGMENT]
    text = _QUOTE_MARKS.sub(_blank, letter.read[segment.source][segment.start : segment.start + len(raw)])
    text = _UNTICKED.sub(_blank, text)
    if segment.kind == "attachment":
        text = of_today(text)
    if others := _ADVERTISED.search(text):
        text = text[: others.start()] + _NOT_A_LINE_END.sub(" ", text[others.start() :])
    return Passage(number, segment.kind, segment.source, segment.start, text, segment.author, raw)
