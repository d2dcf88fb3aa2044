"""Firms, as they write themselves."""

import re
from collections.abc import Iterator

from extraction.patterns import cities
from extraction.patterns.circle import domain_of
from extraction.patterns.links import is_free_mail
from extraction.patterns.reading import Passage, Span, once
from extraction.patterns.regions import REGION_NAMES

_CAP = r"(?!(?:I|I['’]\w+|We|My|He|She|It|They|You|Our|His|Her|But|So)\b)(?!S\.\w)(?:[dlDL]['’])?[A-ZÀ-ÞĀ-Ž][\w'’-]*"
_LEGAL = (
    r"(?:LLC|L\.L\.C\.|Inc\.?|inc\.|L\.P\.|LP|LLP|Ltd\.?|Ltda\.?|S\.A\.|SA|S\.L\.|AG|GmbH|eG|KG|SE|N\.A\.|Co\.|"
    r"Corp\.?|Corporation|PLC|plc|P\.C\.|PLLC|S\.p\.A\.|B\.V\.|NV)"
)
_AND = r"(?:&|and|und|et|y|e|of|de|du|del|la|financier|financière|the)"
_FIRM = re.compile(
    rf"(?<![\w@.'’-])(?:(?:[A-Z]\.\s?){{1,2}}(?={_CAP}))?(?:\d{{1,3}}(?:st|nd|rd|"
    rf"th)?\s&\s)?(?:{_CAP},\s(?={_CAP}(?:\s{_CAP})?,?\s&\s)(?:{_CAP},\s)?)?{_CAP}(?:\s{{1,8}}(?:{_AND}\s{{1,8}}){{0,2}}{_CAP}){{0,6}}(?:\.?,?\s(?:&\s)?{_LEGAL}(?![\w])){{0,3}}(?:(?:(?<=Inc)|(?<=Ltda)|(?<=Ltd)|(?<=Corp))\.)?"
)
_KEYWORD = re.compile(
    r"\b(?:Wealth|\w*[Bb]ank|Advis[oe]r\w*|Advisory|Securities|Partners|Capital|Bank\w*|Trust|Group\w*|Groupe|"
    r"Financial|"
    r"Finance|Investments?|Asset|Management|Planning|Fiduciary|"
    r"Credit Union|Mutual|Life|Federal|National|Brothers|Bros|Advice|Stewardship|Investors|Funds?|Strategies|"
    r"Planners|Consultants|"
    r"Crédit|Crédito|Credito|Kredit\w*|Fiduciaria|Fiduciaire|Custody|Savings|Merchant|Fonds|Versicherung\w*|"
    r"Assurances?|Seguros|Assicurazioni|Banca|Banco|Banque|Caisse|Caja|Cassa|SIM|"
    r"Finanz\w*|Beratung|Conseils?|Consultoria|Consulenza|Investimentos|Inversiones|Asesores|Assessores|Consulenti|"
    r"Family Office|Counsel|Company|Compagnie|Holdings|Insurance|Patrimo\w+|Gestión|Gestão|Sparverein|Sparkasse|"
    r"Vermögens\w+|Maison|Cie|Collective|Associates|"
    r"Brokerage|Private|Daughters|Sons|Söhne|Fils|Hermanos|Equity|Retirement|Estate|Tax|Trust Company|Clearing|"
    r"Consulting)\b"
)
# Firms that everybody knows, whatever their names look like.
_KNOWN = re.compile(
    r"\b(?:Merrill(?: Lynch)?|Morgan Stanley|UBS|Wells Fargo|Ameriprise|Edward Jones|Raymond James|LPL|Schwab|"
    r"Fidelity|Vanguard|"
    r"J\.?P\.? ?Morgan|Goldman Sachs|Citi\w*|Stifel|RBC|BMO|CIBC|Scotia\w*|TD|Desjardins|Northwestern Mutual|"
    r"MassMutual|"
    r"New York Life|Prudential|Lincoln|Equitable|Thrivent|Primerica|Cetera|Osaic|Commonwealth|Cambridge|Kestra|"
    r"Baird|Janney|"
    r"Oppenheimer|Rockefeller|HSBC|Barclays|Deutsche Bank|Julius Baer|Pictet|Santander|BBVA|CaixaBank|Itaú|Bradesco|"
    r"BTG|XP|"
    r"BNP|Société Générale|Crédit Agricole|UniCredit|Intesa|Mediolanum|Fineco|Commerzbank|St\. James['’]s Place|"
    r"Hargreaves|"
    r"Macquarie|AMP|DBS|OCBC|Emirates NBD)\b"
)
_HOLDER = (
    r"(?:[Aa]dvis[oe]rs?|[Mm]anager|[Dd]irector|[Pp]resident|[Pp]artner|[Pp]lanner|[Oo]fficer|[Ss]trategist|"
    r"[Aa]ssociate|[Pp]rincipal|"
    r"[Ff]ounder|[Oo]wner|[Cc]onsultant|[Bb]anker|[Ee]xecutive|[Ll]eader|[Ss]pecialist|[Aa]nalyst|[Bb]roker|"
    r"[Rr]epresentative|"
    r"[Cc]ounsel(?:l)?or|\w*[Bb]erater(?:in)?|\w*[Bb]etreuer(?:in)?|[Cc]onseill(?:er|ère)|[Aa]sesora?|[Aa]ssessora?|"
    r"[Cc]onsulente|"
    r"[Gg]estora?|[Gg]estionnaire|[Bb]anquier|[Bb]anquer[oa])"
)
# Words after which even a name without any sign of a firm is one.
_STRONG_CUE = re.compile(
    rf"(?:{_HOLDER}(?:,? [\w ]{{1,30}})?\s(?:at|with|for|@|bei|bei der|beim|chez|en|presso|na|no|da|do|de la|au|"
    rf"à la|à l['’]|della?|alla|al|in der|im|für die|für|per|per la|a la)|"
    r"\b(?:I(?:['’]m| am)|(?:he|she)(?:['’]s| is)|who(?:['’]s| is)|am|still|now|currently|been|work(?:s|ing)?|"
    r"employed|arbeite|bin|"
    r"travaille|trabajo|lavoro|trabalho)\s(?:at|with|for|by|over at|bei|chez|en|para|presso|per|na|no))\s(?:the\s)?$"
)
# "a small shop called Two Rivers": the words before say what the name is of.
_CALLED = re.compile(
    r"\b(?:shop|firm|practice|boutique|RIA|agency|outfit|company|bank|partnership) (?:called|named|by the name of|"
    r"is(?: called| still)?)\s$",
    re.I,
)
# "Title, Edgemont (Albany, NY)", "chez Delacourt Gestion (Genève)": between a chair and a town.
_CHAIR_BEFORE = re.compile(rf"(?:{_HOLDER},|\b(?:at|with|chez|bei|presso|firm is(?: still)?|@))\s(?:the\s)?$")
_TOWN_AFTER = re.compile(r"^(?:,|,? (?:in|à|of)|\s?\(| [-–·|])\s?([A-ZÀ-Þ][\w.'’-]+(?: [A-ZÀ-Þ][\w.'’-]+){0,2})")
_IS_LEGAL = re.compile(rf"[\s,]{_LEGAL}$")
_CUE = re.compile(
    r"(?:\b(?:at|with|for|joined|of|bei|bei der|beim|im|in der|chez|au|à la|à l['’]|en|na|no|from|by|firm is|firm|"
    r"shop|employer|company|org|somos|we are|are)[:\s]{1,4}|@\s)$",
    re.I,
)
_TRIMMED = re.compile(
    r"^(?:(?:The|At|With|In|I|We|My|Our|For|From|And|Of|Dear|Hi|Hello|Tell|As|On|By|Shop|Role|Company|Current|"
    r"Somos|Firm|To|For|Re|RE|FW|Fwd|DBA|Currently|Presently|Now|Today|Still)\s)+(?=[A-ZÀ-Þ])"
)
_WRONG = re.compile(
    r"\b(?:Series|Monday|Tuesday|Wednesday|Thursday|Friday|Dear|Hello|Subject|Meeting|Time|Zoom|Calendly|LinkedIn|"
    r"Street(?!.*\b(?:Trust|Bank|Capital|Savings|Partners|Advis\w+|Wealth|Securities|Financial|Group|Management|"
    r"Investments?)\b)|Suite|Forum|Summit|Conference|CFP|CFA|"
    r"Advisor Vault|Best|Regards|Thanks|Event|Phone|Mobile|Email)\b|^(?:Private Wealth|Wealth Management|"
    r"Client Advisory|Family Office|Private Client (?:Group|Services)|Private Banking|Financial Planning|"
    r"Wealth Planning)$"
)
_TITLE_WORD = re.compile(
    r"\b(?:Senior|Vice|[SEAFR]?VP|President|Director|Manager|Advisor|Officer|Planner|Head of|Chief|Managing|Associate|"
    r"Strategist|Principal|Executive|Founder|Leiter(?:in)?|Consultant|"
    r"Market Leader|Producing|\w*(?:[Bb]erater|[Ll]eiter|[Bb]etreuer|[Vv]erwalter)(?:in)?|Estimad[ao]|Representative|"
    r"Recruiter|Analyst)\b"
)
_END = "\x00"
_TITLE_FIRST = re.compile(
    r"^[\w ]{0,30}?\b(?:Principal|Partner|President|Director|Manager|Advis[oe]r|Banker|Planner|Consultant|Officer|"
    r"Founder|Owner|CEO)(?:,|\s(?:at|with))\s+|"
    r"^[\w -]{0,30}?\b(?:Principal|Partner|President|Founder|Owner|CEO)\s(?:of|for)\s+|"
    r"^[\w -]{0,40}?\b(?:Officer|Manager|Director|Advis[oe]r|Banker|Planner|Strategist|Associate)\s(?:of|for|at|"
    r"with)\s+the\s+|"
    r"^(?:[Gg]erente|[Dd]irectora?|[Dd]irecteur|[Dd]irectrice|[Ss]oci[oa]|[Aa]sesora?|[Gg]estora?|[Dd]iretora?|"
    r"[Dd]irettore|[Dd]irettrice)\s"
    r"(?:de|di|du|da|do)\s[\w ]{3,30}?\s(?:de|di|du|da|do|della|del|en)\s(?=[A-ZÀ-Þ])"
)
_TIME = re.compile(
    r"^(?:January|February|March|April|May|June|July|August|September|October|November|December|Labor Day)\b"
)
_PAST = re.compile(
    r"\b(?:formerly|former|previously|survived|training class|approach anyone|used to|ex-|not at|before that|"
    r"sent by)\b[^.]{0,60}$|"
    r"\b(?:left|quit|departed|resigned from|retired from|(?:let go|laid off) (?:by|from)|(?:after|since) "
    r"leaving)[^\w)][^.)]{0,6}$",
    re.I,
)


@once
def companies_in(passage: Passage) -> Iterator[Span]:
    """Firms by their keyword, legal form, or the words before ("at", "chez"); what they look like decides the score."""
    for match in _FIRM.finditer(_parted(passage.text)):
        name, start = _trimmed(match.group(), match.start())
        score = _score(name, passage, start)
        if score > 0.2:
            yield Span(" ".join(name.split()), passage, start, start + len(name), score)


def named_as_domain(passage: Passage, address: str | None) -> Iterator[Span]:
    """What an address calls its firm, as the text writes it: "Fenwick, Amadi + Lott" of fenwickamadilott.com."""
    label = re.sub(r"\W", "", domain_of(address).rpartition(".")[0].rpartition(".")[2])
    if len(label) < 5 or is_free_mail(domain_of(address)):
        return
    spelt = r"(?:[ ,.&+'’/-]{1,3}(?:and )?)?".join(label)
    more = rf"(?: (?:& )?(?-i:{_KEYWORD.pattern}))"
    whole = re.compile(rf"(?<![\w@./-]){spelt}{more}{{0,3}}(?:,? (?-i:{_LEGAL}))?(?![\w@-]|\.\w)", re.I)
    for match in whole.finditer(passage.text):
        name, start = _trimmed(match.group(), match.start())
        if name[:1].isupper():
            yield Span(" ".join(name.split()), passage, start, start + len(name), 0.75)


# "Larch Street Advisors of Seattle" is called by its first words.
_OF_A_CITY = re.compile(
    rf"(?<=Advisors) of (?!America\b)(?:{_CAP})(?: {_CAP})?$|(?<=Partners) of (?!America\b)(?:{_CAP})(?: {_CAP})?$"
)


def _is_place_or_person(name: str) -> bool:
    return cities.known(name) or name in REGION_NAMES or bool(_TIME.match(name))


def _parted(text: str) -> str:
    """The same text where a short line or a cell ends for good; only wrapped prose goes on after its line end."""
    lines = text.replace("\t", _END).split("\n")
    return "".join(line + (_END if len(line.strip()) < 55 or _END in line else "\n") for line in lines)[: len(text)]


def _trimmed(name: str, start: int) -> tuple[str, int]:
    lead = _TRIMMED.match(name)
    skip = lead.end() if lead else 0
    title = _TITLE_FIRST.match(name[skip:])
    skip += title.end() if title else 0
    name = _OF_A_CITY.sub("", name[skip:])
    first_line = name.split("\n\n")[0]
    return first_line.rstrip(" ,"), start + skip


def _is_placed(name: str, passage: Passage, start: int) -> bool:
    town = _TOWN_AFTER.match(passage.after(start + len(name), 50))
    return (
        town is not None
        and not _is_place_or_person(name)
        and any(cities.known(town[1].rsplit(" ", most)[0]) for most in range(3))
        and bool(_CHAIR_BEFORE.search(passage.before(start, 40)))
    )


def _score(name: str, passage: Passage, start: int) -> float:
    if len(name) < 3 or _WRONG.search(name):
        return 0
    before = passage.before(start, 70)
    strong = bool(_STRONG_CUE.search(before)) and not _is_place_or_person(name)
    score = (
        max(
            0.5 * bool(_KEYWORD.search(name)),
            0.6 * bool(_KNOWN.search(name) or _CALLED.search(before)),
            0.4 * strong,
        )
        + 0.35 * bool(_IS_LEGAL.search(name))
        + 0.2 * (" & " in name)
    )
    placed = _is_placed(name, passage, start)
    score += 0.45 * placed
    if not score:
        return 0.0
    if _TITLE_WORD.search(name) and not _IS_LEGAL.search(name):
        score -= 0.45
    if " " not in name and not placed:
        score -= 0.3
    if _PAST.search(before):
        score -= 0.5
    if _CUE.search(before):
        score += 0.25
    if passage.kind == "signature":
        score += 0.1
    return min(score, 0.95)
