"""Places: City, ST in North America, well-known cities elsewhere; and whether somebody is there or wants to be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extraction.patterns.reading import Passage


def _table(text: str) -> dict[str, str]:
    return dict(entry.split("=") for entry in text.split("; "))


STATES = _table(
    "Alabama=AL; Alaska=AK; Arizona=AZ; Arkansas=AR; California=CA; Colorado=CO; Connecticut=CT; Delaware=DE; "
    "Florida=FL; Georgia=GA; Hawaii=HI; Idaho=ID; Illinois=IL; Indiana=IN; Iowa=IA; Kansas=KS; Kentucky=KY; "
    "Louisiana=LA; Maine=ME; Maryland=MD; Massachusetts=MA; Michigan=MI; Minnesota=MN; Mississippi=MS; "
    "Missouri=MO; Montana=MT; Nebraska=NE; Nevada=NV; New Hampshire=NH; New Jersey=NJ; New Mexico=NM; "
    "New York=NY; North Carolina=NC; North Dakota=ND; Ohio=OH; Oklahoma=OK; Oregon=OR; Pennsylvania=PA; "
    "Rhode Island=RI; South Carolina=SC; South Dakota=SD; Tennessee=TN; Texas=TX; Utah=UT; Vermont=VT; "
    "Virginia=VA; Washington=WA; West Virginia=WV; Wisconsin=WI; Wyoming=WY; Puerto Rico=PR"
)
PROVINCES = _table(
    "Alberta=AB; British Columbia=BC; Manitoba=MB; New Brunswick=NB; Newfoundland=NL; Nova Scotia=NS; Ontario=ON; "
    "Quebec=QC; Québec=QC; Saskatchewan=SK; Prince Edward Island=PE"
)
# Cities that stand alone in mails, by country; the long list comes from GeoNames later.
_WORLD = {
    "ES": "Madrid Barcelona Valencia Sevilla Bilbao Málaga Zaragoza",
    "FR": "Paris Lyon Marseille Bordeaux Toulouse Nantes Lille Strasbourg Nice Annecy",
    "DE": "Frankfurt_am_Main Frankfurt München Munich Berlin Hamburg Köln Düsseldorf Stuttgart Leipzig Dresden "
    "Hannover Nürnberg Bremen",
    "CH": "Zürich Zurich Genève Geneva Genf Basel Bern Lausanne Lugano",
    "AT": "Wien Vienna Salzburg Graz Linz Innsbruck",
    "GB": "London Edinburgh Manchester Birmingham Bristol Leeds Glasgow",
    "IE": "Dublin Cork",
    "IT": "Milano Milan Roma Rome Torino Firenze Bologna",
    "NL": "Amsterdam Rotterdam Utrecht",
    "BE": "Bruxelles Brussels Antwerpen",
    "LU": "Luxembourg Luxemburg",
    "MC": "Monaco",
    "PT": "Lisboa Lisbon Porto",
    "BR": "São_Paulo Rio_de_Janeiro Brasília Curitiba Porto_Alegre Belo_Horizonte",
    "MX": "Ciudad_de_México Monterrey Guadalajara",
    "AR": "Buenos_Aires",
    "CL": "Santiago_de_Chile",
    "CO": "Bogotá Medellín",
    "PE": "Lima",
    "AU": "Sydney Melbourne Brisbane Perth Adelaide",
    "NZ": "Auckland Wellington",
    "SG": "Singapore",
    "HK": "Hong_Kong",
    "JP": "Tokyo Osaka",
    "AE": "Dubai Abu_Dhabi",
    "IN": "Mumbai Delhi Bangalore",
    "ZA": "Johannesburg Cape_Town",
    "SE": "Stockholm",
    "DK": "København Copenhagen",
    "NO": "Oslo",
    "FI": "Helsinki",
    "PL": "Warszawa Warsaw",
    "CZ": "Praha Prague",
    "CA": "Toronto Vancouver Calgary",
}
_COUNTRY_OF = {city.replace("_", " "): country for country, cities in _WORLD.items() for city in cities.split()}
_CODES = frozenset(STATES.values()) | frozenset(PROVINCES.values()) | {"DC"}
_CAP = r"[A-ZÀ-Þ][\w'’.-]{1,24}"
_CITY = rf"(?:(?:{_CAP}|La|El|Las|Los|St\.)(?:[ ](?:{_CAP}|of|de|du))" + r"{0,2})"
_NAMED = "|".join(sorted((*STATES, *PROVINCES), key=len, reverse=True)).replace(" ", r"\s")
_CITY_STATE = re.compile(rf"(?<![\w'’-])({_CITY})(?:,\s{{1,8}}|\s\(|\s)({_NAMED}|[A-Z]{{2}})\b(?!['’]s?\w|\s?&)")
_TABULAR = re.compile(r"^City[\s.:]+(\S[^\n\t]{1,40})\nST(?:ate)?[\s.:]+([A-Z]{2})\b", re.I | re.M)
_ALONE = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(sorted(map(re.escape, _COUNTRY_OF), key=len, reverse=True)).replace(r"\ ", r"\s")
    + r")(?![\w-])"
)

_WANTED = re.compile(
    r"would (?:look|go|love|like|move)|want to land|land\b|open to|consider|relocat|\bmove to|prefer|talked into|"
    r"would go to|wants?\b|rather|tampoco"
    r"|conference|forum|summit|spoke at|met at|\bmet\b|daughter|people are in|grew up|from\b|not\b|nicht|\bno\b|"
    r"ni hablar|estudia|plan b|sería|descarto|miraría"
    r"|liebsten|notfalls|auch in|conviendrait|viserais|transferida|échange|croisés|mudamos|until|row together|scan|"
    r"trip|travel|visit|born|formerly|placed"
    r"|seat in|posting|application|applicant for|role in|opening in|opportunit\w+ in|position in|job in|search in|"
    r"similar|offices? (?:is|are) in|staffed|were in|"
    r"flight|dont quatre",
    re.I,
)
_HERE = re.compile(
    r"\b(?:here in|based in|live in|lives?|living in|home base|home|city|located|where|in our|office|aquí en|"
    r"sede en|branch in|in the|from our|wohne|ansässig)\W{0,3}(?:in\s|is\s)?(?:the\s|our\s)?$",
    re.I,
)
_IN = re.compile(r"(?:\b(?:in|à|en|aus|bei|im|at|of)\s|[,(–—|-]\s?)$")


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


def state_code(text: str) -> str | None:
    """`Indiana` or `IN` → `IN`; None for anything else."""
    squeezed = " ".join(text.split())
    return squeezed if squeezed in _CODES else STATES.get(squeezed) or PROVINCES.get(squeezed)


def country_of_state(code: str) -> str:
    return "CA" if code in PROVINCES.values() else "US"


def places_in(passage: Passage) -> Iterator[Place]:
    """Places where somebody may be now; wished-for, former and event places score below 0.3."""
    taken: list[tuple[int, int]] = []
    for match in (*_TABULAR.finditer(passage.text), *_CITY_STATE.finditer(passage.text)):
        code = state_code(match.group(2))
        city, start = _trimmed(match.group(1), match.start(1))
        if code and city and not any(a <= start < b for a, b in taken):
            taken.append((start, match.end(2)))
            base = 0.9 if match.re is _TABULAR else _score(passage, start, match.end(2))
            yield Place(city, code, country_of_state(code), passage, start, match.end(2), base)
    for match in _ALONE.finditer(passage.text):
        if not any(a <= match.start() < b for a, b in taken):
            name = " ".join(match.group().split())
            score = _score(passage, match.start(), match.end()) - 0.1
            yield Place(name, None, _COUNTRY_OF[name], passage, match.start(), match.end(), score)


_NOT_A_CITY = re.compile(
    r"^(?:(?:In|At|From|The|Our|My|And|Lives|Of|De|Suite|Floor|Place|Street|Office|Inc\.?|LLC|L\.P\.|CFP|CFA)\s)+"
)


def _trimmed(city: str, start: int) -> tuple[str, int]:
    """The city without words that only stand before it."""
    lead = _NOT_A_CITY.match(city)
    skip = lead.end() if lead else 0
    city = " ".join(city[skip:].rstrip(".").split())
    plain = city not in STATES and not re.search(
        r"\b(?:Advis|Wealth|Capital|Partners|Securities|Group|Bank|LLC|Inc)", city
    )
    return (city if plain or city in ("New York", "Washington") else "", start + skip)


def _score(passage: Passage, start: int, end: int) -> float:
    before = passage.before(start, 100)
    if _HERE.search(before):
        return 0.9
    if _WANTED.search(before[-60:]):
        return 0.2
    if passage.kind == "header":
        return 0.3
    if passage.kind == "signature":
        return 0.7
    return 0.8 if _IN.search(before) else 0.6
