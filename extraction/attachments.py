"""Attachments as further sources of the letter: which files are read, how, and what is said when one cannot be.

Formats whose parsers a stranger can keep busy or break (PDF, Word, Rich Text, HTML) are read by a process of their
own for each file (`extraction.documents`). Nothing of a file's name or text gets into an issue.
"""

import asyncio
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from extraction.documents import MAX_CHARACTERS
from extraction.injection import noticed
from extraction.invitation import text_of_invitation
from extraction.letter import Letter, LetterFile, Segment
from extraction.mime import HIDDEN_TEXT
from extraction.msg import OLE_MAGIC
from extraction.text import canonical, decoded
from extraction.types import MAX_ATTACHMENTS, Issue

T = TypeVar("T")
Kind = Literal["pdf", "docx", "rtf", "html", "calendar", "text"]
Fault = Literal["damaged", "empty", "wordless", "unknown", "too_large", "encrypted", "out_of_time"]

FAULTS: dict[Fault, tuple[str, str]] = {
    "damaged": ("attachment_unreadable", "could not be read."),
    "empty": ("attachment_unreadable", "is empty."),
    "wordless": ("attachment_unreadable", "holds no text; perhaps it is a picture of one."),
    "unknown": ("attachment_unreadable", "is of a kind that is not read."),
    "too_large": ("attachment_too_large", "is too large and was not read."),
    "encrypted": ("attachment_encrypted", "is locked with a password and was not read."),
    "out_of_time": ("attachment_out_of_time", "took too long to read and was left out."),
}
CUT = ("attachment_too_large", "is long; only its beginning was read.")
TOO_MANY = Issue(
    code="attachment_too_large", message=f"Only the first {MAX_ATTACHMENTS} attachments were read; there are more."
)

ROOT = Path(__file__).parents[1]
MAX_ANSWER = 1_000_000  # bytes; the reading process stops far below
_READ: dict[str, Kind] = {
    **dict.fromkeys(("pdf", "application/pdf"), "pdf"),
    **dict.fromkeys(("docx", "docm", "dotx"), "docx"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    **dict.fromkeys(("rtf", "application/rtf", "text/rtf"), "rtf"),
    **dict.fromkeys(("html", "htm", "text/html"), "html"),
    **dict.fromkeys(("ics", "text/calendar"), "calendar"),
    **dict.fromkeys(("txt", "md", "vcf"), "text"),
}
_NOT_READ = {
    **{name: name for name in ("doc", "odt", "pages", "zip")},
    **{"application/msword": "doc", "application/zip": "zip"},
}
_LABELS = {"docx": "Word", "html": "web page", "calendar": "invitation", "text": "text"}
_LOCKED = "EncryptedPackage".encode("utf-16-le")  # a stream of Office files with a password ([MS-OFFCRYPTO] 2.3.4.4)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CHARSET = re.compile(rb"<meta[^<>]{0,200}charset=[\"']?([\w-]{1,40})", re.I)


@dataclass(frozen=True)
class Limits:
    """What reading may take. `processes` counts over all mails; a file's seconds begin when it has one."""

    document_bytes: int = 10_000_000
    text_bytes: int = 2_000_000
    characters: int = 60_000  # of all files together; one file has `documents.MAX_CHARACTERS`
    cpu_seconds: int = 5
    file_seconds: float = 10.0
    all_seconds: float = 20.0
    processes: int = 2


LIMITS = Limits()


class Attached(BaseModel):
    """What the attachments of a letter say: text by source, in the letter's order, and what could not be read."""

    texts: dict[str, str] = {}
    issues: tuple[Issue, ...] = ()


class _Heard(BaseModel):
    """What came of one file."""

    text: str = ""
    hidden: bool = False
    cut: bool = False
    fault: Fault | None = None


def with_attached(letter: Letter, attached: Attached) -> Letter:
    """The letter with the texts of its attachments behind its own."""
    segments = (Segment("attachment", source, 0, len(text)) for source, text in attached.texts.items())
    return replace(
        letter,
        sources=letter.sources | attached.texts,
        segments=(*letter.segments, *segments),
        issues=tuple(dict.fromkeys((*letter.issues, *attached.issues, *noticed(attached.texts.values())))),
    )


# ---------------------------------------------------------------- reading


class AttachmentReader:
    """Reads the files of letters within limits. One for the whole process: it counts what it started."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(limits.processes)

    async def read(self, letter: Letter) -> Attached:
        """All that can be read of the letter's files, in bounded time. What cannot be read is an issue."""
        files = [file for file in letter.files if not file.is_inline]
        files, left_out = files[:MAX_ATTACHMENTS], files[MAX_ATTACHMENTS:]
        deadline = asyncio.get_running_loop().time() + self._limits.all_seconds
        heard = await asyncio.gather(*(self._heard(file, deadline) for file in files))
        attached = _gathered(files, heard, self._limits.characters)
        return attached.model_copy(update={"issues": (*attached.issues, TOO_MANY)}) if left_out else attached

    async def _heard(self, file: LetterFile, deadline: float) -> _Heard | None:
        """None for what nobody expects to be read, such as a picture."""
        kind = kind_of(file)
        if kind is None:
            fault = _why_not(file)
            return _Heard(fault=fault) if fault else None
        most = self._limits.document_bytes if kind in ("pdf", "docx", "rtf") else self._limits.text_bytes
        if len(file.content) > most:
            return _Heard(fault="too_large")
        heard = await self._read(kind, file.content, deadline)
        return heard if heard.text or heard.fault else heard.model_copy(update={"fault": "wordless"})

    async def _read(self, kind: Kind, content: bytes, deadline: float) -> _Heard:
        if kind in ("calendar", "text"):
            return await asyncio.to_thread(_read_here, kind, content)
        if kind == "html":
            content = await asyncio.to_thread(_page_in_utf8, content)
        try:
            async with asyncio.timeout_at(deadline), self._free, asyncio.timeout(self._limits.file_seconds):
                heard = await self._ask_process(kind, content)
        except TimeoutError:
            return _Heard(fault="out_of_time")
        return heard.model_copy(update={"text": tidy(heard.text)})

    async def _ask_process(self, kind: Kind, content: bytes) -> _Heard:
        command = (sys.executable, "-m", "extraction.documents", kind, str(self._limits.cpu_seconds))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
            env={},  # whoever takes the process over finds no key in it
        )
        assert process.stdin and process.stdout  # noqa: S101  (pipes were asked for)
        try:
            process.stdin.write(content)
            process.stdin.close()
            answer = await _all_of(process.stdout)
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status == -signal.SIGXCPU:
            return _Heard(fault="out_of_time")
        try:
            return _Heard.model_validate_json(answer)
        except ValidationError:  # it crashed, or ran out of memory
            return _Heard(fault="damaged")


async def _all_of(stream: asyncio.StreamReader) -> bytes:
    """What a process says until it ends, but no more than it has any reason to."""
    try:
        return await stream.readexactly(MAX_ANSWER)
    except asyncio.IncompleteReadError as end:
        return end.partial


def _read_here(kind: Kind, content: bytes) -> _Heard:
    """Formats that are read line by line, in linear time."""
    text = canonical(_decoded(content, None))
    text = tidy(text_of_invitation(text) if kind == "calendar" else text)
    return _Heard(text=text[:MAX_CHARACTERS], cut=len(text) > MAX_CHARACTERS)


def _page_in_utf8(content: bytes) -> bytes:
    named = _CHARSET.search(content[:4096])
    return canonical(_decoded(content, named[1].decode("ascii") if named else None)).encode()


def _decoded(content: bytes, charset: str | None) -> str:
    return decoded(content, "utf-16" if content.startswith(_UTF_16) else charset)


def tidy(text: str) -> str:
    """Canonical, without what page layouts leave behind: spaces at the ends of lines, stacks of empty lines."""
    lines = "\n".join(line.rstrip() for line in canonical(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


# ---------------------------------------------------------------- which files


def kind_of(file: LetterFile) -> Kind | None:
    """As what a file can be read: by its content, whatever its name and type say; by these only for plain text."""
    content, promise = file.content, _promise_of(file)
    head = content[:1024]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04") and b"word/" in content:
        return "docx"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.lstrip(b"\xef\xbb\xbf\r\n ").upper().startswith(b"BEGIN:VCALENDAR"):
        return "calendar"
    is_text = content.strip() and (b"\x00" not in head or head.startswith(_UTF_16))
    return promise if is_text and promise in ("html", "text") else None


def _why_not(file: LetterFile) -> Fault | None:
    promise, foreign = _promise_of(file), _named(file, _NOT_READ)
    if not (promise or foreign):
        return None
    if not file.content.strip():
        return "empty"
    if file.content.startswith(OLE_MAGIC) and _LOCKED in file.content:
        return "encrypted"
    return "damaged" if promise else "unknown"


def _promise_of(file: LetterFile) -> Kind | None:
    return _named(file, _READ) or ("text" if file.content_type.lower().startswith("text/") else None)


def _named(file: LetterFile, kinds: Mapping[str, T]) -> T | None:
    """What the file's name makes one expect, or else its type."""
    return kinds.get(PurePath(file.filename.lower()).suffix.removeprefix(".")) or kinds.get(file.content_type.lower())


# ---------------------------------------------------------------- what is told


def _gathered(files: Iterable[LetterFile], heard: Iterable[_Heard | None], room: int) -> Attached:
    texts: dict[str, str] = {}
    issues: list[Issue] = []
    for number, (file, said) in enumerate(zip(files, heard, strict=True), start=1):
        if said is None:
            continue
        if text := said.text[:room]:
            texts[_source_for(file, number, texts)] = text
        room -= len(text)
        issues += _issues_of(said, cut=said.cut or len(text) < len(said.text), name=_called(file, number))
    return Attached(texts=texts, issues=tuple(dict.fromkeys(issues)))


def _issues_of(said: _Heard, cut: bool, name: str) -> Iterator[Issue]:
    if said.hidden:
        yield HIDDEN_TEXT
    if said.fault or cut:
        code, words = FAULTS[said.fault] if said.fault else CUT
        yield Issue(code=code, message=f"{name} {words}")


def _called(file: LetterFile, number: int) -> str:
    foreign = _named(file, _NOT_READ) or ""
    kind = kind_of(file) or _promise_of(file) or foreign
    return f"Attachment {number} ({_LABELS.get(kind, kind.upper())})"


def _source_for(file: LetterFile, number: int, taken: Iterable[str]) -> str:
    """`attachment:cv.pdf`; of two files with one name the second is `cv (2).pdf`."""
    name = PurePath(canonical(file.filename).replace("\n", " ").strip() or f"attachment-{number}")
    names = (str(name), *(f"{name.stem} ({again}){name.suffix}" for again in range(2, number + 1)))
    return next(source for source in (f"attachment:{name}" for name in names) if source not in taken)
