"""How a mail may word a value: `+12605550142` as "260.555.0142", `IN` as "Indiana", `Series 9` in "Series 7 and 9"."""

import re
from collections.abc import Iterator

import phonenumbers

from extraction.figures import Match, Way, amounts, client_counts, shares, years
from extraction.folding import fold, folded, on_word_edges
from extraction.patterns.regions import CODES, COUNTRIES, STATE_NAMES, country_of_state, state_code


def worded(text: str, value: str, field: str, pointed: bool) -> Iterator[Match]:
    """Everywhere the text says the value, the surest wording first."""
    for way in _WAYS.get(field, (_quoted, _normalised)):
        yield from way(text, value, pointed)


def _quoted(text: str, value: str, pointed: bool) -> Iterator[Match]:
    return ((start, start + len(value), "quoted") for start in on_word_edges(text, value))


def _normalised(text: str, value: str, pointed: bool) -> Iterator[Match]:
    plain, places = folded(text)
    wanted = fold(value)
    for start in on_word_edges(plain, wanted):
        yield places[start], places[start + len(wanted) - 1] + 1, "normalised"


# ---------------------------------------------------------------- addresses

_BETWEEN_DIGITS = r"[\s().\-/–·]{0,3}"


def _phone(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """The last nine digits or more in this order, of shorter numbers all, with anything that numbers are written with
    between them. What is left out in front may be a country code; a trunk zero may stand there."""
    digits = value.removeprefix("+")
    try:
        least = min(9, len(str(phonenumbers.parse(value).national_number)))
    except phonenumbers.NumberParseException:
        return
    front = ""
    for digit in digits[:-least]:
        front = f"(?:{front}{digit}{_BETWEEN_DIGITS})?"
    number = rf"(?<![1-9])[+(]{{0,2}}{front}{_BETWEEN_DIGITS.join(digits[-least:])}(?!\d)"
    yield from ((*found.span(), "normalised") for found in re.finditer(number, text))


_LONGER = re.compile(r"[.-]?\w")  # goes on: another host, another profile


def _address(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """Addresses and links: case and what is in front (`https://`, `www.`) may differ, nothing else."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", value.lower()).rstrip("/")
    slug = re.sub(r"^linkedin\.com/(?:comm/)?in/", "", bare)
    lowered = text.lower() if len(text.lower()) == len(text) else text
    for wanted in dict.fromkeys((value.lower(), bare, f"/in/{slug}" if slug != bare else bare)):
        for start in on_word_edges(lowered, wanted):
            end = start + len(wanted)
            is_part = lowered[start - 1 : start] in ("-", "@", ".") and lowered[start - 4 : start] != "www."
            if not (is_part and wanted[0] != "/") and not _LONGER.match(lowered, end):
                yield start, end, "quoted" if text[start:end] == value else "normalised"


# ---------------------------------------------------------------- places

# A code is no word: it stands behind a comma, a bracket, a label, a city or at the beginning of a line.
_CODE = r"(?:^|[,(|·>\t\n:=][ ]?|[ ]{{2}}|[A-Z][\w'’.-]+[ ])({})(?![\w'’]|[ ]?[:#])"
_SHORTEST = 5  # letters of a name that is known in any case: "Mass" is a state, "mass" a word


def _state(text: str, value: str, pointed: bool) -> Iterator[Match]:
    if value not in CODES:
        yield from _quoted(text, value, pointed)
        yield from _normalised(text, value, pointed)
        return
    yield from _code(text, value)
    for name in sorted(STATE_NAMES):
        if state_code(name) == value:
            yield from _name(text, name)


def _country(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """Its name or code; a state that is named says it, too."""
    yield from _code(text, value)
    for name in (name for name, code in COUNTRIES.items() if code == value):
        yield from _name(text, name)
    for state in sorted(CODES) if value in ("US", "CA") else ():
        if country_of_state(state) == value:
            yield from ((start, end, "derived") for start, end, _ in _state(text, state, pointed))


def _name(text: str, name: str) -> Iterator[Match]:
    yield from ((start, start + len(name), "normalised") for start in on_word_edges(text, name))
    if len(name) >= _SHORTEST:
        yield from _normalised(text, name, pointed=False)


def _code(text: str, code: str) -> Iterator[Match]:
    if code in text:
        for found in re.finditer(_CODE.format(re.escape(code)), text):
            yield *found.span(1), "quoted"


# ---------------------------------------------------------------- lists of letters and numbers

_SERIES = re.compile(
    r"\bS(?:é|e)ries?\s\d{1,2}(?:[\s,/&-]{1,3}(?:(?:and|und|y|et|e|the|la)\s)?(?:Series\s)?\d{1,2})*", re.I
)
_SPEAKS_OF_LICENSES = re.compile(r"licen[sc]|registr|exam|finra|\bsie\b|series|\bpassed\b|\bhold", re.I)
_SPELLED_OUT = {
    "CFP": "certified financial planner",
    "CFA": "chartered financial analyst",
    "ChFC": "chartered financial consultant",
    "CLU": "chartered life underwriter",
    "CPA": "certified public accountant",
    "CIMA": "certified investment management analyst",
    "CPWA": "certified private wealth advisor",
    "CTFA": "certified trust and fiduciary advisor",
}


def _license(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """`Series 63` in "Series 7, 63 & 65"; a bare number only where the model points at a line about licences."""
    number = re.fullmatch(r"Series (\d{1,2})", value)
    if number is None:
        yield from _quoted(text, value, pointed)
        if not value.isupper():  # "SIE" is not "Sie"
            yield from _normalised(text, value, pointed)
        return
    item = re.compile(rf"(?<![\d.,]){number[1]}(?!\d|[.,]\d|\s?[%$MK])")
    for listed in _SERIES.finditer(text):
        for found in item.finditer(text, listed.start(), listed.end()):
            yield *found.span(), "normalised"
    if pointed and _SPEAKS_OF_LICENSES.search(text):
        yield from ((*found.span(), "normalised") for found in item.finditer(text))


def _letters(text: str, value: str, pointed: bool) -> Iterator[Match]:
    """Letters after a name are no words: "CAP" is not "cap"."""
    yield from _quoted(text, value, pointed)
    if value in _SPELLED_OUT:
        yield from _normalised(text, _SPELLED_OUT[value], pointed)


_WAYS: dict[str, tuple[Way, ...]] = {
    **dict.fromkeys(("phone", "mobile"), (_quoted, _phone)),
    **dict.fromkeys(("email", "referrer_email", "linkedin_url", "website", "meeting_link"), (_address,)),
    **dict.fromkeys(("aum", "production", "compensation"), (_quoted, _normalised, amounts)),
    "state": (_state,),
    "country": (_country,),
    "client_count": (client_counts,),
    "years_experience": (years,),
    "book_transferable": (_quoted, shares),
    "licenses": (_license,),
    "designations": (_letters,),
}
