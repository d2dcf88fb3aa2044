"""When somebody can start, in their own words; and what they are known for."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span
from extraction.patterns.words import NUMBER

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|"
    r"Jul|Aug|Sept?|Oct|Nov|Dec|"
    r"Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|janvier|février|mars|avril|mai|juin|juillet|août|"
    r"septembre|octobre|novembre|décembre|"
    r"fevereiro|junho|julho|setembro|outubro|novembro|dezembro|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|março|maio|janeiro)"
)
_DATE = (
    rf"(?:{_MONTH}\s\d{{1,2}}(?!\d)(?:,\s\d{{4}})?|\d{{1,2}}\.?\s(?:de\s)?{_MONTH}(?:\s(?:de\s)?\d{{4}})?|(?:mid|early|"
    rf"late)-{_MONTH}|Q[1-4]\s\d{{4}}|{_MONTH}(?:\s(?:de\s)?\d{{4}}))"
)
_SPAN = (
    rf"(?:{NUMBER}\s(?:days|weeks|months|week|month|Wochen|Monate|Tage|semanas|meses|mes|días|dias|semaines|"
    r"mois|jours|giorni|mesi|settimane)['’]?)"
)
_HINT = re.compile(
    r"ready|leave|join|out the door|before|until|sooner|earlier|partir|\bab\b|start|notice|needs|requires|signing|"
    r"free|available|nothing moves|after |when:|kündigung|wechseln|einstieg|verfügbar|frei|préavis|congé|aviso|"
    r"at liberty|following|sair|"
    r"começar|iniciar|empezar|incorpor|cambiar|libre|dispon|commencer|iniziare|libero|libera|preavviso|"
    r"preaviso|em ",
    re.I,
)
_AVAILABLE = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:can|could)\s(?:\w+\s)?start\s(?:in\s|on\s|by\s)?((?:{_SPAN}|{_DATE})(?:\safter\s(?:an?\s)?(?:offer|"
        rf"signing|notice))?)",
        rf"\bstart(?:ing)?\s(?:date\s)?(?:on|from|in|by)\s({_DATE}|{_SPAN})",
        rf"\bnotice(?:\speriod)?\s(?:is|of|period:)\s({_SPAN})",
        rf"\b({_SPAN}\s(?:written\s)?notice)\b",
        rf"\b(?:needs?|requires?)\s(?:about\s|at least\s)?({_SPAN})(?=[,.;\s]|$)",
        rf"(?:\A|[.?!]\s)({_SPAN}\safter\s(?:an?\s)?(?:offer|signing|notice))",
        rf"\b(?:free|available|nothing moves before)\s(?:from\s|in\s|on\s|as of\s)?({_DATE}|{_SPAN}|immediately)",
        r"\b(after (?:year[- ]end|bonus(?:es)?(?: season)?))\b",
        rf"\bWhen:\s({_DATE})",
        rf"\b(?:be out|out the door|be ready|be free|be available|leave|join)\b[^.,;]{{0,20}}\b(?:by|on|in)\s({_DATE})",
        rf"(?:n['’]t|cannot|\bnot|\bnothing)\s(?:want to\s|be able to\s)?(?:leave|move|start|go|come|"
        rf"be free)\b[^.]{{0,15}}\b(?:before|until)\s({_DATE})",
        rf"\b(not (?:before|until)\s{_DATE})",
        rf"\b(?:at liberty|available to start)\s(?:from\s|on\s|as of\s)?({_DATE})",
        rf"\b(?:begin|start|join)\s({_SPAN}\s(?:following|after|from)\s[^.,;\n]{{3,40}})",
        rf"((?:after|no earlier than|not before)\s{_DATE}),? (?:and )?(?:not|no) (?:sooner|earlier|before)",
        rf"((?:a partir del?|à partir (?:de|du)|a partire da|ab dem|ab)\s(?:el\s|le\s|1er\s)?{_DATE})",
        rf"\bKündigungsfrist\s(?:beträgt|von|ist)\s({_SPAN}(?:\szum\s\w+)?)",
        rf"\b(?:wechseln|einstieg|verfügbar|frei)\b[^.\n]{{0,25}}?\b(?:zum|ab|ab dem|frühestens)\s({_DATE})",
        rf"\b({_SPAN}\sd[ei]\s(?:préavis|preaviso|preavviso|aviso prévio))",
        rf"\b(?:préavis|congé|preaviso|preavviso|aviso prévio)\s?(?:est de|est|de|es de|es|é de|di|è di|:)\s({_SPAN})",
        rf"\b(?:sair|começar|iniciar|empezar|incorporarme|cambiarme|libre|disponible|commencer|iniziare|disponibile|libero|libera)\s"
        rf"(?:a|em|no dia|el|en|a partir del?|le|dès le|à partir du|au|dal|da|il)\s({_DATE})",
        rf"\bem\s({_MONTH}\sde\s\d{{4}})",
    )
)
_SPECIALTY = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i:\bspeciali[sz](?:e|es|ing|ed) in|\bknown for,? (?:if anything, )?is|\bwork I love best is|"
        r"\bfocus(?:ed|ing)? on|\bmostly \w+ \w+:|\büberwiegend|\bprimarily)\s"
        r"([^.;\n(]{4,120})",
    )
)


def availability_in(passage: Passage) -> Iterator[Span]:
    for pattern in _AVAILABLE if _HINT.search(passage.text) else ():
        for match in pattern.finditer(passage.text):
            value = " ".join(match.group(1).split())
            if not re.search(r"\b(?:replacement|promise|vests)\b", passage.after(match.end(), 20)):
                yield Span(value, passage, match.start(1), match.end(1), 0.8)


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
