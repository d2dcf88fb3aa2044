"""Job titles, and whether somebody holds them, wants them, or held them once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from extraction.patterns.reading import Passage

Tense = Literal["current", "target", "past", "unknown"]

_MODIFIER = (
    r"(?:Senior|Junior|Lead|Associate|Assistant|Executive|Managing|Vice|Chief|Regional|Branch|Market|Complex|"
    r"Private|Wealth|Financial|"
    r"Investments?|Client|Portfolio|Relationship|Trust|Planning|Estate|Tax|Retirement|Services?|Compliance|"
    r"Operating|Operations|Technology|Marketing|"
    r"Information|Risk|Team|Producing|Practice|Business|Development|Equity|Income|Research|Institutional|Global|"
    r"National|Division(?:al)?|District|Area|"
    r"Sales|Insurance|Mortgage|Registered|Independent|Founding|General|Group|Management|Advisory|Strategy|Talent|"
    r"Corporate|Family|Fiduciary|Deputy|"
    r"Fixed|Charitable|Head|Property|Personal|Bank|Banking)"
)
_HEAD = (
    r"(?:Advis[oe]r|Manager|Director|President|Partner|Planner|Officer|Strategist|Economist|Associate|Principal|"
    r"Co-?Founder|Founder|"
    r"Owner|CEO|CFO|COO|CIO|CCO|CTO|Consultant|Banker|Executive|Leader|Specialist|Analyst|Administrators?|"
    r"Wholesaler|Trader|Chair(?:man|woman)?|"
    r"Representative|Broker|Paraplanner|Assistant|Coordinator|Supervisor|Strategist)"
)
_TAIL = r"(?:[ \n]{1,8}(?:of|for)[ \n]{1,8}(?-i:[A-Z][\w&-]+)(?:\s(?:(?:and|&)\s)?(?-i:[A-Z][\w-]+)){0,3})?"
_ONE = (
    rf"(?:(?:{_MODIFIER}(?:[ \n]{{1,8}}|-)){{0,4}}{_HEAD}(?!\strack){_TAIL}|"
    rf"Head[ \n]{{1,8}}of[ \n]{{1,8}}(?-i:[A-Z][\w&-]+)(?:\s(?:(?:and|&)\s)?(?-i:[A-Z][\w-]+)){{0,3}})"
)
_AREA = (
    r"(?:Client Advisory|Wealth Management|Financial Planning|Investments|Private Wealth|Wealth Planning|"
    r"Institutional Services)"
)
_ENGLISH = re.compile(
    rf"(?<![\w-])(?:(?:{_ONE})(?:(?:,\s|\s&\s|\sand\s|\s/\s)(?:{_ONE}))?s?(?:,\s(?-i:{_AREA}))?)(?![\w-])", re.I
)
_QUALITY = (
    r"(?:senior|sénior|sênior|junior|principale?|général[e]?|general|adjunt[oa]|financier[oa]?|financeiro|"
    r"patrimonial(?:es)?|comercial|privad[oa]|privée?s?|"
    r"regional|régionale?|nacional|internacional|ejecutiv[oa]|director|directora|fiscal|asociad[oa]|associée?|"
    r"clientèle|bancaire)"
)
_ROMANCE_HEAD = (
    r"(?:(?:vice)?president[ea]|(?:sub)?directora?|directeur|directrice|gerente|asesora?|assessora?|consultora?|"
    r"consultora?|soci[oa]|associée?|gestora?|gérante?|"
    r"conseill(?:er|ère)|analist[ae]|analyste|jefe|jefa|responsable|banquero|banquera|banquier|courtier|diretora?|"
    r"sócio|sócia|planificadora?)"
)
_ROMANCE = re.compile(
    rf"(?<![\w-]){_ROMANCE_HEAD}(?:\s{_QUALITY}|\s(?:de|del|di|du|des|d['’]|da|do)\s?(?:la\s|"
    rf"les\s)?[\wÀ-ÿ-]{{4,20}}|\s(?:en|y|et|e)\s(?-i:[a-zà-ÿ]{{4,20}})){{0,4}}(?![\w-])",
    re.I,
)
_GERMAN = re.compile(
    r"(?<![\w-])(?:Senior[- ]|Junior[- ]|Stellvertretender? )?(?:[A-ZÄÖÜ][a-zäöüß]{2,20})?(?:[Bb]erater(?:in)?|"
    r"[Ll]eiter(?:in)?|[Vv]erwalter(?:in)?|[Bb]etreuer(?:in)?|"
    r"[Dd]irektor(?:in)?|[Pp]rokurist(?:in)?|[Gg]eschäftsführer(?:in)?|[Mm]akler(?:in)?)(?:\s(?:(?:für|der|"
    r"des)\s)?[A-ZÄÖÜ][\w-]{2,20}){0,3}(?![\w-])"
)
_TARGET_BEFORE = re.compile(
    r"(?:looking (?:for|at)|look(?:s|ed)? (?:for|at)|open to|opportunity as|wants? to (?:be|hear about)|want(?:s|"
    r"ed)?\W|like to (?:be|hear about)|hop(?:e|ing) for|would (?:like|love|be|have)"
    r"|accept|would take|would you take|['’]d (?:be|love|like)|consider|seek(?:s|ing)?|seat|search|"
    r"find (?:us )?an?|find|need|fill|vacan\w+|role|position|opening|gig|next|goal"
    r"|aspir\w+|interested in|discuss\w*|application(?: received)?|applicant|posting|apply(?:ing)?|"
    r"in mind for me was|replac\w+|advertisement for|job of"
    r"|busc[oa]|gustaría|vacante|plaza|puesto|procur[oa]|vaga|viserais|poste|position als|stelle|bewerb\w+|gesucht|"
    r"vorstellen|bouger|conviendrait|for the"
    r"|aimerais|cargo de|cherche|suche|aim\w*)\b[^.!?]{0,45}$",
    re.I,
)
_TARGET_AFTER = re.compile(
    r"^\W{0,2}(?:roles?|seat|opening|search|post|position|chairs?|title|opportunit\w+|vacancy|job|me conviendrait)\b",
    re.I,
)
_CURRENT_BEFORE = re.compile(
    r"(?:\bI\s?(?:am|'m|’m)|\bbeen|\bas|\bis|\bam|\bstill|(?<!for me )\bwas|role today|title|seat today|currently|"
    r"present(?:ly)?|derzeit|(?<!bewerbung )(?<!stelle )(?<!position )\bals|\bsoy|\bsuis|\bes|"
    r"trabajo como|being|role there|tell her)\b[^.!?;]{0,30}$",
    re.I,
)
_CURRENT_AFTER = re.compile(r"^,?\s?(?:at|with|of|chez|bei|im|beim|en|na|no|au|à|für|for|in the|in our|@)\s", re.I)
_SURELY_WANTED = re.compile(r"\b(?:vacan\w+|seat we|what I(?:['’]m| am) after)\b[^.!?;]{0,45}$", re.I)
_PAST = re.compile(
    r"\b(?:formerly|former|ex|not|nor|once|used to be|previously|instead of|assistant to|whom you placed)\W[^.]{0,25}$",
    re.I,
)
_NOISE = re.compile(r"\b(?:agree\w*|with the|your|our|a senior partner|their|his|her|the)\s$", re.I)


_OF_A_FIRM = re.compile(
    r"\s+(?:of|for)\s[^,]*\b(?:Collective|Advis[oe]rs|Partners|Bank|Group|LLC|Inc|Company|Securities|Capital)\b[^,]*$"
)
_PART_OF_A_NAME = re.compile(r"[A-ZÀ-Þ][\w&'’-]+ $")
_GOES_ON_AS_NAME = re.compile(r"^ [A-ZÀ-Þ]\w")


@dataclass(frozen=True)
class Title:
    value: str
    tense: Tense
    passage: Passage
    start: int
    end: int
    score: float


def titles_in(passage: Passage) -> Iterator[Title]:
    """Titles in reading order. Those written in lower case need words around that make them somebody's."""
    found = [match for pattern in (_ENGLISH, _GERMAN, _ROMANCE) for match in pattern.finditer(passage.text)]
    free = -1
    # Of titles that overlap the longest is meant: "director de planificación", not "director".
    for match in sorted(found, key=lambda one: (one.start(), -one.end(), one.re is not _ENGLISH)):
        if match.start() >= free:
            free = match.end()
            end = match.start() + len(_OF_A_FIRM.sub("", match.group()))
            yield _title(passage, match.start(), end, match.re is _ENGLISH)


def _title(passage: Passage, start: int, end: int, english: bool) -> Title:
    written = passage.text[start:end]
    tense, score = _tense(passage, start, end)
    capital = written[0].isupper()
    if not capital and english and " " not in written.strip():
        score -= 0.2
    if not capital and _NOISE.search(passage.before(start, 20)):
        score -= 0.4
    if " " not in written and (
        _PART_OF_A_NAME.search(passage.text[:start][-30:]) or _GOES_ON_AS_NAME.match(passage.text[end : end + 3])
    ):
        score -= 0.5
    if english and tense != "target" and re.search(r"[a-z](?<!s)s$", written):
        score -= 0.5  # "partners at" speaks of several
    if passage.kind == "header" and tense != "target":
        score -= 0.3
    return Title(shown(written, english, tense == "target"), tense, passage, start, end, score)


def _tense(passage: Passage, start: int, end: int) -> tuple[Tense, float]:
    before, after = passage.before(start, 80), passage.after(end, 40)
    if _PAST.search(before[-40:]):
        return "past", 0.1
    if _TARGET_AFTER.match(after) or _SURELY_WANTED.search(before):
        return "target", 0.9
    wanted, held = _TARGET_BEFORE.search(before), _CURRENT_BEFORE.search(before)
    if held and (not wanted or held.start() > wanted.start()):
        return "current", 0.9
    if wanted:
        return "target", 0.85
    if _CURRENT_AFTER.match(after):
        return "current", 0.85
    return "unknown", 0.65 if passage.kind == "signature" else 0.55


def shown(written: str, english: bool, singular: bool = False) -> str:
    """One line, first letter large; English titles in lower case get capitals. A vacancy is one chair."""
    title = " ".join(written.split()).strip(" ,")
    if english and singular:
        title = re.sub(r"(?<=[a-z])(?<!s)s$", "", title) if re.search(rf"{_HEAD}s$", title, re.I) else title
    if english and title.islower():
        return " ".join(word if word in ("of", "for", "and") else word.capitalize() for word in title.split())
    return title[:1].upper() + title[1:]
