"""Text as everybody behind the door sees it: LF line ends, plain spaces, nothing invisible."""

import re

from charset_normalizer import from_bytes

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Zero-width and bidi controls, soft hyphen, grapheme joiner, tags: they split words for a reader of code only.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff\ufffe\uffff"
)
_TABLE: dict[int, str | None] = {
    **dict.fromkeys((*range(32), *range(127, 160), *range(55296, 57344), *range(917504, 917632))),
    **{ord(char): None for char in _INVISIBLE},
    **{ord(char): " " for char in _SPACES},
    ord("\u2011"): "-",
    ord("\u2028"): "\n",
    ord("\u2029"): "\n",
    ord("\n"): "\n",
    ord("\t"): "\t",
    0x0B: "\n",
    0x0C: "\n",
}
_TERMINAL_ESCAPE = re.compile(r"\x1b\[[0-9;]{0,12}[A-Za-z]")


def canonical(text: str) -> str:
    """The text without control characters (but tab and newline) and invisible ones; every kind of space is a space."""
    text = _TERMINAL_ESCAPE.sub("", text) if "\x1b" in text else text
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE)


def decoded(content: bytes, charset: str | None) -> str:
    """Bytes as text, whatever the charset claims to be: the named one, UTF-8, a guess, and at last Latin-1."""
    # What is labelled ISO-8859-1 is Windows-1252 in practice (WHATWG Encoding Standard does the same).
    named = "windows-1252" if (charset or "").lower() in ("iso-8859-1", "latin-1", "us-ascii", "ascii", "") else charset
    for name in dict.fromkeys(("utf-8", named) if named == "windows-1252" else (named, "utf-8")):
        try:
            return content.decode(name or "utf-8")
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    guess = from_bytes(content[:20_000]).best()
    return content.decode(guess.encoding if guess else "latin-1", errors="replace")
