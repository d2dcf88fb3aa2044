"""What the model is asked: instructions that never change, then one mail as numbered lines.

The prefix is the same for every mail, so that OpenAI's prompt cache works (from 1024 tokens on). Every line of the
mail begins with a number and a bar, so nothing in a mail can pass for a delimiter or for words of ours.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extraction.letter import Letter, Segment
from extraction.ports import Prompt
from extraction.types import Extraction, FieldValue, OwnFirm, Person

MAX_MAIL = 24_000  # characters, all parts together
MAX_HEADER = 2_000
MAX_LINE = 1_000  # a longer line is cut into several, so that a number leads back to a place
MAX_SUGGESTED_PEOPLE = 20
MAX_SUGGESTION = 200

_INSTRUCTIONS = Path(__file__).with_name("instructions.md").read_text("utf-8")
_SCHEMA_TEXT = Path(__file__).with_name("schema.json").read_text("utf-8")
SCHEMA: dict[str, Any] = json.loads(_SCHEMA_TEXT)
# From the content, so that nobody can change the words and forget the version.
PROMPT_VERSION = hashlib.sha256((_INSTRUCTIONS + _SCHEMA_TEXT).encode()).hexdigest()[:12]

_LINE = re.compile(rf"[^\n]{{1,{MAX_LINE}}}")
KEYS = frozenset(SCHEMA["$defs"]["person"]["properties"])
_COMPANY_KEYS = frozenset({"company_name", "website"})


@dataclass(frozen=True)
class NumberedLine:
    """A line that the model sees: characters `[start, end)` of one of the letter's sources."""

    number: int
    source: str
    start: int
    end: int
    text: str


def prompt_for(letter: Letter, draft: Extraction, own: OwnFirm) -> Prompt:
    """The question about one mail. `draft` is what the patterns found: suggestions, not facts."""
    parts = [_firm(own), "What simple rules found:", *_suggestions(draft), "<mail>", *_shown(letter), "</mail>"]
    return Prompt(system=_INSTRUCTIONS, user="\n".join(parts), version=PROMPT_VERSION, schema=SCHEMA)


def numbered_lines(letter: Letter) -> tuple[NumberedLine, ...]:
    """The lines that stand in the prompt, numbered from 1; the same letter always gives the same numbers. What speaks
    to software is not among them."""
    lines: list[NumberedLine] = []
    for source, start, end in _spans(letter):
        for match in _LINE.finditer(letter.read[source], start, end):
            if match[0].strip():
                lines.append(NumberedLine(len(lines) + 1, source, *match.span(), match[0]))
    return tuple(lines)


# ---------------------------------------------------------------- what is shown of a long mail

Span = tuple[str, int, int]


def _spans(letter: Letter) -> Iterator[Span]:
    """The stretches of the sources that are shown. Attachments leave at least two thirds of the room to the body."""
    room = MAX_MAIL
    for source in ("subject", "header"):
        end = min(len(letter.sources.get(source, "")), MAX_HEADER)
        room -= end
        yield source, 0, end
    files = [source for source in letter.sources if source.startswith("attachment:")]
    body = len(letter.sources.get("body", ""))
    for_files = min(sum(len(letter.sources[file]) for file in files), max(room // 3, room - body))
    yield from _ends_of_body(letter, room - for_files)
    for file in files:
        yield file, 0, min(len(letter.sources[file]), for_files // len(files))


def _ends_of_body(letter: Letter, room: int) -> Iterator[Span]:
    """The whole body, or its newest and its oldest part: in a forwarded thread the facts often stand at the end."""
    text = letter.sources.get("body", "")
    if len(text) <= room:
        yield "body", 0, len(text)
        return
    last = max((segment.end for segment in letter.segments if _counts(segment)), default=len(text))
    head, tail = room * 5 // 8, max(last - room * 3 // 8, 0)
    if tail <= head:
        yield "body", 0, room
        return
    yield "body", 0, _line_end_before(text, head)
    yield "body", _line_start_after(text, tail), last


def _counts(segment: Segment) -> bool:
    return segment.source == "body" and segment.kind != "disclaimer"


def _line_end_before(text: str, place: int) -> int:
    found = text.rfind("\n", place - MAX_LINE, place)
    return place if found < 0 else found


def _line_start_after(text: str, place: int) -> int:
    found = text.find("\n", place, place + MAX_LINE)
    return place if found < 0 else found + 1


# ---------------------------------------------------------------- how it is shown


def _shown(letter: Letter) -> Iterator[str]:
    heading, before = "", None
    for line in numbered_lines(letter):
        missing = _missing_between(letter, before, line)
        if missing:
            yield f"[{missing} characters left out]"
        if (found := _heading(letter, line)) != heading:
            heading = found
            yield f"[{heading}]"
        elif before and line.start > before.end + 1:
            yield ""
        yield f"{line.number}| {_plain(line.text)}"
        before = line


def _missing_between(letter: Letter, before: NumberedLine | None, line: NumberedLine) -> int:
    if not before or before.source != line.source:
        return 0
    return len(letter.sources[line.source][before.end : line.start].strip())


def _heading(letter: Letter, line: NumberedLine) -> str:
    """Which part the line is of. Names of attachments are the stranger's words, so they are not part of it."""
    source = line.source.partition(":")[0]
    kinds = (
        part.kind for part in letter.segments if part.source == line.source and part.start <= line.start < part.end
    )
    kind = next(kinds, source)
    return source if kind in (source, "header") else f"{source}: {kind}"


def _plain(text: str) -> str:
    """One line for the eye: no invisible characters, no line ends but ours, no control tokens of chat templates."""
    kept = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(kept.split()).replace("<|", "< |")


# ---------------------------------------------------------------- what we know already


def _firm(own: OwnFirm) -> str:
    user = own.user and own.user.model_dump(exclude_none=True)
    known = {"own_domains": sorted(own.domains), "own_names": sorted(own.names), "outlook_user": user}
    return "The recruiting firm: " + _plain(json.dumps(known, ensure_ascii=False))


def _suggestions(draft: Extraction) -> Iterator[str]:
    yield f"- intent: {draft.intent}"
    for person in draft.people[:MAX_SUGGESTED_PEOPLE]:
        found = {"role": person.role} | {value.field: _values(value) for value in _asked(person)}
        yield "- person: " + _plain(json.dumps(found, ensure_ascii=False, separators=(",", ":")))


def _asked(person: Person) -> Iterator[FieldValue]:
    """The values that the schema asks for; of the company's fields those that the person does not have as well."""
    return (
        value
        for value in person.fields
        if value.field in KEYS and (value.record != "company" or value.field in _COMPANY_KEYS)
    )


def _values(value: FieldValue) -> list[str]:
    """The best value and what else it could be, shortened."""
    contents = [value.value, *(other.value for other in value.alternatives[:3])]
    texts = (", ".join(content) if isinstance(content, list) else content for content in contents)
    return [text[:MAX_SUGGESTION] for text in texts]
