"""Places: City, ST in North America, cities of the table elsewhere; and whether somebody is there or wants to be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extraction.patterns import cities
from extraction.patterns.reading import Passage, once
from extraction.patterns.regions import (
    COUNTRIES,
    REGION_NAMES,
    STATE_NAMES,
    any_of,
    country_of_state,
    is_region,
    state_code,
)

_CAP = r"(?:(?:St|Ft|Mt|S)\.|[A-ZÀ-Þ][\w'’-]{1,24}(?<!-based))"
_JOIN = r"(?:[ ]|[ ](?:of|de|du|des|la|le|do|da|dos|del|di|am|an[ ]der|in[ ]der|im|ob[ ]der|sur|upon|on|a[ ]la)[ ])"
_CITY = rf"{_CAP}(?:{_JOIN}{_CAP}){{0,3}}"
_BEFORE_STATE = r"(?:,\s{1,8}|\s{0,2}\(|[ \t]{1,4}|\s[-–·|/]\s)"
_STATE = rf"(?:{any_of(STATE_NAMES)}|[A-Z]{{2}})(?![\w&]|['’]s?\w|\s?&|\sCity\b)"
_CITY_STATE = re.compile(rf"(?<![\w'’-])({_CITY})({_BEFORE_STATE})({_STATE})(\.?,?\s{{0,3}}\d{{5}})?")
_TABULAR = re.compile(r"^City[\s.:]+(\S[^\n\t]{1,40})\n(?:ST|State|Province)[\s.:]+([A-Z]{2})\b", re.I | re.M)
_ALONE = re.compile(rf"(?<![\w@'’.-]){_CITY}(?![\w@])")
_AFTER = re.compile(
    rf"(?:,\s(?:no|na|en|in|im|nel|nella|dans le|dans la)\s|,\s{{1,4}}|\s?\(|\s[-–/]\s?|"
    rf",?\s)({any_of(REGION_NAMES)}|{any_of(COUNTRIES)})(?![\w-])\)?"
    rf"(?:(?:,\s{{1,4}}|\s?\()({any_of(COUNTRIES)})(?![\w-]))?"
)
# "Larch Street Advisors of Seattle": where the firm is, not where somebody is.
_LAST_WORD = re.compile(r"\b([A-Z][\w.]+)\s{1,12}$")
_SEAT = re.compile(r"\b(?:Advisors|Partners|Bank|Trust|Group|Capital|Management|Wealth|Securities) of\s$")
_POSTAL = re.compile(r"(?:(?:CH|D|A|F|I|L|E|P)-)?\b\d{4,5}(?:-\d{3})?\s$")

_HERE = re.compile(
    r"\b(?:(?:I|we)(?:['’]ve| have)?(?: just| recently)? (?:moved|relocated) (?:back )?to|(?:moving|relocating|"
    r"transferring) from|(?:am|'m|’m|is|are|me)\s(?!originally)(?:\w+\s){0,2}(?:out of|in|at|from|near)|based|"
    r"live[sd]?|living|"
    r"lives|resid\w+|"
    r"home base|located|here|work(?:s|ing)? remotely from|(?:have|has) been in|work(?:s|ing)?(?: out)?(?: of| from| "
    r"in| at)|out of (?:our|the|my)|calls?|"
    r"(?:office|branch|practice|team|home|house|desk|book|clients|firm)\s(?:is\s)?(?:here\s)?in|in our|at our|from our|"
    r"city|location|where|currently|outside(?: of)?|just north of|suburbs? of|serving|still in|now in|back in|"
    r"wohn\w+|leb[et]\w*|ansässig|sitz in|tätig|arbeit\w+|niederlassung|filiale|standort|derzeit|"
    r"habit\w+|vis|établie?|installée?|basée?|résid\w+|travaille|agence|bureau|sede|ici à|actuellement|"
    r"vivo|vive|radic\w+|trabajo|oficina|sucursal|aquí|actualmente|con base|ubicad\w+|"
    r"abit\w+|risied\w+|lavor\w+|filiale di|basat\w+|attualmente|"
    r"moro|mora|trabalho|atuo|escritório|agência|atualmente|sou de)\b",
    re.I,
)
_ELSEWHERE = re.compile(
    r"\b(?:if|whether|would (?:look|go|love|like|move|consider|be)|want(?:s|ed)? to|open to|consider\w*|relocat\w+|"
    r"mov(?:e|ing) (?:back )?(?:to|out)|move from|moved (?:from|out)|mov(?:e|ed|ing) (?:us|me)|prefer\w*|"
    r"transfer\w*|rather|ideally|eventually|hop(?:e|ing)|"
    r"looking|interested|appl(?:y|ying|ication|icant|ied)|seat|posting|posted|role|opening|opportunit\w+|position|"
    r"job|search|vacancy|opened|opening|"
    r"conference|forum|summit|congress|expo|symposium|met|booth|spoke|trip|travel\w*|flight|visit\w*|wedding|scan\w*|"
    r"daughter|son|parents|grew up|raised|native|born|originally|from\b(?=\s*$)|"
    r"(?<!moved )(?<!relocated )(?<!back )(?<!close )(?<!next )to\b(?=\s*$)|formerly|used to|left|previously|prior|"
    r"before|"
    r"until|college|university|degree|school|graduated|placed|headquart\w*|home office|corporate|dial\w*|"
    r"not|no longer|nowhere|never|except|similar|wholesaler|anywhere|"
    r"nicht|keine?|umzieh\w*|umzug|umziehen|liebsten|notfalls|bevorzug\w*|vorstellen|wechsel\w*|stelle|gesucht|früher|"
    r"aus|ehemals|studi\w+|hauptsitz|zentrale|"
    r"déménag\w+|souhait\w+|aimer\w+|viser\w+|conviendr\w+|préf\w+|échange|croisés|poste|recherch\w+|siège|avant|jadis|"
    r"muda\w*|traslad\w+|gustaría|prefer\w+|tampoco|sería|descart\w+|estudi\w+|vacante|puesto|buscamos|miraría|antes|"
    r"trasferi\w+|vorrei|preferi\w+|cerc\w+|posizione|prima|"
    r"gostaria|vaga|procur\w+|transferi\w+)\b|\bni\b|\bno\b(?= (?:en|a|quier\w+|me|busco|pienso|fuera|para|longer|"
    r"desire|plans)\b)",
    re.I,
)
_HERE_AFTER = re.compile(
    r"^\W{0,2}(?:based|office|branch|area|market|metro|region|complex|practice|team|suburbs?|Niederlassung|Filiale)\b",
    re.I,
)
_NOT_AFTER = re.compile(
    r"^\W{0,3}(?:conference|forum|summit|congress|expo|symposium|20\d\d|airport)\b|"
    r"^[^.\n]{0,12}\b(?:for (?:a|the|this) (?:conference|meeting|week|weekend|wedding|holidays?|day|trip)|"
    r"until|till)\b",
    re.I,
)
_IN = re.compile(r"(?:\b(?:in|à|en|aus|bei|im|at|of|a|em|near|outside)\s|[,(–—|·•-]\s?)$", re.I)
_NOT_A_CITY = re.compile(
    r"^(?:(?:In|At|From|The|Our|My|And|Or|Lives|Of|De|Near|Outside|Downtown|Greater|Suite|Ste|Floor|Place|Street|St\.|"
    r"Office|Avenue|Ave|Road|Rd|Blvd|Drive|Dr|Lane|Way|Inc\.?|LLC|L\.P\.|CFP|CFA|Hi|Hello|Dear|Home|City|Based|"
    r"Location|Located|Here|Branch|Is|Both|Just|Also|Currently|Now|I)\s)+"
)
_FIRM_WORD = re.compile(
    r"\b(?:Advis\w+|Wealth|Capital|Partners|Securities|Group|Bank\w*|LLC|Inc|Financial|Trust|Street|Series|University|"
    r"Private|Management|Investment\w*|Director|President|Manager|Planner|Forum|Summit|Conference|Life|Health)\b"
)
_GOES_ON = re.compile(r"^[ ](?:[A-Z][\w&'’-]+|&\s[A-Z])|^['’]s\b|^-[A-Z]|^@|^,\s[A-Z]\w+,?\s&")
# Also words or first names: only with a region behind, or "in" before.
_WORDS = frozenset(
    (
        "March May August Mobile Reading Nice Bath Best Most Split Sale Lead Orange Enterprise Independence "
        "Normal Temple Surprise Commerce Industry Trust Hope Date Male Of City Union Liberty Premium Central "
        "Marina Victoria Charlotte Florence Madison Jackson Lincoln Aurora Chandler Clifton Hamilton Warren "
        "Wells Young Vista Casa Center "
    ).split()
)
LARGE = 100  # thousands: smaller towns are called like people and things


@dataclass(frozen=True)
class Place:
    """A place with its offsets in the passage. `state` is a two-letter code in North America."""

    city: str
    state: str | None
    country: str
    passage: Passage
    start: int
    end: int
    score: float


COUNTRIES_OF = {
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "CH", "CA", "BE", "LU"),
    "es": ("ES", "MX", "CO", "AR", "CL", "PE", "US"),
    "pt": ("BR", "PT"),
    "it": ("IT", "CH"),
    "nl": ("NL", "BE"),
}
ENGLISH = ("US", "CA")


@once
def places_in(passage: Passage, countries: tuple[str, ...] = ENGLISH) -> Iterator[Place]:
    """Places where somebody may be now; wished-for, former and event places score below 0.3. `countries` are where
    a name is looked for first that several cities share."""
    taken: list[tuple[int, int]] = []
    for place in (*_with_state(passage), *_by_name(passage, countries)):
        if not any(start < place.end and place.start < end for start, end in taken):
            taken.append((place.start, place.end))
            yield place


def _with_state(passage: Passage) -> Iterator[Place]:
    for match in _TABULAR.finditer(passage.text):
        if code := state_code(match.group(2)):
            yield Place(match.group(1).strip(), code, country_of_state(code), passage, *match.span(), 0.9)
    for match in _CITY_STATE.finditer(passage.text):
        code = state_code(match.group(3))
        city, start = _whole(passage.text, *_trimmed(match.group(1), match.start(1)))
        loose = not match.group(2).strip(" \t") and not match.group(4)  # "Austin TX", but also "Meeting IN"
        if not code or not city or (loose and not cities.known(city, code)):
            continue
        yield Place(
            city, code, country_of_state(code), passage, start, match.end(3), _score(passage, start, match.end(3))
        )


def _whole(text: str, city: str, start: int) -> tuple[str, int]:
    """ "Des" at the end of a line and "Moines, Iowa" on the next."""
    before = _LAST_WORD.search(text, max(0, start - 30), start) if city and not cities.known(city) else None
    if before and cities.known(f"{before[1]} {city}"):
        return f"{before[1]} {city}", before.start()
    return city, start


def _by_name(passage: Passage, countries: tuple[str, ...]) -> Iterator[Place]:
    """Cities that stand without a state: only those of the table, with the region or country that follows."""
    for match in _ALONE.finditer(passage.text):
        for name, start in _readings(match.group(), match.start()):
            end = start + len(name)
            after = _AFTER.match(passage.text, end, end + 60)
            region, country = _told(after)
            city = cities.meant_by(name, (country,) if country else countries)
            if city is None or (country and city.country != country and not cities.known(name)):
                continue
            where = country or city.country
            state = region if region and is_region(region, where) else city.state
            if _FIRM_WORD.search(passage.text[end : end + 20].split("\n")[0][:14]) or (
                not after and _GOES_ON.match(passage.text[end : end + 14])
            ):
                break
            score = _score(passage, start, end)
            if (
                not after
                and name in _WORDS
                and (name in ("March", "May", "August") or not _IN.search(passage.before(start)))
            ):
                break
            if not after and not _POSTAL.search(passage.text[max(0, start - 12) : start]):
                score -= 0.1 if city.people >= LARGE or score > 0.8 or _IN.search(passage.before(start)) else 0.3
            yield Place(" ".join(name.split()), state, where, passage, start, after.end() if after else end, score)
            break


def _told(after: re.Match[str] | None) -> tuple[str | None, str | None]:
    """Region and country behind a city."""
    if after is None:
        return None, None
    first = " ".join(after.group(1).split())
    country = COUNTRIES.get(after.group(2) or "") or COUNTRIES.get(first)
    return (first if first in REGION_NAMES else None), country


def _readings(words: str, start: int) -> Iterator[tuple[str, int]]:
    """The names that a run of words may be: the longest first, from its beginning, then without its first words."""
    ends = [match.start() for match in re.finditer(r"\s", words)] + [len(words)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    for first in starts:
        for last in reversed([end for end in ends if end > first]):
            name = words[first:last]
            if len(name) > 2 and name[0].isupper() and cities.known(name):
                yield name, start + first


def _trimmed(city: str, start: int) -> tuple[str, int]:
    """The city without words that only stand before it."""
    lead = _NOT_A_CITY.match(city)
    skip = lead.end() if lead else 0
    name = " ".join(city[skip:].split())
    return ("" if _FIRM_WORD.search(name) else name, start + skip)


def _score(passage: Passage, start: int, end: int) -> float:
    """By the words of the same sentence: the nearest cue before the place wins."""
    before, after = passage.before(start, 110), passage.after(end, 40)
    if _NOT_AFTER.match(after):
        return 0.2
    if _SEAT.search(before):
        return 0.5
    here = max((match.end() for match in _HERE.finditer(before)), default=-1)
    elsewhere = max((match.end() for match in _ELSEWHERE.finditer(before[-80:])), default=-1)
    elsewhere = elsewhere + max(0, len(before) - 80) if elsewhere >= 0 else -1
    if _HERE_AFTER.match(after) and elsewhere < 0:
        return 0.85
    if here >= max(elsewhere, 0):
        return 0.9
    if elsewhere >= 0:
        return 0.2
    if passage.kind == "header":
        return 0.3
    if passage.kind == "signature":
        return 0.75
    return 0.8 if _IN.search(before) else 0.6
