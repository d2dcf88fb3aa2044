"""Firms, as they write themselves."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span

_CAP = r"[A-ZÀ-ÞĀ-Ž][\w'’-]*"
_LEGAL = (
    r"(?:LLC|L\.L\.C\.|Inc\.?|inc\.|L\.P\.|LP|LLP|Ltd\.?|Ltda\.?|S\.A\.|SA|S\.L\.|AG|GmbH|eG|KG|SE|N\.A\.|Co\.|"
    r"Corp\.?|Corporation|PLC|plc|P\.C\.|PLLC|S\.p\.A\.|B\.V\.|NV)"
)
_AND = r"(?:&|and|und|et|y|e|of|de|du|del|la|financier|financière|the)"
_FIRM = re.compile(
    rf"(?<![\w@.'’-])(?:{_CAP},\s(?={_CAP}(?:\s{_CAP})?,?\s&\s)(?:{_CAP},\s)?)?{_CAP}(?:\s{{1,8}}(?:{_AND}\s{{1,8}}){{0,2}}{_CAP}){{0,6}}(?:\.?,?\s(?:&\s)?{_LEGAL}(?![\w])){{0,3}}(?:(?:(?<=Inc)|(?<=Ltda)|(?<=Ltd)|(?<=Corp))\.)?"
)
_KEYWORD = re.compile(
    r"\b(?:Wealth|Advis[oe]r\w*|Advisory|Securities|Partners|Capital|Bank\w*|Trust|Group\w*|Groupe|Financial|"
    r"Finance|Investments?|Asset|Management|Planning|Fiduciary|"
    r"Family Office|Counsel|Company|Compagnie|Holdings|Insurance|Patrimoni\w+|Gestión|Gestão|Sparverein|Sparkasse|"
    r"Vermögens\w+|Maison|Cie|Collective|Associates|"
    r"Brokerage|Private|Daughters|Sons|Söhne|Fils|Hermanos|Equity|Retirement|Estate|Tax|Trust Company|Clearing|"
    r"Consulting)\b"
)
_IS_LEGAL = re.compile(rf"[\s,]{_LEGAL}$")
_CUE = re.compile(
    r"(?:\b(?:at|with|for|joined|of|bei|bei der|beim|im|in der|chez|au|à la|à l['’]|en|na|no|from|by|firm is|firm|"
    r"shop|employer|company|org|somos|we are|are)[:\s]{1,4}|@\s)$",
    re.I,
)
_TRIMMED = re.compile(
    r"^(?:(?:The|At|With|In|I|We|My|Our|For|From|And|Of|Dear|Hi|Hello|Tell|As|On|By|Shop|Role|Company|Current|"
    r"Somos|Firm|To|For|Re|RE|FW|Fwd)\s)+(?=[A-ZÀ-Þ])"
)
_WRONG = re.compile(
    r"\b(?:Series|Monday|Tuesday|Wednesday|Thursday|Friday|Dear|Hello|Subject|Meeting|Time|Zoom|Calendly|LinkedIn|"
    r"Street|Suite|Forum|Summit|Conference|CFP|CFA|"
    r"Advisor Vault|Best|Regards|Thanks|Event|Phone|Mobile|Email)\b|^(?:Private Wealth|Wealth Management|"
    r"Client Advisory|Family Office)$"
)
_TITLE_WORD = re.compile(
    r"\b(?:Senior|Vice|President|Director|Manager|Advisor|Officer|Planner|Head of|Chief|Managing|Associate|"
    r"Strategist|Principal|Executive|Founder|Leiter|Consultant|"
    r"Market Leader|Producing|Estimad[ao]|Representative|Recruiter|Analyst)\b"
)
_END = "\x00"
_TITLE_FIRST = re.compile(
    r"^[\w ]{0,30}?\b(?:Principal|Partner|President|Director|Manager|Advisor|Officer|Founder|Owner|CEO),\s+"
)
_PAST = re.compile(
    r"\b(?:formerly|former|previously|survived|training class|approach anyone|used to|ex-|not at|before that|"
    r"sent by)\b[^.]{0,60}$",
    re.I,
)


def companies_in(passage: Passage) -> Iterator[Span]:
    """Firms by their keyword, legal form, or the words before ("at", "chez"); what they look like decides the score."""
    for match in _FIRM.finditer(_parted(passage.text)):
        name, start = _trimmed(match.group(), match.start())
        score = _score(name, passage, start)
        if score > 0.2:
            yield Span(" ".join(name.split()), passage, start, start + len(name), score)


def _parted(text: str) -> str:
    """The same text where a short line or a cell ends for good; only wrapped prose goes on after its line end."""
    lines = text.replace("\t", _END).split("\n")
    return "".join(line + (_END if len(line.strip()) < 45 or _END in line else "\n") for line in lines)[: len(text)]


def _trimmed(name: str, start: int) -> tuple[str, int]:
    lead = _TRIMMED.match(name)
    skip = lead.end() if lead else 0
    title = _TITLE_FIRST.match(name[skip:])
    skip += title.end() if title else 0
    name = name[skip:]
    first_line = name.split("\n\n")[0]
    return first_line.rstrip(" ,"), start + skip


def _score(name: str, passage: Passage, start: int) -> float:
    if len(name) < 3 or _WRONG.search(name):
        return 0
    before = passage.before(start, 70)
    score = 0.5 * bool(_KEYWORD.search(name)) + 0.35 * bool(_IS_LEGAL.search(name)) + 0.2 * (" & " in name)
    if not score:
        return 0.0
    if _TITLE_WORD.search(name) and not _IS_LEGAL.search(name):
        score -= 0.45
    if " " not in name:
        score -= 0.3
    if _PAST.search(before):
        score -= 0.5
    if _CUE.search(before):
        score += 0.25
    if passage.kind == "signature":
        score += 0.1
    return min(score, 0.95)
