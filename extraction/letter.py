"""One mail, parsed and cut into parts: the canonical text that evidence points into."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from extraction.injection import without_orders
from extraction.types import Issue

SegmentKind = Literal["new", "quoted", "forwarded", "signature", "disclaimer", "header", "attachment"]


@dataclass(frozen=True)
class Party:
    """Somebody in a header: `Dana Whitlock <dana@well.example>`. `email` is lower case."""

    name: str | None
    email: str | None


@dataclass(frozen=True)
class Segment:
    """A stretch of one source, `[start, end)`, and who wrote it (None: not known)."""

    kind: SegmentKind
    source: str
    start: int
    end: int
    author: Party | None = None


@dataclass(frozen=True)
class LetterFile:
    """An attachment with its bytes."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)
    is_inline: bool = False


@dataclass(frozen=True)
class Letter:
    """`sources` maps `subject`, `header`, `body`, `attachment:<name>` to their canonical text (LF line ends, no
    control characters but tab and newline). `headers` has lower-case names. Sources are for showing and quoting; what
    anything is taken from is `read`. `recruiter` is the address of the Outlook user who handed it in."""

    sources: dict[str, str] = field(repr=False)
    segments: tuple[Segment, ...]
    sender: Party
    reply_to: Party | None = None
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    sent_at: str | None = None
    message_id: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    files: tuple[LetterFile, ...] = ()
    issues: tuple[Issue, ...] = ()
    language: str | None = None
    recruiter: str | None = None

    @cached_property
    def read(self) -> dict[str, str]:
        """The sources, character by character, but with words that speak to software blanked."""
        return {name: without_orders(text, name.startswith("attachment:")) for name, text in self.sources.items()}

    @property
    def speaks_past_its_reader(self) -> bool:
        """Whether somebody wrote what no reader is to see, or what is meant for software."""
        return any(issue.code in ("hidden_text", "words_to_software") for issue in self.issues)

    def text(self, segment: Segment) -> str:
        return self.sources[segment.source][segment.start : segment.end]

    def of_kind(self, *kinds: SegmentKind) -> Iterator[Segment]:
        return (segment for segment in self.segments if segment.kind in kinds)
