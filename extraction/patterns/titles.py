"""Job titles, and whether somebody holds them, wants them, or held them once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from extraction.patterns.reading import Passage, once

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
    r"HR|Human|Resources?|People|Advisor|Financial|First(?= Vice)|Second(?= Vice)|Acting|Interim|Co|Plans?|"
    r"Agency|Benefits?|401\(k\)|403\(b\)|Community|Commercial|Premier|Solutions|Digital|Mass|High|Net|Worth|Chartered|"
    r"Certified|Key|Account|Affluent|Signature|Premium|Sector|Distribution|Desk|Fixed|Charitable|Head|Property|"
    r"Personal|Bank|Banking)"
)
_HEAD = (
    r"(?:Advis[oe]r|Counsel(?:l)?or|Manager|Director|President|Partner|Planner|Officer|Strategist|Economist|"
    r"Associate|Principal|"
    r"Co-?Founder|Founder|"
    r"Owner|CEO|CFO|COO|CIO|CCO|CTO|Consultant|Banker|Executive|Leader|Specialist|Analyst|Administrators?|"
    r"Wholesaler|Trader|Stockbroker|Trustee|Underwriter|Lender|Accountant|Attorney|Chair(?:man|woman)?|"
    r"Representative|Broker|Paraplanner|Assistant|Coordinator|Supervisor|(?-i:(?:[SEAFR]|1st |First )?VP|FA))"
)
_TAIL = (
    r"(?:[ \n]{1,8}(?:of|for)[ \n]{1,8}(?-i:[A-Z][\w&-]+)(?:[ ](?:(?:and|&)[ ])?(?-i:[A-Z][\w-]+)){0,3}|"
    r"[ -]in[ -]training)?"
)
# Words that are titles only behind one that says of what.
_BEHIND = (
    r"(?:(?:Insurance|Registered|Financial|Wealth|Sales|Retirement|Benefits?|General|Managing|Client|Life|Money)"
    r"[ \n]{1,8}(?:Agent|Rep|Coach|Producer|Executive)|"
    r"(?:Team|Practice|Planning|Client|Market|Branch|Group|Advisory|Service|Division|Regional|Wealth)[ \n]{1,8}"
    rf"Lead(?!(?:ers?|ing)?\s+(?:{_MODIFIER}\s+)*{_HEAD}))"
)
_AREAS = (
    r"(?:Private Client Group|(?:(?:Private|Wealth|Client|Financial|Institutional|Retirement|Family|Trust|Business|"
    r"Investment|Corporate|Estate|Tax|Advisor|Personal) ){0,2}(?:Strategy|Management|Planning|Services|Advisory|"
    r"Development|Investments|Banking|Sales|Operations|Compliance|Research|Marketing|Solutions|Relations|Wealth|"
    r"Trust)(?: (?:and|&) (?:Wealth|Trust|Investments?|Planning|Advisory|Banking|Management))?)"
)
_AREA = rf"(?:{_AREAS}(?! (?:[A-Z]|of [A-Z])))"
# "VP Investments", "Director Wealth Management": of what, without a comma.
_OF_AREA = (
    rf"(?:(?:Senior|First|Executive|Assistant|Managing) )?(?:Vice President|(?-i:[SEAF]?VP)|Director) (?-i:{_AREA})"
)
_ONE = (
    rf"(?:{_OF_AREA}|(?:{_MODIFIER}(?:[ \n]{{1,8}}|-)){{0,4}}(?:{_HEAD}|{_BEHIND})(?!\strack){_TAIL}|"
    rf"Head[ \n]{{1,8}}of[ \n]{{1,8}}(?:(?-i:[A-Z][\w&-]+)(?:[ ](?:(?:and|&)[ ])?(?-i:[A-Z][\w-]+)){{0,3}}|{_AREAS}))"
)
_ENGLISH = re.compile(
    rf"(?<![\w-])(?:(?:{_ONE})(?:(?:,\s|\s&\s|\sand\s|\s/\s)(?:{_ONE}))?s?(?:(?:(?:,|\s[–—-])\s|"
    rf"/)(?-i:{_AREA}))?)(?![\w-])",
    re.I,
)
# Any capitalised words that end as a title does, where the words before say that somebody is one.
_OPEN = re.compile(
    rf"(?:\b(?:an?|as|am|currently|title is|role as|now)\s|[,:|–—]\s|^[ \t]*)((?:(?!(?:I|The|A|An|At|With|In|My|Our|"
    rf"Currently|Now|Present|Current|First Advisor|As|Is|Title|Role|"
    rf"[\w-]+-based)\b)[A-Z][\w&-]+[ ]){{1,4}}{_HEAD}{_TAIL})(?![\w-])",
    re.M,
)
_QUALITY = (
    r"(?:senior|sénior|sênior|junior|principale?|général[e]?|general|adjunt[oa]|financier[oa]?|financeir[oa]|"
    r"patrimonial(?:es)?|comercial|privad[oa]|privée?s?|"
    r"regional|régionale?|nacional|internacional|ejecutiv[oa]|director|directora|fiscal|asociad[oa]|associée?|"
    r"clientèle|bancaire|gérante?|privat[ao]|finanziari[ao]|patrimonial[ei]|commerciale)"
)
_ROMANCE_HEAD = (
    r"(?:(?:vice)?president[ea]|(?:sub)?directora?|directeur|directrice|gerente|asesora?|assessora?|consultora?|"
    r"consultora?|soci[oa]|associée?|gestora?|gérante?|"
    r"conseill(?:er|ère)|analist[ae]|analyste|jefe|jefa|responsable|banquero|banquera|banquier|banquière|"
    r"gestionnaire|assistante?|chargée?|agente|planejadora?|coordenadora?|delegad[oa]|bancari[oa]|consulente|"
    r"responsabile|direttore|direttrice|promotore|promotrice|gestore|gestrice|courtier|diretora?|"
    r"sócio|sócia|planificadora?|planificat(?:eur|rice))"
)
_ROMANCE = re.compile(
    rf"(?<![\w-]){_ROMANCE_HEAD}(?:\s{_QUALITY}|\s(?:de|del|di|du|des|d['’]|da|do)\s?(?:la\s|"
    rf"les\s)?[\wÀ-ÿ-]{{4,20}}|\s(?:en|y|et|e)\s(?-i:[a-zà-ÿ]{{4,20}})){{0,4}}(?![\w-])",
    re.I,
)
_GERMAN = re.compile(
    r"(?<![\w-])(?:Senior[- ]|Junior[- ]|Stellvertretender? )?(?:[A-ZÄÖÜ][a-zäöüß]{2,20})?(?:[Bb]erater(?:in)?|"
    r"[Ll]eiter(?:in)?|[Vv]erwalter(?:in)?|[Bb]etreuer(?:in)?|"
    r"[Dd]irektor(?:in)?|[Pp]rokurist(?:in)?|[Gg]eschäftsführer(?:in)?|[Mm]akler(?:in)?|[Vv]orst[aä]nd(?:in|"
    r"smitglied)?|[Bb]ankier|[Pp]artner(?:in)?|[Mm]anager(?:in)?)(?:\s(?:(?:für|der|"
    r"des)\s)?[A-ZÄÖÜ][\w-]{2,20}){0,3}(?![\w-])"
)
_TARGET_BEFORE = re.compile(
    r"(?:looking (?:for|at)|look(?:s|ed)? (?:for|at)|open to|opportunity as|wants? to (?:be|hear about)|want(?:s|"
    r"ed)?\W|like to (?:be|hear about|lead|run|work|come|join|become|serve)|hop(?:e|ing) for|would (?:like|love|be|"
    r"have)"
    r"|accept|would take|would you take|['’]d (?:be|love|like)|consider|seek(?:s|ing)?|seat|search|"
    r"find (?:us )?an?|find|need|fill|vacan\w+|(?<!present )(?<!current )(?:role|position)|opening|gig|next|goal"
    r"|aspir\w+|interested in|discuss\w*|application(?: received)?|applicant|posting|apply(?:ing)?|"
    r"in mind for me was|anything like|hope to|hoping to|aspire|ideally|ideal|dream|next step|move (?:up|on) "
    r"(?:in)?to|promoted?|"
    r"ready to (?:be|run)|see myself as|step(?:ping)? (?:down|up)(?: into| to)|to be(?:come)?|be(?:ing)? made|"
    r"promoted to|replac\w+|\bad(?:vert\w*)? for|job of"
    r"|busc[oa]|gustaría|vacante|plaza|puesto|procur[oa]|vaga|lugar|queria|gostaria|vorrei|cerco|interessiert|"
    r"viserais|poste|post of|salto a|next step I would take|position als|stelle|bewerb\w+|gesucht|"
    r"vorstellen|bouger|conviendrait|for the"
    r"|aimerais|cargo de|cherche|suche|aim\w*|explor\w+(?! (?:a |my |other |new )?(?:moves?|options|changes?|what|"
    r"the idea))|if you (?:have|see|hear of))\b[^.!?]{0,45}$",
    re.I,
)
_TARGET_AFTER = re.compile(
    r"^\W{0,2}(?:would be (?:the|my|a) (?:dream|goal|next)|would suit|is what I|is the (?:goal|dream|next)|is next|"
    r"(?:(?:type|kind|sort|style)[ -](?:of )?)?(?:roles?|seats?|openings?|search|post|positions?|chairs?|title|"
    r"opportunit\w+|vacancy|jobs?)|me conviendrait)\b",
    re.I,
)
_CURRENT_BEFORE = re.compile(
    r"(?:\bI\s?(?:am|'m|’m)|\bbeen|\bas|\bis|\bam|\bstill|(?<!for me )\bwas|role today|title|seat today|currently|"
    r"(?:present|current) (?:role|position|title|seat)|present(?:ly)?|derzeit|"
    r"(?<!bewerbung )(?<!stelle )(?<!position )\bals|\bsoy|\bsuis|\bes|"
    r"trabajo como|being|role there|tell her|hold the (?:position|title|post|rank) of|serves? as|"
    r"(?:was|were|got|been|just|recently) (?:promoted|moved up|elevated|named|made)(?: to)?)\b[^.!?;]{0,30}$",
    re.I,
)
_CURRENT_AFTER = re.compile(r"^,?\s?(?:at|with|of|chez|bei|im|beim|en|na|no|au|à|für|for|in the|in our|@)\s", re.I)
_SURELY_WANTED = re.compile(
    r"\bnext (?:step|move|role|chair|seat|job|stop)\b[^.!?;]{0,45}\b(?:is|be)\b[^.!?;]{0,12}$|"
    r"\b(?:post|role|position|job|title|capacity|chair|seat) (?:of|as)(?: an?| the)?\s$(?<!my title of )|"
    r"\b(?:vacan\w+|seat we|what I(?:['’]m| am) after|what (?:I|we|he|she)(?:['’]d)? (?:would )?(?:want|like|"
    r"need)s?)\b[^.!?;]{0,45}$|"
    r"\b(?:chair|seat|role|position|job)\b[^.!?;]{0,40}\b(?:is|would be)\s(?:an? |the )?$|"
    r"(?<!\bmi )(?<!\bmon )(?<!\bmeine )(?<!\bmio )(?<!\bmeu )\b(?:puesto|poste|posto|cargo|stelle|aufgabe|"
    r"vaga)\b(?! actu)[^.!?;]{0,45}(?:\b(?:es|est|ist|sería|serait|seria|sarebbe|"
    r"wäre)|\bé|\bè|:)\s"
    r"(?:(?:el|la|le|une?|una|uma|o|a|die|eine?|de|da|do|di)\s){0,2}$|"
    r"\b(?:would|['’]d|if I)\b[^.!?;,]{0,70}\b(?:as|be)(?: an?| the)?\s$|"
    r"\bwould make (?:an?|the) (?:\w+ )?$|"
    r"\b(?:to be(?:come)?|llegar a|ser|devenir|diventare|tornar-me|be(?:ing)? made|promoted to|wants?)(?: an?|"
    r" the)?\s$",
    re.I,
)
_PAST = re.compile(
    r"\b(?:formerly|former|ex|not|nor|once (?:an?|the|was)|used to be|previously|instead of|assistant to|"
    r"whom you placed|where (?:I|he|she) was)\W[^.]{0,25}$",
    re.I,
)
# Whose title it is when it is not the person's.
_OTHERS = re.compile(
    r"\b(?:my|his|her|our) (?:wife|husband|brother|sister|father|mother|dad|mom|son|daughter|spouse|partner|boss|"
    r"friend|"
    r"manager|uncle|aunt|cousin|in-laws?)(?: is|,| was|, who is)(?: an?| the)?\s$|"
    r"\bretired (?:\w+ ){0,3}as(?: an?| the)?\s$|\b(?:before|prior to) (?:that|this)\b[^.]{0,50}$",
    re.I,
)
_HELD_UNTIL = re.compile(r"^[^.!?;]{0,40}\b(?:until|till)\b", re.I)
_SURELY_HELD = re.compile(
    r"\b(?:card (?:says|reads)|hold the (?:position|title|post|rank) of|(?<!to )(?:was|were|got|been|just|recently) "
    r"(?:promoted|moved up|"
    r"elevated|named|made)(?: to)?|now an?|am an?|one of (?:the|our|their|its|two|three|four|five|six|seven|"
    r"eight)(?: \w+)?)\s$",
    re.I,
)
# "What would I do if I could pick? Director of …"
_ASKED_ONESELF = re.compile(
    r"\b(?:would (?:I|he|she)|(?:I|he|she)(?:['’]d| would)? (?:want|like|pick|choose|dream)|"
    r"next)\b[^?.!]{0,60}\?\s+(?:An?\s)?$",
    re.I,
)
_ONE_OF = re.compile(r"\bone of (?:the|our|their|its|two|three|four|five|six|seven|eight)(?: \w+)?\s$", re.I)
_NOISE = re.compile(r"\b(?:agree\w*|with the|your|our|a senior partner|their|his|her|the)\s$", re.I)


_OF_A_FIRM = re.compile(
    r"(?:(?<=Founder)|(?<=Owner)|(?<=CEO)|(?<=Partner)|(?<=Principal)|(?<=Chair))\s+of\s.*$|"
    r"\s+(?:of|for)\s[^,]*\b(?:Collective|Advisory|Advis[oe]rs|Partners|Bank|Group|LLC|Inc|Company|Securities|"
    r"Capital)\b[^,]*$"
)
# "Gerente de Inversiones de Fiduciaria": where the firm begins.
_SWALLOWED = re.compile(
    r"\s(?:der|des|bei|beim|bei der)\s\S*(?:[Bb]ank|kasse|AG|GmbH|Gruppe)\b.*$|"
    r"(?<=[a-zà-ÿ])\s(?:de|di|du|da|do|del|della|en|em|chez|"
    r"bei)\s(?:la\s)?[A-ZÀ-Þ][\w’'-]+$(?<!Inversiones)(?<!Banca)(?<!Investimentos)"
)
_PART_OF_A_NAME = re.compile(r"(?!I['’])[A-ZÀ-Þ][\w&'’-]+ $")
_GOES_ON_AS_NAME = re.compile(r"^ [A-ZÀ-Þ]\w")


# "a Certified Financial Planner™", "a CPA professional": what somebody may call themselves, not their chair.
_A_MARK = re.compile(r"\s?[™®]|\s(?:professional|practitioner|designation|certification|certificant|mark)\b", re.I)
_REGULATED = re.compile(r"registered\s+investment\s+advis[oe]rs?", re.I)  # what a firm is by law
_STANDS_ALONE = re.compile(r"(?:President|Partner|Principal|Founder|Owner|C[EFIOCT]O|Paraplanner|Banker|Chair)", re.I)


@dataclass(frozen=True)
class Title:
    value: str
    tense: Tense
    passage: Passage
    start: int
    end: int
    score: float


@once
def titles_in(passage: Passage) -> Iterator[Title]:
    """Titles in reading order. Those written in lower case need words around that make them somebody's."""
    found = [
        (match.start(group), match.end(group), pattern in (_ENGLISH, _OPEN))
        for pattern, group in ((_ENGLISH, 0), (_OPEN, 1), (_GERMAN, 0), (_ROMANCE, 0))
        for match in pattern.finditer(passage.text)
    ]
    free = -1
    # Of titles that overlap the longest is meant: "director de planificación", not "director".
    for start, end, english in sorted(found, key=lambda one: (one[0], -one[1], not one[2])):
        if start >= free and not _REGULATED.fullmatch(passage.text, start, end):
            free = end
            yield _title(passage, start, start + len(_OF_A_FIRM.sub("", passage.text[start:end])), english)


def _title(passage: Passage, start: int, end: int, english: bool) -> Title:
    written = passage.text[start:end]
    tense, score = _tense(passage, start, end)
    capital = written[0].isupper()
    if _A_MARK.match(passage.text, end):
        score -= 0.5
    if english and " " not in written.strip():
        score -= 0.1 if capital and _STANDS_ALONE.search(written) else 0.25
        score -= 0.3 * bool(
            capital and re.match(r" [a-z]{3,}(?<!with) ", passage.text[end : end + 20] + " ") and tense == "unknown"
        )
    if not capital and _NOISE.search(passage.before(start, 20)):
        score -= 0.4
    if (
        (english or written.endswith(("Partner", "Manager")))
        and " " not in written
        and (_PART_OF_A_NAME.search(passage.text[:start][-30:]) or _GOES_ON_AS_NAME.match(passage.text[end : end + 3]))
    ):
        score -= 0.5
    several = english and bool(re.search(rf"{_HEAD}s$", written, re.I))
    one = several and bool(_ONE_OF.search(passage.before(start, 40)))
    if several and not one and tense != "target":
        score -= 0.5  # "partners at" speaks of several
    if passage.kind == "header" and tense != "target":
        score -= 0.3
    return Title(shown(written, english, one or tense == "target"), tense, passage, start, end, score)


def _tense(passage: Passage, start: int, end: int) -> tuple[Tense, float]:
    before, after = passage.before(start, 80), passage.after(end, 40)
    if _PAST.search(before[-40:]) or _OTHERS.search(before) or after.startswith(" turned "):
        return "past", 0.1
    if re.search(r"\bwas\b[^.!?;,]{0,8}$", before) and _HELD_UNTIL.match(after):
        return "past", 0.1
    if _SURELY_HELD.search(before):
        return "current", 0.95
    if _ASKED_ONESELF.search(passage.text, max(0, start - 90), start):
        return "target", 0.85
    if _TARGET_AFTER.match(after) or _SURELY_WANTED.search(before):
        return "target", 0.9
    wanted, held = _TARGET_BEFORE.search(before), _CURRENT_BEFORE.search(before)
    if wanted and held and held.group().lower().startswith(("as", "als", "como", "comme", "come")):
        held = None  # "I'd like to run things, as Regional Director"
    if held and (not wanted or held.start() > wanted.start()):
        return "current", 0.95 if re.match(r"I\b|been", held.group(), re.I) else 0.9
    if wanted:
        return "target", 0.85
    if _CURRENT_AFTER.match(after):
        return "current", 0.85
    return "unknown", 0.65 if passage.kind == "signature" else 0.55


def shown(written: str, english: bool, singular: bool = False) -> str:
    """One line, first letter large; English titles in lower case get capitals. A vacancy is one chair."""
    title = " ".join(written.split()).strip(" ,")
    if not english:
        title = _SWALLOWED.sub("", title)
    if english and title.isupper() and len(title) > 4:
        title = title.lower()
    if english and singular:
        title = re.sub(r"(?<=[a-z])(?<!s)s$", "", title) if re.search(rf"{_HEAD}s$", title, re.I) else title
    if english and title.islower():
        return " ".join(word if word in ("of", "for", "and") else word.capitalize() for word in title.split())
    return title[:1].upper() + title[1:]
