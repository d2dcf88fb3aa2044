"""States, provinces, regions and countries, as mails in our languages name them."""

import re


def _table(text: str) -> dict[str, str]:
    return dict(entry.split("=") for entry in text.split("; "))


STATES = _table(
    "Alabama=AL; Alaska=AK; Arizona=AZ; Arkansas=AR; California=CA; Colorado=CO; Connecticut=CT; Delaware=DE; "
    "Florida=FL; Georgia=GA; Hawaii=HI; Idaho=ID; Illinois=IL; Indiana=IN; Iowa=IA; Kansas=KS; Kentucky=KY; "
    "Louisiana=LA; Maine=ME; Maryland=MD; Massachusetts=MA; Michigan=MI; Minnesota=MN; Mississippi=MS; "
    "Missouri=MO; Montana=MT; Nebraska=NE; Nevada=NV; New Hampshire=NH; New Jersey=NJ; New Mexico=NM; "
    "New York=NY; North Carolina=NC; North Dakota=ND; Ohio=OH; Oklahoma=OK; Oregon=OR; Pennsylvania=PA; "
    "Rhode Island=RI; South Carolina=SC; South Dakota=SD; Tennessee=TN; Texas=TX; Utah=UT; Vermont=VT; "
    "Virginia=VA; Washington=WA; West Virginia=WV; Wisconsin=WI; Wyoming=WY; Puerto Rico=PR; "
    "District of Columbia=DC"
)
PROVINCES = _table(
    "Alberta=AB; British Columbia=BC; Manitoba=MB; New Brunswick=NB; Newfoundland=NL; Nova Scotia=NS; Ontario=ON; "
    "Quebec=QC; Québec=QC; Saskatchewan=SK; Prince Edward Island=PE"
)
# As people abbreviate, and as neighbours call them.
_SHORT = _table(
    "Calif=CA; Cal=CA; Colo=CO; Conn=CT; Fla=FL; Ill=IL; Ind=IN; Mass=MA; Mich=MI; Minn=MN; Tenn=TN; Tex=TX; Wis=WI; "
    "Penn=PA; Ariz=AZ; Ont=ON; Nuevo México=NM; Carolina del Norte=NC; Carolina del Sur=SC; Nueva York=NY; "
    "Nueva Jersey=NJ; Luisiana=LA; Pensilvania=PA; Kalifornien=CA; Californie=CA; Floride=FL"
)
CODES = frozenset(STATES.values()) | frozenset(PROVINCES.values()) | {"DC"}

# Regions that are named with a city elsewhere; the mail's own spelling is kept.
_REGIONS = {
    "AU": "Victoria|VIC|New South Wales|NSW|Queensland|QLD|South Australia|Western Australia|Tasmania|TAS|ACT",
    "DE": "Bayern|Baden-Württemberg|Hessen|Nordrhein-Westfalen|NRW|Niedersachsen|Sachsen|Thüringen|Brandenburg|"
    "Schleswig-Holstein|Rheinland-Pfalz|Saarland|Mecklenburg-Vorpommern|Sachsen-Anhalt|Bavaria|Hesse",
    "AT": "Tirol|Steiermark|Kärnten|Vorarlberg|Burgenland|Oberösterreich|Niederösterreich",
    "CH": "Ticino|Tessin|Waadt|Vaud|Wallis|Valais|Aargau|Graubünden|Kanton Zürich|TI|VD|ZH|GE",
    "ES": "Andalucía|Cataluña|Catalunya|Comunidad de Madrid|País Vasco|Galicia|Aragón|Navarra|Asturias|Cantabria|"
    "Comunidad Valenciana|Islas Baleares|Canarias|Castilla y León|Extremadura",
    "FR": "Île-de-France|Bretagne|Normandie|Occitanie|Nouvelle-Aquitaine|Provence|Auvergne-Rhône-Alpes|Grand Est|"
    "Hauts-de-France|Pays de la Loire|Haute-Savoie|Alsace",
    "IT": "Lombardia|Piemonte|Veneto|Toscana|Lazio|Liguria|Emilia-Romagna|Campania|Puglia|Sicilia|Sardegna|MI|TO|RM|"
    "BG|PD|VR|BO|FI",
    "BR": "SP|RJ|MG|RS|PR|SC|BA|PE|CE|DF|GO|ES|São Paulo|Rio de Janeiro|Minas Gerais|Rio Grande do Sul|Paraná",
    "MX": "Nuevo León|Jalisco|Puebla|Querétaro|Guanajuato|Yucatán|Estado de México|NL|N.L.|Jal.",
    "GB": "Scotland|Wales|Northern Ireland|Surrey|Kent|Essex|Sussex|Yorkshire|Cheshire|Berkshire|Hampshire",
    "IE": "Leinster|Munster|Connacht|Co. Cork|Co. Dublin",
}
COUNTRIES = {
    name: code
    for code, names in {
        "US": "USA|U.S.A.|United States|Estados Unidos|États-Unis|Etats-Unis|Vereinigte Staaten|Stati Uniti|EE. UU.|"
        "EE.UU.|EUA",
        "CA": "Canada|Canadá|Kanada",
        "MX": "Mexico|México|Mexique|Mexiko|Messico",
        "BR": "Brazil|Brasil|Brésil|Brasilien|Brasile",
        "AR": "Argentina|Argentine|Argentinien",
        "CL": "Chile",
        "CO": "Colombia|Kolumbien",
        "PE": "Peru|Perú",
        "UY": "Uruguay",
        "DE": "Germany|Deutschland|Allemagne|Alemania|Germania|Alemanha",
        "AT": "Austria|Österreich|Autriche|Áustria",
        "CH": "Switzerland|Schweiz|Suisse|Suiza|Svizzera|Suíça",
        "LI": "Liechtenstein",
        "LU": "Luxembourg|Luxemburg|Luxemburgo|Lussemburgo",
        "FR": "France|Frankreich|Francia|França",
        "BE": "Belgium|Belgique|Belgien|Bélgica|Belgio",
        "NL": "Netherlands|The Netherlands|Nederland|Niederlande|Pays-Bas|Países Bajos",
        "MC": "Monaco",
        "ES": "Spain|España|Espagne|Spanien|Spagna|Espanha",
        "PT": "Portugal|Portogallo",
        "IT": "Italy|Italia|Italie|Italien|Itália",
        "GB": "United Kingdom|UK|U.K.|England|Scotland|Wales|Great Britain|Großbritannien|Royaume-Uni|Reino Unido|"
        "Regno Unito|Inghilterra",
        "IE": "Ireland|Irland|Irlande|Irlanda",
        "AU": "Australia|Australien|Australie",
        "NZ": "New Zealand|Neuseeland",
        "SG": "Singapore|Singapur|Singapour",
        "HK": "Hong Kong",
        "AE": "UAE|U.A.E.|United Arab Emirates",
        "JP": "Japan|Japón|Japon",
        "SE": "Sweden|Schweden|Sverige",
        "DK": "Denmark|Dänemark|Danmark",
        "NO": "Norway|Norwegen|Norge",
        "PL": "Poland|Polen|Polska",
    }.items()
    for name in names.split("|")
}
_REGION_OF = {(name, country) for country, names in _REGIONS.items() for name in names.split("|")}
REGION_NAMES = frozenset(name for name, _ in _REGION_OF)


def any_of(names: "frozenset[str] | dict[str, str]") -> str:
    """A pattern for one of these names, the longest first, over any white space."""
    return "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(names, key=len, reverse=True))


def state_code(text: str) -> str | None:
    """`Indiana`, `Ind.` or `IN` → `IN`; None for anything else."""
    squeezed = " ".join(text.split()).rstrip(".")
    return squeezed if squeezed in CODES else STATES.get(squeezed) or PROVINCES.get(squeezed) or _SHORT.get(squeezed)


STATE_NAMES = frozenset({*STATES, *PROVINCES, *_SHORT})


def country_of_state(code: str) -> str:
    return "CA" if code in PROVINCES.values() else "US"


def is_region(name: str, country: str) -> bool:
    return (name, country) in _REGION_OF
