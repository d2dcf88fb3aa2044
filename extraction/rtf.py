"""Rich Text to plain text, and Outlook's packing of it ([MS-OXRTFCP]). Linear in the length, whatever is in it."""

import codecs
import re

_PRESET = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096
_TOKEN = re.compile(
    rb"\\(?P<word>[a-z]{1,32})(?P<number>-?\d{1,9})? ?|\\'(?P<hex>[0-9a-f]{2})|\\(?P<sign>.)|(?P<brace>[{}])"
    rb"|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.IGNORECASE | re.DOTALL,
)
_TABLES = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"objdata", b"revtbl", b"filetbl"})
_WORDS = {
    **dict.fromkeys((b"par", b"line", b"row", b"sect", b"page"), "\n"),
    **dict.fromkeys((b"tab", b"cell"), "\t"),
    **{b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’"},
    **{b"ldblquote": "“", b"rdblquote": "”"},
}
_SIGNS = {b"~": "\u00a0", b"_": "-", b"\n": "\n", b"\r": "\n", b"{": "{", b"}": "}", b"\\": "\\"}


def unpacked(content: bytes, most: int) -> bytes:
    """The first `most` bytes of the Rich Text that Outlook packed. Raises `ValueError` when it did not."""
    kind, packed = content[8:12], content[16:]
    if kind == b"MELA":
        return packed[:most]
    if kind != b"LZFu":
        raise ValueError("no Rich Text that Outlook packed")
    written = bytearray(_PRESET)
    position = 0
    while position < len(packed) and len(written) < most + len(_PRESET):
        control = packed[position]
        position += 1
        for bit in range(8):
            if not control >> bit & 1:
                written += packed[position : position + 1]
                position += 1
                continue
            reference = int.from_bytes(packed[position : position + 2], "big")
            position += 2
            distance = (len(written) - (reference >> 4)) % _WINDOW
            if not 0 < distance <= len(written):
                return bytes(written[len(_PRESET) :])  # a reference to the place itself is the end
            for _ in range((reference & 15) + 2):
                written.append(written[-distance])
    return bytes(written[len(_PRESET) :])


class RichText:
    """`RichText(content).text` is what the document says, `hidden` whether it also holds words marked as hidden."""

    def __init__(self, content: bytes) -> None:
        self.hidden = False
        self._pieces: list[str] = []
        self._bytes = bytearray()  # in the document's code page, which may take several for a character
        self._codepage = "cp1252"
        self._silent = self._concealed = False  # inside a table of fonts or the like; inside hidden text
        self._fallback, self._passing = 1, 0  # how many characters stand in for one that is given by number
        self._read(content)
        self._flush()
        self.text = "".join(self._pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _read(self, content: bytes) -> None:
        outer: list[tuple[bool, bool, int]] = []
        position = 0
        while found := _TOKEN.match(content, position):
            position = found.end()
            if brace := found["brace"]:
                if brace == b"{":
                    outer.append((self._silent, self._concealed, self._fallback))
                elif outer:
                    self._silent, self._concealed, self._fallback = outer.pop()
            elif word := found["word"]:
                number = int(found["number"]) if found["number"] else None
                position += max(number or 0, 0) if word == b"bin" else 0
                self._follow(word, number)
            elif found["sign"] == b"*":
                self._silent = True  # a part that only its own kind of reader knows
            elif sign := found["sign"]:
                self._say(_SIGNS.get(sign, ""))
            elif found["hex"] or found["text"]:
                self._say_bytes(bytes.fromhex(found["hex"].decode()) if found["hex"] else found["text"])

    def _follow(self, word: bytes, number: int | None) -> None:
        if word in _TABLES:
            self._silent = True
        elif word == b"ansicpg":
            self._codepage = _known(f"cp{number}")
        elif word == b"uc":
            self._fallback = number or 0
        elif word == b"v":
            self._concealed = number != 0
        elif word == b"u" and number is not None:
            self._say(chr(number % 0x10000))
            self._passing = self._fallback
        else:
            self._say(_WORDS.get(word, ""))

    def _say_bytes(self, content: bytes) -> None:
        passed = min(self._passing, len(content))
        self._passing -= passed
        if self._is_heard(bool(content[passed:].strip())):
            self._bytes += content[passed:]

    def _say(self, text: str) -> None:
        if text and self._is_heard(bool(text.strip())):
            self._flush()
            self._pieces.append(text)

    def _is_heard(self, says_something: bool) -> bool:
        self.hidden = self.hidden or (self._concealed and not self._silent and says_something)
        return not (self._silent or self._concealed)

    def _flush(self) -> None:
        self._pieces.append(self._bytes.decode(self._codepage, "replace"))
        self._bytes.clear()


def _known(codepage: str) -> str:
    try:
        return codecs.lookup(codepage).name
    except LookupError:
        return "cp1252"
