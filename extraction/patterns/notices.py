"""Labelled answers: booking forms, platform tables, badge scans, "Firm: …" lists, and tables with a row a person."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from extraction.letter import Letter
from extraction.patterns.circle import domain_of, is_service
from extraction.patterns.labels import kind_by_words, kind_of, kind_of_question
from extraction.patterns.names import NAME
from extraction.patterns.reading import Passage, once

_LINE = re.compile(
    r"^[\s•*\-–]*(?P<label>[^\n:\t=]{2,70}?)\s*(?::\s|:$|\t|=|\s?\.{3,}\s?|\s{3,}|(?<=\?)\s)(?P<value>.*)$"
)
_DASHED = re.compile(r"^[\s•*]*(?P<label>[^\n:\t=–—]{2,40}?)\s[-–—]\s(?P<value>.*)$")
_QUESTION = re.compile(
    r"^[\s•*\-]*(?P<label>[^\n]{5,120}\?)\W*$|^\s*Q(?:uestion)?\s?\d{0,2}\s?[.:)]\s*(?P<numbered>\S.*)$"
)
_ANSWER = re.compile(r"^\s*A(?:nswer)?\s?\d{0,2}\s?[.:)]\s*", re.I)
_NOTHING = re.compile(
    r"^\W*(?:n/?a|none|not (?:disclosed|shared|given|applicable|specified|provided)|unknown|tbd|nil|no|keine?|nein|"
    r"non|aucune?|"
    r"ninguno|nenhum|nessuno)?\W*$",
    re.I,
)
_VIA = re.compile(r"\bvia\s[A-Z]")
_APPLICANT = re.compile(r"^(?:applicant|candidate)(?: name)?:", re.I | re.M)
_VAULT = re.compile(r"\btwav\b|\badvisor vault\b", re.I)
_ADDRESS = re.compile(r"\s*[A-ZÀ-Þ][^\n.!?]{0,30},\s*(?:\n|$)")  # "Hello Priya," begins a mail, not an answer
_MANY = 3  # so many known labels make a text a form, whose other labels are taken by their words


@dataclass(frozen=True)
class Answer:
    """What was answered to a label: `[start, end)` of the passage. `row` tells people of one table apart."""

    kind: str
    passage: Passage
    start: int
    end: int
    row: int = 0

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


@once
def answers_in(passage: Passage) -> tuple[Answer, ...]:
    """All labelled answers of a passage, in order. Unknown questions give kind "other"."""
    lines = _lines(passage.text)
    table = _table(passage, lines)
    labelled = (answer for answer in _labelled(passage, lines[:400]) if not _NOTHING.match(answer.text))
    taken = [(answer.start, answer.end) for answer in table]
    return (*table, *(a for a in labelled if not any(first < a.end and a.start < last for first, last in taken)))


def _lines(text: str) -> list[tuple[int, str]]:
    lines, position = [], 0
    for line in text.split("\n"):
        lines.append((position, line))
        position += len(line) + 1
    return lines


def _labelled(passage: Passage, lines: list[tuple[int, str]]) -> Iterator[Answer]:
    is_form = sum(_has_known_label(line) for _, line in lines) >= _MANY
    reads = kind_by_words if is_form else kind_of
    waiting: str | None = None
    for start, line in lines:
        if not line.strip():
            continue
        pairs = _cells(line, reads)
        label, at = _label(line, reads, is_form)
        kind = reads(label)
        question = _QUESTION.match(line)
        if pairs:
            for kind, first, last in pairs:
                yield Answer(kind, passage, start + first, start + last)
            waiting = None
        elif kind and line[at:].strip():
            yield Answer(kind, passage, start + at, start + len(line.rstrip()))
            waiting = None
        elif kind or (len(line) < 60 and kind_of(line)):
            waiting = (kind or kind_of(line)) if not line.rstrip().endswith("=") else None
        elif question:
            waiting = kind_by_words(question["label"] or question["numbered"]) or "other"
        elif waiting:
            answered = _ANSWER.match(line)
            first = answered.end() if answered else len(line) - len(line.lstrip())
            yield Answer(waiting, passage, start + first, start + len(line.rstrip()))
            # A dial-in takes several lines; everything else is one answer.
            waiting = "dial" if waiting == "dial" and len(line) < 80 else None
        elif is_form and passage.kind != "attachment" and len(line) < 60 and "," not in line:
            waiting = kind_by_words(line)


def _label(line: str, reads: Callable[[str], str | None], is_form: bool) -> tuple[str, int]:
    """The label of a line and where its value begins. A dash parts them only where no other sign does."""
    written = _LINE.match(line)
    if written and reads(written["label"]):
        return written["label"], written.start("value")
    dashed = _DASHED.match(line)
    if dashed and (is_form or kind_of(dashed["label"])):
        return dashed["label"], dashed.start("value")
    return "", 0


def _has_known_label(line: str) -> bool:
    written = _LINE.match(line) or _DASHED.match(line)
    return bool(kind_of(written["label"] if written else line) if len(line) < 200 else None)


def _cells(line: str, reads: Callable[[str], str | None]) -> list[tuple[str, int, int]]:
    """Label and value side by side, twice or more in a row of a table: `(kind, start, end)` of each value."""
    cells, found, position = line.rstrip("\t ").split("\t"), [], 0
    if len(cells) < 4 or not reads(cells[0]) or not reads(cells[2]):
        return []
    for number, cell in enumerate(cells):
        kind = reads(cells[number - 1]) if number % 2 else None
        if kind and cell.strip():
            found.append((kind, position, position + len(cell)))
        position += len(cell) + 1
    return found


def interleaved(passages: tuple[Passage, ...]) -> Iterator[Answer]:
    """Answers written below the questions of the quoted mail, each the first paragraph that follows."""
    for asked, told in pairwise(passages):
        if asked.kind != "quoted" or told.kind != "new" or _ADDRESS.match(told.text):
            continue
        last = re.split(r"\n\s*\n", asked.text.rstrip())[-1]
        kinds = (kind_of_question(question) for question in re.findall(r"[^.?!]+\?", last))
        kind = next(filter(None, kinds), None)
        if kind:
            first = len(told.text) - len(told.text.lstrip())
            yield Answer(kind, told, first, first + len(re.split(r"\n\s*\n", told.text[first:])[0]))


def _table(passage: Passage, lines: list[tuple[int, str]]) -> tuple[Answer, ...]:
    """A table of people, one a row under labels or one a column beside them; totals are nobody."""
    for number, (_, line) in enumerate(lines):
        cells = list(_split(line))
        labels = [kind_of(cell) for _, cell in cells]
        following = lines[number + 1 : number + 30]
        if labels and labels[0] == "name" and sum(label is not None for label in labels) >= 3:
            return tuple(
                answer
                for row, (start, text) in enumerate(following, start=1)
                if len(list(_split(text))) > 1 and not re.match(r"\s*(?:totals?|sum|summe)\b", text, re.I)
                for answer in _row(passage, start, text, labels, row)
            )
        if len(cells) > 2 and labels[0] == "name" and all(re.fullmatch(NAME, cell) for _, cell in cells[1:]):
            return tuple(_columns(passage, lines[number : number + 30], len(cells)))
    return ()


def _split(line: str) -> Iterator[tuple[int, str]]:
    """Cells, parted by tabs or by three spaces, with their offsets."""
    gap = r"\t" if "\t" in line else r"\s{3,}"
    start = len(line) - len(line.lstrip()) if gap != r"\t" else 0
    position = start
    for cell in re.split(f"({gap})", line[start:].rstrip()):
        if not re.fullmatch(gap, cell):
            yield position, cell
        position += len(cell)


def _columns(passage: Passage, lines: list[tuple[int, str]], width: int) -> Iterator[Answer]:
    for start, line in lines:
        cells = list(_split(line))
        kind = kind_of(cells[0][1]) if len(cells) == width else None
        for row, (position, cell) in enumerate(cells[1:] if kind else (), start=1):
            yield Answer(kind or "", passage, start + position, start + position + len(cell), row)


def _row(passage: Passage, start: int, text: str, labels: list[str | None], row: int) -> Iterator[Answer]:
    for label, (position, cell) in zip(labels, _split(text), strict=False):
        if label and cell.strip():
            yield Answer(label, passage, start + position, start + position + len(cell), row)


def notice_of(letter: Letter) -> str | None:
    """Which service tells of somebody: `calendly`, `linkedin`, `vault`, `board`, or None for a mail between people."""
    domain = domain_of(letter.sender.email)
    body = letter.sources["body"]
    if domain.endswith("linkedin.com"):
        return "linkedin"
    if domain.endswith("calendly.com"):
        return "calendly"
    if _VAULT.search(f"{letter.sender.name} {letter.sender.email} {letter.sources['subject']}"):
        return "vault"
    if _VIA.search(letter.sender.name or "") or is_service(letter.sender) or _APPLICANT.search(body[:4000]):
        return "board"
    return None
