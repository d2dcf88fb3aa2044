"""How a mail may word a figure: `$1.48M` as "1,480,000", `22` as "twenty-two years", `80%-85%` as "80 to 85 %"."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import zip_longest

from extraction.patterns.words import NUMBER, number_from
from extraction.types import EvidenceStatus

Match = tuple[int, int, EvidenceStatus]
# Text, value, and whether the model points at this text: then a bare number needs no unit beside it.
Way = Callable[[str, str, bool], Iterator[Match]]

_FIGURE = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_SIGN = r"(?:R\$|[$€£]|CHF|EUR|USD|GBP)"
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£"}
_UNITS = {
    "k": 1e3, "thousand": 1e3, "tausend": 1e3, "mil": 1e3, "mille": 1e3, "mila": 1e3,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "millones": 1e6, "milhões": 1e6, "millón": 1e6,
    "milioni": 1e6, "milione": 1e6, "miliardi": 1e9, "mil millones": 1e9,
    "b": 1e9, "bn": 1e9, "billion": 1e9, "mrd": 1e9, "milliarde": 1e9, "milliard": 1e9,
}  # fmt: skip
_MONEY = re.compile(
    rf"(?P<sign>{_SIGN})?\s?(?<![\w.,])(?P<figure>{_FIGURE})"
    rf"(?:\s?(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?:en|s|\.)?(?!\w))?(?P<after>\s?{_SIGN})?",
    re.I,
)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s?([KMB]?)")
_SIZES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_RANGE = 15  # characters between the ends of a range, at most


def amounts(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """`$1.48M` for "1.48mm", "1,480,000"; the low end of a range has the unit and the sign of the high one."""
    wanted = [float(figure) * _SIZES[unit] for figure, unit in _AMOUNT.findall(value)]
    sign = re.match(_SIGN, value)
    if not 1 <= len(wanted) <= 2:
        return
    figures = [found for found in _all(_MONEY, text) if _is_currency(found, sign[0] if sign else "")]
    for low, high in zip_longest(figures, figures[1:]):
        if len(wanted) == 1 and _means(low, None, wanted[0], pointed):
            yield *low.span("figure"), "normalised"
        elif len(wanted) == 2 and high and _is_range(low, high, wanted, pointed):
            yield low.start("figure"), high.end("figure"), "normalised"


@lru_cache(maxsize=8)
def _all(figure: re.Pattern[str], text: str) -> tuple[re.Match[str], ...]:
    """A mail is searched for many values, one after the other."""
    return tuple(figure.finditer(text))


def _is_currency(found: re.Match[str], wanted: str) -> bool:
    """Not another one: figures of a table have no sign, values without one may be any."""
    signs = {sign.strip().upper() for sign in (found["sign"], found["after"], wanted) if sign}
    return len({_CURRENCIES.get(sign, sign) for sign in signs}) <= 1


def _is_range(low: re.Match[str], high: re.Match[str], wanted: list[float], pointed: bool) -> bool:
    near = high.start("figure") - low.end("figure") < _RANGE
    return near and _means(low, high, wanted[0], pointed) and _means(high, low, wanted[1], pointed)


def _means(found: re.Match[str], other: re.Match[str] | None, size: float, pointed: bool) -> bool:
    """Whether a figure stands for the amount: by its own unit or that of the range's other end, else in full; a bare
    figure of unknown size only with a sign, or where the model points."""
    figure = _plain(found["figure"])
    units = [unit for match in (found, other) if match and (unit := match["unit"])]
    if units and any(_close(figure * _UNITS.get(unit.lower(), 0.0), size) for unit in units):
        return True
    if _close(figure, size) and size >= 1000:
        return True
    signed = any(match["sign"] or match["after"] for match in (found, other) if match)
    may_be = not found["unit"] and (signed or (pointed and not _counts_something(found)))
    return may_be and any(_close(figure * scale, size) for scale in (1.0, 1e3, 1e6))


def _counts_something(found: re.Match[str]) -> bool:
    """Households, years, a suite, a share: no money."""
    before = found.string[max(0, found.start() - _BEFORE) : found.start()]
    return bool(_NUMBERED.search(before) or _COUNTED.match(found.string, found.end()))


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def _plain(figure: str) -> float:
    figure = figure.replace(" ", "").replace("'", "")
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", figure):
        return float(re.sub(r"[.,]", "", figure))
    head, _, tail = figure.replace(",", ".").rpartition(".")
    return float(f"{head.replace('.', '')}.{tail}") if head else float(tail)


_COUNT = re.compile(rf"(?<![\w.,$€£])({NUMBER})(?![\d%]|[.,]\d)(?!\s?[KMB]\b)", re.I)
_CLIENTS = r"client|kunde|household|haushalt|famil|relationship|mandant|mandat|trust|foyer|hogar|account|cuenta"
_YEARS = r"y(?:ea)?rs?\b|jahr|a[ñn]os?\b|\bans\b|anni\b|jaar|experien|erfahrung|expérience"
_BEFORE, _AFTER = 25, 40
_COUNTED = re.compile(rf"\s?(?:%|(?:\w+\s)?(?:{_CLIENTS}|{_YEARS}))", re.I)
_NUMBERED = re.compile(r"(?:\b(?:suite|ste|room|floor|unit|apt|series|box|zip)|#|no\.|nr\.)\W{0,2}$", re.I)


def client_counts(text: str, value: str, pointed: bool) -> Iterator[Match]:
    return _counts(text, value, pointed, _CLIENTS)


def years(text: str, value: str, pointed: bool) -> Iterator[Match]:
    return _counts(text, value, pointed, _YEARS)


def _counts(text: str, value: str, pointed: bool, unit: str) -> Iterator[Match]:
    """A number in digits or words with its unit beside it; the unit may be missing where the model points."""
    if not re.search(r"\d|" + unit, text, re.I):
        return
    for found in _all(_COUNT, text):
        if number_from(found[1]) == value:
            around = text[max(0, found.start() - _BEFORE) : found.end() + _AFTER]
            if pointed or re.search(unit, around, re.I):
                yield *found.span(1), "quoted" if found[1] == value else "normalised"


_OF_HUNDRED = r"(?:%|percent|per cent|prozent|pour ?cent|por ciento|por cento|procent)"
_PERCENT = re.compile(_OF_HUNDRED, re.I)
_SHARE = re.compile(
    rf"(?<![\w.,])({NUMBER})(?:\s?%)?(?:\s?(?:-|–|to|bis|à|a|y|and)\s?({NUMBER}))?\s?{_OF_HUNDRED}", re.I
)


def shares(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """`80%-85%` for "80 to 85 percent"."""
    wanted = re.findall(r"\d+", value)
    for found in _all(_SHARE, text) if _PERCENT.search(text) else ():
        if wanted == [number_from(number) for number in found.groups() if number]:
            yield *found.span(), "normalised"
