"""When somebody can start, in their own words; and what they are known for."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span
from extraction.patterns.words import NUMBER

_MONTH = (
    r"(?:(?-i:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|"
    r"Jun|"
    r"Jul|Aug|Sept?|Oct|Nov|Dec|"
    r"Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember)|janvier|février|mars|avril|mai|juin|juillet|août|"
    r"septembre|octobre|novembre|décembre|"
    r"fevereiro|junho|julho|setembro|outubro|novembro|dezembro|gennaio|febbraio|aprile|maggio|giugno|luglio|"
    r"settembre|ottobre|dicembre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|março|maio|janeiro)"
)
_SEASON = (
    r"(?:spring|summer|fall|autumn|winter|Easter|Memorial Day|Labor Day|Thanksgiving|Christmas|New Year(?:['’]s)?)"
)
_DATE = (
    rf"(?:(?:{_MONTH}|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec))\s(?:the\s)?\d{{1,2}}(?:st|nd|rd|"
    rf"th)?(?![\d:])(?:,?\s\d{{4}})?|"
    rf"\d{{1,2}}(?:\.|st|nd|rd|th|er|º)?\s(?:de\s|of\s)?{_MONTH}(?:\s(?:de\s)?\d{{4}}|,\s\d{{4}})?|"
    rf"(?:(?:mid|early|late)(?:-|\s)(?:to late\s)?|(?:the )?(?:end|beginning|middle|start) of |Anfang |Mitte |Ende |"
    rf"début |"
    rf"mi-|fin |principios de |mediados de |finales de |início de |meados de |fim de |inizio |metà |fine )"
    rf"{_MONTH}(?:\s(?:de\s)?\d{{4}})?|"
    r"(?:the )?(?:end|beginning|middle|start) of (?:Q[1-4](?: \d{4})?|the (?:year|quarter|month)|\d{4})|"
    rf"{_MONTH}(?:,?\s(?:of\s|de\s)?\d{{4}})?|(?:the )?(?:first|second|third|fourth) quarter(?: of)?(?: \d{{4}})?|"
    rf"Q[1-4](?:\s(?:of\s)?\d{{4}})?|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}|"
    rf"(?:(?:early|late|next|this|the)\s){{1,2}}(?:{_SEASON}|new year|quarter|month|year)|"
    rf"(?:{_SEASON})(?:\s(?:of\s)?\d{{4}})?|year[- ]end)"
)
_LENGTH = (
    r"(?:days?|weeks?|months?|Wochen?|Monate?n?|Tagen?|semanas?|mes(?:es)?|días?|dias?|semaines?|mois|jours?|"
    r"giorni|mesi|settimane)"
)
_NOTICE = (
    r"(?:(?:written )?notice(?: period)?|d[ei] (?:préavis|preaviso|preavviso|aviso prévio|pré-aviso)|"
    r"(?:Kündigungsfrist|Frist))"
)
_SPAN = (
    rf"(?:(?:an?|one) month|{NUMBER}(?:\s?(?:-|–|to|bis|à|a)\s?{NUMBER})?[\s-]{_LENGTH}['’]?)"
    rf"(?:\s{_NOTICE}|\szum\s\w+(?:ende|schluss)|\s(?:after|from|following|of)\s(?:acceptance of )?(?:an? |my |the )?"
    rf"(?:(?:signed |firm )?offer|signing|notice|acceptance)|\s(?:after|from|"
    rf"following)\s(?!that\b)[^.,;:()\n]{{3,30}})?"
)
# A time of which a sentence may say that somebody is free then. A month alone keeps its "from": "from September".
_TIME = re.compile(
    rf"(?<![\w.-])(?:(?:not before|no(?:t)? (?:earlier|sooner) than|not until|after|within|nicht vor|pas avant|"
    rf"no antes de)\s)?"
    rf"(?:(?:from|in|by|a partir d[eo]l?|à partir de|a partire da|ab|em|en|im)\s{_MONTH}(?!\s\d|\sde|,\s\d)|{_DATE}|"
    rf"{_SPAN}|"
    rf"immediately|right away|straight away|after bonus(?:es)?(?: season)?)(?![\w-])",
    re.I,
)
_FREE = re.compile(
    r"\b(?:start(?:ing|s)?|begin|join|move|(?<!on )leave|call it|come (?:over|across|on board)|go|make (?:a|the|"
    r"my) (?:move|change)|making a "
    r"change|be (?:out|somewhere else|free|ready|gone|available|there)|out the door|(?:is|am|are|i['’]m) (?:free|"
    r"ready|available)|"
    r"free|available|"
    r"availability|at liberty|ready|resign|"
    r"transition|switch|when|timing|timeline|earliest|notice|"
    r"(?:asks|calls|provides) for|needs?|requires?|owe|nothing moves|no (?:move|change)|"
    r"wechseln|anfangen|beginnen|antreten|einstieg|starten|verfügbar|frei|kündig\w*|eintritt\w*|"
    r"préavis|congé|disponibles?|libre|commencer|partir|quitter|rejoindre|démarrer|"
    r"preaviso|dispon[ií]vel|empezar|comenzar|incorporar\w*|cambiar\w*|salir|dejar|"
    r"sair|começar|iniciar|mudar|mudamos|aviso prévio|livre|"
    r"preavviso|disponibile|libero|libera|iniziare|cominciare|lasciare|entrare)\b",
    re.I,
)
# What else is said to happen then: a talk, a holiday, a deadline, a history.
_OTHERWISE = re.compile(
    r"\b(?:talk|speak|call(?!ed)|chat|meet(?:ing)?|lunch|coffee|visit|interview|conference|conversation|phone|reach|"
    r"ring|"
    r"vacation|holiday|travel\w*|flight|closing|bonus is|paid|vests?|deadline|expires?|runs? out (?:in|on)|ended|"
    r"since|ago|"
    r"started|"
    r"joined|left|moved|founded|sold|born|graduated|was|were|had|have been|worked|on (?:\w+ )?leave|anniversary|"
    r"retir\w+|"
    r"sprechen|anrufen|telefon\w*|Gespräch|seit|parler|appeler|rendez-vous|depuis|hablar|llamar\w*|reunión|desde|"
    r"falar|ligar|parlare|chiamare|dal \d{4})\b",
    re.I,
)
_NOT_THE_TIME = re.compile(
    r"\s?(?:replacement|promise|vests|of experience|to go|to run|left|ago|\w* ?trailing|production|ended)\b", re.I
)
_NOT_BEFORE = re.compile(r"not?\b|nicht|pas", re.I)
_AFTERWARDS = re.compile(
    rf",? (?:and )?not (?:sooner|earlier|before)|\b(?:(?:would be|is|are) (?:natural|ideal|best|enough|all (?:I|he|"
    rf"she|they) needs?)|to get away|the earliest)\b|^ and (?:I|he|"
    rf"she)(?:['’]m| am|['’]s| is) (?:out|free|yours)\b|{_FREE.pattern}",
    re.I,
)
_OWES = re.compile(rf"{_NOTICE}|\bzum \w+ende|\b(?:offer|signing|acceptance)\b", re.I)


_SPECIALTY = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i:\bspeciali[sz](?:e|es|ing|ed) in|\b(?:special(?:i)?t(?:y|ies)|focus|niche) (?:is|are)(?: on)?|"
        r"\bSchwerpunkte?(?: ist| sind| liegt (?:auf|in))(?: (?:der|die|das))?|\bspéciali(?:té|sée? dans)(?: "
        r"est)?(?: la| le| les)?|"
        r"\bespeciali(?:dad es|zad[oa] en)(?: la| el)?|\bspecializzat[oa] in|\bknown for,? (?:if anything, )?is|"
        r"\bwork I love best is|"
        r"\bfocus(?:ed|ing)? on|\bmostly \w+ \w+:|\büberwiegend|\bprimarily)\s"
        r"((?:(?!, (?:the|which|and the|im|in|where|being) )[^.;\n(]|\n(?!\n)){4,120})",
    )
)


def availability_in(passage: Passage) -> Iterator[Span]:
    """Times of which the words around say that somebody is free then, or how long they need."""
    for match in _TIME.finditer(passage.text):
        before, after = passage.before(match.start(), 70), passage.after(match.end(), 40)
        score = _score(match.group(), before, after)
        if score and not _NOT_THE_TIME.match(after):
            yield Span(" ".join(match.group().split()), passage, match.start(), match.end(), score)


def _score(written: str, before: str, after: str) -> float:
    """The nearest word before decides; after the time only one that stands close."""
    if _NOT_BEFORE.match(written):
        return 0.8
    free = max((match.end() for match in _FREE.finditer(before)), default=-1)
    other = max((match.end() for match in _OTHERWISE.finditer(before)), default=-1)
    if other > free:
        return 0
    if free >= 0:
        near = len(before) - free <= 30 and not before.rstrip().endswith(("before", "until"))
        return 0.8 if near or _OWES.search(written) else 0.65
    if _OWES.search(written):
        return 0.75
    return 0.6 if _AFTERWARDS.search(after[:25]) and not _OTHERWISE.search(after[:25]) else 0


def specialties_in(passage: Passage) -> Iterator[Span]:
    for pattern in _SPECIALTY:
        for match in pattern.finditer(passage.text):
            yield from listed(passage, match.start(1), match.end(1))


def listed(passage: Passage, start: int, end: int) -> Iterator[Span]:
    """The items of an enumeration, one span each."""
    text = passage.text[start:end]
    position = 0
    for item in re.split(r"(,\s(?:and\s)?|\s(?:and|und|et|y|&)\s|;\s)", text):
        words = item.strip(" .,;")
        if (
            words
            and not re.fullmatch(r"[,;\s]*(?:and|und|et|y|&)?\s*", item)
            and len(words) > 2
            and len(words.split()) <= 5
        ):
            offset = start + position + item.index(words)
            yield Span(" ".join(words.split()), passage, offset, offset + len(words), 0.75)
        position += len(item)
