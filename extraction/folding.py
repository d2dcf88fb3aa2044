"""Text in one spelling, with the way back: what is the same for a reader compares equal."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_SAME = {
    **dict.fromkeys("–—‐−", "-"),
    **dict.fromkeys("’‘´`", "'"),
    **dict.fromkeys("“”„«»", '"'),
    "&": "and",
    "ß": "ss",
}


@lru_cache(maxsize=64)
def folded(text: str) -> tuple[str, tuple[int, ...]]:
    """Without case and accents, one kind of dash and quote, white space and quote marks (`>`) as one space; and for
    each of its characters the place in the original."""
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if char.isspace() or char == ">":
            if chars and chars[-1] != " ":
                chars.append(" ")
                places.append(place)
            continue
        for plain in _plain(char):
            chars.append(plain)
            places.append(place)
    return "".join(chars), tuple(places)


@lru_cache(maxsize=2048)
def _plain(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", _SAME.get(char, char)).casefold()
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def fold(text: str) -> str:
    return folded(text)[0].strip()


def on_word_edges(text: str, value: str) -> Iterator[int]:
    """Everywhere `value` stands in the text as whole words."""
    start = text.find(value) if value else -1
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(value) : start + len(value) + 1]
        if not (_is_word(before) and _is_word(value[0])) and not (_is_word(after) and _is_word(value[-1])):
            yield start
        start = text.find(value, start + 1)


def _is_word(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_")
