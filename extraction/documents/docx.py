"""A Word document: headers, paragraphs and tables, footers. Read as a stream: a bomb costs its limit and no more.

Only what stands in the parts is known, not how Word would draw them: text is hidden when it is marked so (`vanish`,
by itself or by its style), tiny, or white where nothing colours the ground.
"""

import encodings.cp437  # noqa: F401  (names in old archives are in it, and no file can be opened later)
from collections.abc import Iterator
from io import BytesIO
from xml.parsers import expat
from zipfile import ZipFile

from extraction.documents import MAX_CHARACTERS, Refused, Said

MAX_ENTRIES = 2_000
MAX_XML = 30_000_000  # characters of all parts together, after unpacking
CHUNK = 65_536
SMALLEST = 4  # half-points; what is smaller nobody can read
_OFF = frozenset({"0", "false", "off"})
_SKIPPED = frozenset({"Fallback", "moveFrom"})  # the same shape once more, for older readers; what stands elsewhere now
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNCOLOURED = frozenset({"auto", "FFFFFF", "none", "white"})

Attributes = dict[str, str]


def read(content: bytes) -> Said:
    with ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise Refused("too_large")
        if any(entry.flag_bits & 1 for entry in entries):
            raise Refused("encrypted")
        return _Package(archive).read()


class _Package:
    """The parts of a document, found by their content types: their names are the writer's affair."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._room = MAX_XML

    def read(self) -> Said:
        types = _ContentTypes()
        self._parse("[Content_Types].xml", types)
        if not types.named("document.main"):
            raise Refused("damaged")
        styles = _Styles()
        for name in types.named("styles"):
            self._parse(name, styles)
        page = _Text(styles.hidden)
        for name in (*types.named("header"), *types.named("document.main"), *types.named("footer")):
            if page.room > 0:
                self._parse(name, page)
        text = "".join(page.pieces)
        return Said(text[:MAX_CHARACTERS], page.hidden, page.room <= 0)

    def _parse(self, name: str, walker: "_Walker") -> None:
        parser = expat.ParserCreate(namespace_separator="|")
        parser.StartElementHandler, parser.EndElementHandler = walker.open, walker.close
        parser.CharacterDataHandler = walker.characters
        parser.StartDoctypeDeclHandler = _refuse  # no writer's document declares entities
        with self._archive.open(name) as part:
            while walker.room > 0 and (chunk := part.read(CHUNK)):
                self._room -= len(chunk)
                if self._room < 0:
                    raise Refused("too_large")
                parser.Parse(chunk, False)


def _refuse(*_: object) -> None:
    raise Refused("damaged")


class _Walker:
    """Elements by their local names; those of foreign vocabularies have none."""

    room = 1

    def __init__(self) -> None:
        self.path: list[str] = [""]
        self._skipped = 0

    def open(self, name: str, attributes: Attributes) -> None:
        uri, _, local = name.rpartition("|")
        if self._skipped or local in _SKIPPED:
            self._skipped += 1
            return
        self.path.append(local if "drawingml" not in uri and "math" not in uri else "")
        self.opened(self.path[-1], {key.rpartition("|")[2]: value for key, value in attributes.items()})

    def close(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        self.closed(self.path[-1])
        self.path.pop()

    def opened(self, name: str, given: Attributes) -> None: ...

    def closed(self, name: str) -> None: ...

    def characters(self, text: str) -> None: ...


class _ContentTypes(_Walker):
    def __init__(self) -> None:
        super().__init__()
        self._parts: list[tuple[str, str]] = []

    def named(self, kind: str) -> tuple[str, ...]:
        """Names of the parts of one kind, in the order of their names."""
        return tuple(sorted(name for name, given in self._parts if given.endswith(f".{kind}+xml")))

    def opened(self, name: str, given: Attributes) -> None:
        if name == "Override" and "wordprocessingml" in given.get("ContentType", ""):
            self._parts.append((given.get("PartName", "").lstrip("/"), given["ContentType"]))


class _Styles(_Walker):
    """Styles that hide their text."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[str] = set()
        self._style = ""

    def opened(self, name: str, given: Attributes) -> None:
        if name == "style":
            self._style = given.get("styleId", "")
        elif self._style and _hides(name, given):
            self.hidden.add(self._style)


class _Text(_Walker):
    """The text of the parts that are walked through, one after the other. Cells are parted by tabs, rows and paragraphs
    by line ends, as in `extraction.html`."""

    def __init__(self, hidden_styles: set[str]) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.room = MAX_CHARACTERS
        self.hidden = False
        self._hidden_styles = hidden_styles
        self._faults: list[set[str]] = []  # of the runs that are open: "hidden", "white"
        self._paragraphs: list[bool] = []  # whether the style of the open ones hides them
        self._cells: list[int] = []  # where the open ones begin among the pieces
        self._grounds: list[int] = []  # depths of the open elements that colour the ground

    def opened(self, name: str, given: Attributes) -> None:
        within = self.path[-2]
        match name:
            case "p":
                self._paragraphs.append(False)
                self._end_line()
            case "pStyle" if self._paragraphs:
                self._paragraphs[-1] = given.get("val") in self._hidden_styles
            case "r":
                self._faults.append({"hidden"} if self._paragraphs and self._paragraphs[-1] else set())
            case "tc":
                self._cells.append(len(self.pieces))
            case "tab" | "ptab" | "br" | "cr" | "noBreakHyphen" if within == "r":
                self._say(_SIGNS[name])
            case "txbxContent":
                self._grounds.append(len(self.path))
            case _ if _colours(name, given):
                self._grounds.append(len(self.path) - (1 if name == "background" else 2))
            case _ if within == "rPr" and self.path[-3] == "r" and self._faults:
                self._faults[-1].update(self._faults_of(name, given))

    def _faults_of(self, name: str, given: Attributes) -> Iterator[str]:
        if _hides(name, given) or (name == "rStyle" and given.get("val") in self._hidden_styles):
            yield "hidden"
        elif name == "color" and _is_white(given.get("val", "")):
            yield "white"

    def closed(self, name: str) -> None:
        match name:
            case "p":
                self._paragraphs.pop()
                self._end_line()
            case "r":
                self._faults.pop()
            case "tc":
                self._cut_back("\n", self._cells.pop())
                self._say("\t")
            case "tr":
                self._cut_back("\t", 0)
                self._say("\n")
        while self._grounds and self._grounds[-1] >= len(self.path):
            self._grounds.pop()

    def characters(self, text: str) -> None:
        if self.path[-1] == "t":
            faults = self._faults[-1] if self._faults else ()
            if "hidden" in faults or ("white" in faults and not self._grounds):
                self.hidden = self.hidden or bool(text.strip())
            else:
                self._say(text)

    def _say(self, text: str) -> None:
        self.pieces.append(text)
        self.room -= len(text)

    def _end_line(self) -> None:
        if self.pieces and self.pieces[-1] not in ("\n", "\t"):
            self._say("\n")

    def _cut_back(self, what: str, to: int) -> None:
        while len(self.pieces) > to and self.pieces[-1] == what:
            self.pieces.pop()


def _hides(name: str, given: Attributes) -> bool:
    if name == "vanish":
        return given.get("val", "1") not in _OFF
    size = given.get("val", "")
    return name == "sz" and size.isdigit() and int(size) < SMALLEST


def _colours(name: str, given: Attributes) -> bool:
    """Whether something lies behind the text that its colour may stand out from."""
    if name in ("highlight", "background"):
        return given.get("val" if name == "highlight" else "color", "auto") not in _UNCOLOURED
    return (name == "shd" and given.get("fill", "auto").upper() not in (*_UNCOLOURED, "AUTO")) or name == "tblStyle"


def _is_white(colour: str) -> bool:
    return len(colour) == 6 and all(part.upper() >= "F0" for part in (colour[:2], colour[2:4], colour[4:]))
