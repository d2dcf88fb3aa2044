"""The model's answer, read while it is still being written: text in, finished fields out, no I/O.

A push parser. Every character is looked at once; a value is told at the character that closes it, never while it
grows. Two layers: `_Lexer` cuts tokens out of whatever pieces the text comes in, `FieldReader` follows the grammar of
JSON (RFC 8259) with a stack of open containers.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from extraction.errors import ModelIncomplete

MAX_CHARACTERS = 400_000  # some 100 people with long texts; nobody's honest answer
MAX_DEPTH = 12  # the schema needs six
MAX_NUMBER = 64  # Python's int() is quadratic in digits

_STRING_STOP = re.compile(r'["\\]')
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_NUMBER_CHARACTERS = frozenset("+-.eE0123456789")
_WORDS: dict[str, tuple[str, Any]] = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}

Kind = Literal["{", "}", "[", "]", ":", ",", "string", "other"]
Path = tuple[str | int, ...]


class MalformedAnswer(ModelIncomplete):
    """The answer is not the JSON that was asked for."""

    code = "model_malformed"
    message = "The language model's answer was not well formed."


class Found(NamedTuple):
    """A closed value: `("intent",)` or `("people", 0, "email")`, and what `json.loads` would make of it."""

    path: Path
    value: Any


class _Token(NamedTuple):
    kind: Kind
    value: Any = None


class _Lexer:
    """Cuts text into tokens; what a piece leaves unfinished is kept for the next."""

    def __init__(self) -> None:
        self._unfinished: list[str] = []
        self._inside: Literal["", "string", "word", "number"] = ""
        self._escaping = False

    @property
    def at_rest(self) -> bool:
        return not self._inside

    def tokens(self, text: str) -> Iterator[_Token]:
        at = 0
        while at < len(text):
            match self._inside:
                case "string":
                    at, token = self._string(text, at)
                case "word":
                    at, token = self._word(text, at)
                case "number":
                    at, token = self._number(text, at)
                case _:
                    at, token = self._start(text, at)
            if token:
                yield token

    def _start(self, text: str, at: int) -> tuple[int, _Token | None]:
        char = text[at]
        match char:
            case " " | "\n" | "\r" | "\t":
                return at + 1, None
            case "{" | "}" | "[" | "]" | ":" | ",":
                return at + 1, _Token(char)
            case '"':
                self._inside = "string"
                return at + 1, None
        if char in _WORDS:
            self._inside = "word"
        elif char in "-0123456789":
            self._inside = "number"
        else:
            raise MalformedAnswer
        return at, None

    def _string(self, text: str, at: int) -> tuple[int, _Token | None]:
        if self._escaping:  # whatever is escaped cannot close the string; `json.loads` judges it later
            self._escaping = False
            self._unfinished.append(text[at])
            return at + 1, None
        stop = _STRING_STOP.search(text, at)
        if not stop:
            self._unfinished.append(text[at:])
            return len(text), None
        self._unfinished.append(text[at : stop.start()])
        if stop[0] == '"':
            return stop.end(), _Token("string", _decoded(self._taken()))
        self._unfinished.append("\\")
        self._escaping = True
        return stop.end(), None

    def _word(self, text: str, at: int) -> tuple[int, _Token | None]:
        self._unfinished.append(text[at])
        so_far = "".join(self._unfinished)
        word, value = _WORDS[so_far[0]]
        if not word.startswith(so_far):
            raise MalformedAnswer
        if so_far != word:
            return at + 1, None
        self._taken()
        return at + 1, _Token("other", value)

    def _number(self, text: str, at: int) -> tuple[int, _Token | None]:
        if text[at] in _NUMBER_CHARACTERS and len(self._unfinished) < MAX_NUMBER:
            self._unfinished.append(text[at])
            return at + 1, None
        number = self._taken()
        if not _NUMBER.fullmatch(number):
            raise MalformedAnswer
        return at, _Token("other", json.loads(number))

    def _taken(self) -> str:
        whole = "".join(self._unfinished)
        self._unfinished.clear()
        self._inside = ""
        return whole


def _decoded(inner: str) -> str:
    """A string's text without what no database and no socket can carry: NUL, and halves of surrogate pairs."""
    try:
        text: str = json.loads(f'"{inner}"')
    except ValueError:
        raise MalformedAnswer from None  # the cause would quote the mail
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


@dataclass
class _Open:
    """A container that is not closed yet, and what may come next in it."""

    items: dict[str, Any] | list[Any]
    expects: Literal["first", "key", "colon", "value", "comma"] = "first"
    key: str = ""

    def place(self) -> str | int:
        return self.key if isinstance(self.items, dict) else len(self.items)

    def put(self, value: Any) -> None:
        if isinstance(self.items, dict):
            self.items[self.key] = value
        else:
            self.items.append(value)
        self.expects = "comma"

    def wants_key(self) -> bool:
        return isinstance(self.items, dict) and self.expects in ("first", "key")

    def wants_value(self) -> bool:
        return self.expects == "value" or (self.expects == "first" and isinstance(self.items, list))


class FieldReader:
    """Feed it the answer as it comes; it gives back each field once, when it is whole."""

    def __init__(self) -> None:
        self._lexer = _Lexer()
        self._open: list[_Open] = []
        self._size = 0
        self._closed = False
        self._broken: MalformedAnswer | None = None

    def feed(self, text: str) -> list[Found]:
        """The values that this piece closes, in order. Raises `MalformedAnswer` once these have been given out."""
        if self._broken:
            raise self._broken
        found: list[Found] = []
        try:
            self._grow(len(text))
            for token in self._lexer.tokens(text):
                found += self._take(token)
        except MalformedAnswer as error:
            self._broken = error
            if not found:
                raise
        return found

    def finish(self) -> None:
        """Raises `MalformedAnswer` unless the document is closed."""
        if self._broken:
            raise self._broken
        if not self._closed or not self._lexer.at_rest:
            raise MalformedAnswer

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_CHARACTERS:
            raise MalformedAnswer

    def _take(self, token: _Token) -> list[Found]:
        if not self._open:
            return self._begin(token)
        top = self._open[-1]
        match token.kind:
            case "{" | "[" if top.wants_value():
                self._push({} if token.kind == "{" else [])
            case "string" if top.wants_key():
                top.key, top.expects = token.value, "colon"
            case "string" | "other" if top.wants_value():
                return self._close(token.value)
            case ":" if top.expects == "colon":
                top.expects = "value"
            case "," if top.expects == "comma":
                top.expects = "key" if isinstance(top.items, dict) else "value"
            case "}" | "]" if top.expects in ("first", "comma") and (token.kind == "}") == isinstance(top.items, dict):
                self._open.pop()
                return self._close(top.items)
            case _:
                raise MalformedAnswer
        return []

    def _begin(self, token: _Token) -> list[Found]:
        if self._closed or token.kind != "{":
            raise MalformedAnswer
        self._push({})
        return []

    def _push(self, items: dict[str, Any] | list[Any]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise MalformedAnswer
        self._open.append(_Open(items))

    def _close(self, value: Any) -> list[Found]:
        if not self._open:
            self._closed = True
            return []
        path = tuple(container.place() for container in self._open)
        self._open[-1].put(value)
        return [Found(path, value)] if _is_field(path) else []


def _is_field(path: Path) -> bool:
    if path[0] == "people":
        return len(path) == 3
    return len(path) == 1
