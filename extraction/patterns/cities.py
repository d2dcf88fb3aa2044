"""The cities of the world as mails name them: a small table made from GeoNames by `build_cities.py`."""

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

# How mails in our languages call cities that GeoNames knows under an English name.
_ALSO = {
    "New York City": "New York, NYC, Nueva York, Nova York, Nova Iorque, New York, NY",
    "Munich": "München, Muenchen, Monaco di Baviera, Múnich, Munique",
    "Cologne": "Köln, Koeln, Colonia",
    "Frankfurt am Main": "Frankfurt, Frankfurt/Main, Frankfurt a. M., Frankfurt a.M., Francfort, Francoforte",
    "Nuremberg": "Nürnberg, Nuernberg",
    "Hanover": "Hannover",
    "Brunswick": "Braunschweig",
    "Hamburg": "Hambourg, Hamburgo, Amburgo",
    "Düsseldorf": "Duesseldorf",
    "Vienna": "Wien, Vienne, Viena",
    "Zürich": "Zurich, Zuerich, Zurigo, Zúrich",
    "Geneva": "Genève, Genf, Ginebra, Ginevra, Genebra",
    "Basel": "Bâle, Basilea",
    "Lucerne": "Luzern",
    "Sankt Gallen": "St. Gallen, Saint-Gall",
    "Bern": "Berne, Berna",
    "Lausanne": "Losanna",
    "Neuchâtel": "Neuenburg",
    "Milan": "Milano, Mailand, Milán, Milão",
    "Rome": "Roma, Rom",
    "Turin": "Torino",
    "Florence": "Firenze, Florencia, Florença",
    "Naples": "Napoli, Neapel, Nápoles",
    "Venice": "Venezia, Venedig",
    "Genoa": "Genova",
    "Padua": "Padova",
    "Mantua": "Mantova",
    "Lisbon": "Lisboa, Lissabon, Lisbonne, Lisbona",
    "Porto": "Oporto",
    "Seville": "Sevilla",
    "Zaragoza": "Saragossa",
    "Bilbao": "Bilbo",
    "A Coruña": "La Coruña",
    "Palma": "Palma de Mallorca",
    "Mexico City": "Ciudad de México, CDMX",
    "Monterrey": "Monterrey",
    "Bogotá": "Bogota",
    "São Paulo": "Sao Paulo",
    "Brasília": "Brasilia",
    "Marseille": "Marsella, Marsiglia",
    "Lyon": "Lione",
    "Nice": "Nizza",
    "Strasbourg": "Straßburg, Strassburg",
    "Brussels": "Bruxelles, Brüssel, Bruselas, Bruxelas, Brussel",
    "Antwerp": "Antwerpen, Anvers",
    "Ghent": "Gent, Gand",
    "Liège": "Lüttich",
    "The Hague": "Den Haag",
    "Luxembourg": "Luxemburg, Luxemburgo, Lussemburgo",
    "London": "Londres, Londra",
    "Edinburgh": "Édimbourg, Edimburgo",
    "Copenhagen": "København, Kopenhagen",
    "Gothenburg": "Göteborg",
    "Warsaw": "Warszawa, Warschau",
    "Prague": "Praha, Prag",
    "Singapore": "Singapur, Singapour",
    "Hong Kong": "Hongkong",
    "Dubai": "Dubái",
    "Québec": "Quebec City, Ville de Québec",
    "Montréal": "Montreal",
    "Trois-Rivières": "Trois Rivieres",
    "Saint Paul": "St. Paul, St Paul",
    "St. Louis": "Saint Louis, St Louis",
    "St. Petersburg": "St Petersburg, Saint Petersburg",
    "Port Saint Lucie": "Port St. Lucie",
    "Fort Lauderdale": "Ft. Lauderdale, Ft Lauderdale",
    "Fort Worth": "Ft. Worth, Ft Worth",
    "Fort Wayne": "Ft. Wayne, Ft Wayne",
    "Fort Myers": "Ft. Myers",
    "Washington": "Washington DC, Washington, D.C.",
    "Nashville": "Nashville-Davidson",
    "Indianapolis": "Indy",
}
DOMINANT = 5  # how many times larger than the next one of its name a city must be to be meant without its state


@dataclass(frozen=True)
class City:
    """`state` is a two-letter code in the US and Canada, else None; `people` in thousands."""

    country: str
    state: str | None
    people: int


def known(name: str, state: str | None = None) -> bool:
    """Whether there is a city of that name (in that state)."""
    return any(state in (None, city.state) for city in _table().get(_key(name), ()))


def meant_by(name: str, countries: tuple[str, ...] = ()) -> City | None:
    """The city that a bare name means: one much larger than its namesakes, else the largest in the countries given.
    Its state only when no namesake of that country comes near. None when no city is called so, or none is meant."""
    found = sorted(_table().get(_key(name), ()), key=lambda city: -city.people)
    for those in (found, [city for city in found if city.country in countries]):
        if those:
            first, rivals = those[0], [city for city in those[1:] if city.people * DOMINANT > those[0].people]
            if all(city.country == first.country for city in rivals):
                return City(first.country, None, first.people) if rivals else first
    return None


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """One spelling for all: no accents, no case, no dots."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " ".join(
        "".join(c for c in plain if not unicodedata.combining(c)).replace(".", "").replace("-", " ").split()
    )


@cache
def _table() -> dict[str, tuple[City, ...]]:
    table: dict[str, tuple[City, ...]] = {}
    for line in Path(__file__).with_name("cities.tsv").read_text("utf-8").splitlines():
        name, country, state, people = line.split("\t")
        city = City(country, state or None, int(people))
        for spelling in {_key(name), *(_key(also) for also in _ALSO.get(name, "").split(", ") if also)}:
            table[spelling] = (*table.get(spelling, ()), city)
    return table
