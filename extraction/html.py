"""HTML to the text a reader sees. What the reader does not see is left out and reported."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

_SKIPPED = frozenset(
    {"script", "style", "head", "title", "meta", "link", "noscript", "template", "object", "svg", "xml"}
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
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)"
    r"|font-size\s*:\s*[01](?:\.\d+)?\s*(?:px|pt|em|%)?\s*(?:;|!|$)|(?<![-\w])color\s*:\s*transparent"
    r"|max-height\s*:\s*0(?:px)?\s*(?:;|$)",
    re.I,
)
_COLOR = re.compile(r"(?<![-\w])color\s*:\s*(#\w{3,8}|\w+)", re.I)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*(#\w{3,8}|\w+)", re.I)
_NAMED = {"white": "#ffffff", "black": "#000000"}
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
    walker = _Walker()
    if page.body is not None:
        walker.walk(page.body)
    return Visible(_tidy("".join(walker.pieces)), walker.hidden)


def _nests_too_deep(html: str) -> bool:
    """The parser takes quadratic time on thousands of elements that are never closed; no writer's mail has them."""
    return len(_OPENING.findall(html)) - len(_CLOSING.findall(html)) > MAX_UNCLOSED


class _Walker:
    """Depth first without recursion: mails nest as deep as their senders like."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.hidden = False

    def walk(self, body: LexborNode) -> None:
        stack: list[tuple[LexborNode | str, str]] = [(body, "#ffffff")]
        depth = 0
        while stack:
            node, background = stack.pop()
            if isinstance(node, str):
                self.pieces.append(node)
                depth -= 1
            elif node.tag == "-text":
                self.pieces.append(_collapsed(node.text_content or ""))
            elif _is_element(node) and not self._is_hidden(node, background):
                before, after = _edges(node)
                self.pieces.append(before)
                stack.append((after, ""))
                depth += 1
                if depth < MAX_DEPTH:
                    here = _background(node) or background
                    stack.extend((child, here) for child in reversed(list(_children(node))))

    def _is_hidden(self, node: LexborNode, background: str) -> bool:
        attributes = node.attributes
        style = attributes.get("style") or ""
        color = _color_in(_COLOR, style) or _hex(attributes.get("color") or "")
        hidden = (
            "hidden" in attributes
            or bool(_HIDDEN.search(style))
            or bool(color and color == (_background(node) or background))
        )
        if hidden and (node.text() or "").strip(" \u200b\u200c\u034f\u2007\u00a0\n"):
            self.hidden = True
        return hidden


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


def _background(node: LexborNode) -> str | None:
    return _color_in(_BACKGROUND, node.attributes.get("style") or "") or _hex(node.attributes.get("bgcolor") or "")


def _color_in(pattern: re.Pattern[str], style: str) -> str | None:
    found = pattern.search(style)
    return _hex(found.group(1)) if found else None


def _hex(color: str) -> str | None:
    color = _NAMED.get(color.lower(), color.lower())
    if color.startswith("#") and len(color) == 4:
        return "#" + "".join(digit * 2 for digit in color[1:])
    return color or None


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
