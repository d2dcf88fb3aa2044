"""HTML to the text a reader sees. What the reader does not see is left out and reported."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from extraction.colors import LEAST_CONTRAST, WHITE, Color, color_in

_SKIPPED = frozenset(
    {
        *("script", "style", "head", "title", "meta", "link", "noscript", "template", "object", "svg", "xml"),
        *("textarea", "select", "dialog", "iframe"),
    }
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_GAP = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol", "pre"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|(?:content-)?visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|"
    r"opacity\s*:\s*0?(?:\.0\d*)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*(?:[01](?:\.\d+)?|\.\d+)\s*(?:px|pt|em|%)?\s*(?:;|!|$)|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)"
    r"|(?<![\w-])(?:left|right|top|bottom|margin-left|margin-top|text-indent)\s*:\s*-\d{3,}|"
    r"transform\s*:\s*scale\(\s*0\s*\)"
    r"|clip\s*:\s*rect\(\s*[01](?:px)?[,\s]+[01](?:px)?[,\s]+[01](?:px)?[,\s]+[01](?:px)?\s*\)|"
    r"clip-path\s*:\s*(?:inset\(\s*(?:50|100)%|circle\(\s*0)",
    re.I,
)
_FLAT = re.compile(r"(?<![\w-])(?:height|width)\s*:\s*[01](?:px|pt)?\s*(?:;|!|$)", re.I)
_CUT_OFF = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.I)
# Rules of a style sheet for all screens; those inside of `@media` hold for some.
_FOR_SOME = re.compile(r"@[^{};]{1,200}\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|/\*.*?\*/", re.S)
_RULE = re.compile(r"([\w.#*\s,>-]{1,200})\{([^{}]{1,1000})\}")
_TELLS = re.compile(
    r"display|visib|opacity|colou?r|background|font-size|height|width|indent|left|top|clip|transform", re.I
)
_COLOR = re.compile(r"(?<![\w-])color\s*:\s*([^;!]{1,80})", re.I)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*([^;!]{1,80})", re.I)
MAX_RULES = 100
MAX_SHEET = 100_000
# Links that say something which their text does not: a profile, a booking.
_TELLING = re.compile(
    r"https?://(?:[\w.-]+\.)?(?:linkedin\.com/(?:comm/)?in/|calendly\.com/events/)[^\s<>\"]{1,300}", re.I
)
_GAPS = re.compile(r"[ \t\n]+")  # whole runs: a pattern for each part of one takes quadratic time on a mail of gaps
_NESTING = r"(?:div|span|font|table|blockquote|section|b|i|u|em|strong|center|ul|ol)\b"
_OPENING, _CLOSING = re.compile(rf"<{_NESTING}", re.I), re.compile(rf"</{_NESTING}", re.I)
MAX_UNCLOSED = 2_000
MAX_DEPTH = 400


@dataclass(frozen=True)
class Visible:
    """`text` as it reads, `hidden` when words were kept from the reader."""

    text: str
    hidden: bool


def text_from(html: str) -> Visible:
    """The visible text. Table cells are parted by tabs, rows and blocks by line ends."""
    if _nests_too_deep(html):
        return Visible(_tidy(re.sub(r"<[^<>]*>", "\n", html)), hidden=False)
    page = LexborHTMLParser(html)
    _spell_out_styles(page)
    walker = _Walker()
    if page.body is not None:
        walker.walk(page.body)
    return Visible(_tidy("".join(walker.pieces)), walker.hidden)


def _nests_too_deep(html: str) -> bool:
    """The parser takes quadratic time on thousands of elements that are never closed; no writer's mail has them."""
    return len(_OPENING.findall(html)) - len(_CLOSING.findall(html)) > MAX_UNCLOSED


def _spell_out_styles(page: LexborHTMLParser) -> None:
    """What the style sheets say of an element, said by the element itself, before its own words."""
    sheets = "".join(node.text() or "" for node in page.css("style"))[:MAX_SHEET]
    rules = (rule.groups() for rule in _RULE.finditer(_FOR_SOME.sub("", sheets)))
    telling = [(selector, style) for selector, style in rules if _TELLS.search(style)]
    for selector, style in reversed(telling[:MAX_RULES]):
        try:
            nodes = page.css(selector.strip())
        except SelectolaxError:
            continue
        for node in nodes:
            node.attrs["style"] = f"{style};{node.attributes.get('style') or ''}"


@dataclass(frozen=True)
class _Paint:
    """The colours of letters and of the ground behind them, None when not known."""

    ink: Color | None = None
    ground: Color | None = WHITE

    def over(self, node: LexborNode) -> "_Paint":
        """The paint inside of an element."""
        attributes = node.attributes
        style = attributes.get("style") or ""
        ground, ink = self.ground, self.ink
        for told in (attributes.get("bgcolor"), *_BACKGROUND.findall(style)):
            ground = color_in(told, ground) if told else ground
        for told in (attributes.get("text"), attributes.get("color"), *_COLOR.findall(style)):
            ink = color_in(told, ground) if told else ink
        return _Paint(ink, ground)

    def shows(self) -> bool:
        if self.ink is None or self.ground is None:
            return True
        return max(abs(one - other) for one, other in zip(self.ink, self.ground, strict=True)) >= LEAST_CONTRAST


class _Walker:
    """Depth first without recursion: mails nest as deep as their senders like."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.hidden = False

    def walk(self, body: LexborNode) -> None:
        stack: list[tuple[LexborNode | str, _Paint]] = [(body, _Paint())]
        depth = 0
        while stack:
            node, paint = stack.pop()
            if isinstance(node, str):
                self.pieces.append(node)
                depth -= 1
            elif node.tag == "-text":
                if paint.shows():
                    self.pieces.append(_collapsed(node.text_content or ""))
                else:
                    self._hide(node.text_content)
            elif _is_element(node) and not self._is_hidden(node):
                before, after = _edges(node)
                self.pieces.append(before)
                stack.append((after, paint))
                depth += 1
                if depth < MAX_DEPTH:
                    inside = paint.over(node)
                    stack.extend((child, inside) for child in reversed(list(_children(node))))

    def _is_hidden(self, node: LexborNode) -> bool:
        style = node.attributes.get("style") or ""
        flat = _FLAT.search(style) and _CUT_OFF.search(style)
        hidden = "hidden" in node.attributes or bool(_HIDDEN.search(style) or flat)
        if hidden:
            self._hide(node.text())
        return hidden

    def _hide(self, text: str | None) -> None:
        self.hidden = self.hidden or bool((text or "").strip(" \u200b\u200c\u034f\u2007\u00a0\n\t\r"))


def _is_element(node: LexborNode) -> bool:
    tag = node.tag
    return (tag is not None and tag not in _SKIPPED and tag[0] not in "-!_" and ":" not in tag) or tag == "o:p"


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _edges(node: LexborNode) -> tuple[str, str]:
    tag = node.tag or ""
    if tag == "br":
        return "\n", ""
    if tag in ("td", "th"):
        return "", "\t"
    if tag in ("tr", "tbody", "thead"):
        return "", "\n" if tag == "tr" else ""
    if tag == "li":
        return "\n- ", "\n"
    if tag in _BLOCKS:
        gap = "\n\n" if tag in _GAP else "\n"
        return (gap, gap) if node.parent is None or node.parent.tag not in ("td", "th", "li") else ("", "\n")
    if tag == "a":
        return "", _target(node)
    return "", ""


def _target(node: LexborNode) -> str:
    href = node.attributes.get("href") or ""
    if _TELLING.match(href) and href not in (node.text() or ""):
        return f" <{href}>"
    return ""


def _collapsed(text: str) -> str:
    """Runs of spaces mean one space in HTML; no-break spaces do not collapse."""
    return re.sub(r"[ \t\r\n\f]+", " ", text)


def _tidy(text: str) -> str:
    return _GAPS.sub(_gap, text.replace("\u00a0", " ")).strip("\n\t ")


def _gap(found: re.Match[str]) -> str:
    """What parts two words: a new cell, at most one empty line, or the spaces as they are."""
    gap = found.group()
    line_ends = gap.count("\n")
    if "\t" in gap[gap.rfind("\n") + 1 :]:
        return "\t"
    return "\n" * min(line_ends, 2) or gap
