"""Where in the mail a value stands: exact, then normalised with an offset map, then by kind; else nowhere."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from extraction.letter import Letter
from extraction.types import Evidence, EvidenceStatus

_SAME = {
    "–": "-",
    "—": "-",
    "‐": "-",
    "−": "-",
    "’": "'",
    "‘": "'",
    "´": "'",
    "`": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
}
_EXACT_ONLY = frozenset({"email", "referrer_email", "linkedin_url", "website", "meeting_link"})
_PHONES = frozenset({"phone", "mobile"})
_MONEY = frozenset({"aum", "production", "compensation"})
_FIGURE = re.compile(r"\d[\d.,' ]*")
_MAX = 200_000

Near = tuple[str, int, int]


def find(letter: Letter, value: str, field: str, near: Near | None = None) -> Evidence | None:
    """The words a value rests on, None when the mail does not say it. `near` is looked at first."""
    value = value.strip()
    if not value:
        return None
    for source, start, end in _stretches(letter, near):
        found = _find_in(letter.sources[source][start:end], value, field)
        if found:
            first, last, status = found
            quote = letter.sources[source][start + first : start + last]
            return Evidence(source=source, start=start + first, end=start + last, quote=quote, status=status)
    return None


def _stretches(letter: Letter, near: Near | None) -> Iterator[Near]:
    """The place named, then the newest text first; headers hold names and addresses; attachments last."""
    if near and near[0] in letter.sources:
        length = len(letter.sources[near[0]])
        yield near[0], max(0, near[1]), min(length, near[2])
    order: list[str] = [name for name in ("header", "subject", "body") if name in letter.sources]
    order += [name for name in letter.sources if name not in order]
    for name in order:
        yield name, 0, min(len(letter.sources[name]), _MAX)


def _find_in(text: str, value: str, field: str) -> tuple[int, int, EvidenceStatus] | None:
    exact = _on_word_edges(text, value)
    if exact is not None:
        return exact, exact + len(value), "quoted"
    if field in _PHONES:
        return _phone(text, value)
    if field in _EXACT_ONLY:
        return _address(text, value)
    return _normalised(text, value) or (_amount(text, value) if field in _MONEY else None)


def _on_word_edges(text: str, value: str) -> int | None:
    start = text.find(value)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(value) : start + len(value) + 1]
        if not (_is_word(before) and _is_word(value[0])) and not (_is_word(after) and _is_word(value[-1])):
            return start
        start = text.find(value, start + 1)
    return None


def _is_word(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_")


# ---------------------------------------------------------------- normalised


@lru_cache(maxsize=64)
def _folded(text: str) -> tuple[str, tuple[int, ...]]:
    """Text in one spelling, and for each of its characters the place in the original."""
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if char.isspace() or char == ">":
            if chars and chars[-1] != " ":
                chars.append(" ")
                places.append(place)
            continue
        for folded in unicodedata.normalize("NFKD", _SAME.get(char, char)).casefold():
            if not unicodedata.combining(folded):
                chars.append(folded)
                places.append(place)
    return "".join(chars), tuple(places)


def _normalised(text: str, value: str) -> tuple[int, int, EvidenceStatus] | None:
    folded, places = _folded(text)
    wanted = _folded(value)[0].strip()
    start = _on_word_edges(folded, wanted) if wanted else None
    if start is None:
        return None
    return places[start], places[start + len(wanted) - 1] + 1, "normalised"


# ---------------------------------------------------------------- by kind


def _phone(text: str, value: str) -> tuple[int, int, EvidenceStatus] | None:
    """The last nine digits or more in this order, with anything that numbers are written with between them."""
    digits = re.sub(r"\D", "", value)
    if len(digits) < 9:
        return None
    for wanted in (digits, digits[-10:], digits[-9:]):
        found = re.search(r"(?<!\d)[+(]{0,2}" + r"[\s().\-/–·]{0,3}".join(wanted) + r"(?!\d)", text)
        if found:
            return found.start(), found.end(), "normalised"
    found = re.search(r"[\s().\-/–·]{0,3}".join(digits[-9:]) + r"(?!\d)", text)
    return (found.start(), found.end(), "normalised") if found else None


def _address(text: str, value: str) -> tuple[int, int, EvidenceStatus] | None:
    """Addresses and links: case and what is in front (`https://`, `www.`) may differ, nothing else."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", value.lower()).rstrip("/")
    slug = re.sub(r"^linkedin\.com/(?:comm/)?in/", "", bare)
    lowered = text.lower() if len(text.lower()) == len(text) else text
    for wanted in dict.fromkeys((bare, f"/in/{slug}" if slug != bare else bare)):
        start = _on_word_edges(lowered, wanted)
        if start is not None and (lowered[start - 1 : start] not in ("-", "@") or "@" in bare):
            return start, start + len(wanted), "normalised"
    return None


def _amount(text: str, value: str) -> tuple[int, int, EvidenceStatus] | None:
    """`$1.48M` for "1.48mm", "1,480,000": every number of the value stands in the text, together."""
    wanted = [_sizes(number, unit) for number, unit in re.findall(r"([\d.]+)\s?([KMB]?)", value)]
    if not wanted:
        return None
    figures = [
        (match.start(), match.start() + len(match.group().rstrip(" .,'")), _plain(match.group()))
        for match in _FIGURE.finditer(text)
    ]
    for number, (start, end, plain) in enumerate(figures):
        if plain in wanted[0]:
            last = figures[number + 1] if len(wanted) > 1 and number + 1 < len(figures) else None
            if len(wanted) == 1 or (last and last[2] in wanted[1] and last[0] - end < 15):
                return start, last[1] if last else end, "normalised"
    return None


def _sizes(number: str, unit: str) -> set[float]:
    """The figures that may stand for an amount: as written, a thousandth, a thousandfold …"""
    size = float(number.rstrip(".") or 0)
    scale = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}[unit]
    return {round(value, 6) for value in (size, size * scale, size * scale / 1e3 if unit == "M" else size)}


def _plain(figure: str) -> float:
    figure = figure.strip(" .,'").replace(" ", "").replace("'", "")
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", figure):
        return float(re.sub(r"[.,]", "", figure))
    head, _, tail = figure.replace(",", ".").rpartition(".")
    return round(float(f"{head.replace('.', '')}.{tail}") if head else float(tail), 6)
