"""Words of a mail that speak to software instead of its reader: nothing rests on them.

This is no wall: what a stranger writes in plain sight can always be phrased anew. It keeps the known phrasings from
changing a value, whoever reads them; the rest is what evidence, ownership and the user's eye are for.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from extraction.types import Issue

WORDS_TO_SOFTWARE = Issue(
    code="words_to_software", message="The mail holds words that speak to software, not to you. They were ignored."
)

# In the phrases a space stands for what may part two words of a mail: a line end and quote marks, too.
_GAP = r"(?:[\s>]+)"
_SOFTWARE = (
    r"(?:(?-i:A\.?I\.?|KI|IA)(?:[\s-](?:assistants?|agents?|models?|systems?|tools?|readers?|parsers?|screeners?|"
    r"Systeme?|Assistent(?:en)?|Modelle?|language models?))?|artificial intelligence|(?:large )?language models?|"
    r"Sprachmodelle?|LLMs?|(?:chat ?)?GPTs?|chat ?bots?|(?:virtual|digital|automated|e-?mail) assistants?|"
    r"automat(?:ed|ic) (?:systems?|tools?|parsers?|processing|processors?|readers?|agents?|software)|"
    r"(?:(?:e-?mail|r[ée]sum[ée]|cv|intake|extraction) )(?:parsers?|bots?|engines?|software|systems?)|parsers?|"
    r"(?:ro)?bots?|"
    r"model[oe]s? de (?:lenguaje|linguagem)|modèles? de langage|modell[oi] linguistic[oi])"
)
_READS = (
    r"(?:(?:that|which|who) )?(?:(?:is|are) )?(?:read|process|pars|scan|summari[sz]|extract|index|handl|analy[sz])"
    r"(?:e?s|e|ing)?\b"
)
_ORDERS = r"instructions?|directions|directives?|prompts?|guidelines|commands?|training|programming"
_PHRASES = (
    # "Ignore all previous instructions", in the languages of our mails
    r"\b(?:ignore|disregard|forget|override|bypass|do not follow)\b[^.!?]{0,20}\b(?:all|any|every|your|previous|prior|"
    rf"earlier|preceding|above|existing|other|system|given)\b[^.!?]{{0,20}}\b(?:{_ORDERS}|(?:system )?rules)\b",
    r"\b(?:ignore|disregard|forget) (?:all|everything)? ?(?:of )?(?:the )?(?:above|you were told|before this)\b",
    r"\b(?:ignor\w*|vergiss|vergessen|missachte\w*|oublie\w*|olvid\w*|esque[çc]\w*|dimentica\w*)\b[^.!?]{0,40}"
    r"\b(?:Anweisung\w*|Instruktion\w*|instructions|consignes|instrucciones|instruções|istruzioni)\b",
    # Addressed by name: "Note to AI assistants:", "To the language model that reads this", "ChatGPT, please"
    r"\b(?:note|notice|attention|message|instructions?|reminder|warning|important|hinweis|achtung|aviso|atención|"
    rf"atenção|remarque|attenzione)\b[^.!?\n]{{0,25}}\b{_SOFTWARE}\b(?: ?[:,–—-]| {_READS}| (?:must|should|shall|"
    rf"will)\b|\s*\n)",
    r"\b(?:to|for|dear|hey|hello|hi|ok|you are|you['’]re|as|an|für|para|pour)(?: (?:the|any|all|every|an?|eine?|alle|"
    r"die|das|"
    rf"une?|les|los|las|el|la|os))? {_SOFTWARE}\b(?: ?:| {_READS})",
    rf"(?:^|[.!?] |[(\[])\W{{0,6}}(?:(?:dear|hey|hello|hi|ok) )?{_SOFTWARE} ?[:,](?!\w)",
    rf"\b{_SOFTWARE} (?:{_READS} (?:this|the|my|our) (?:e-?mail|mail|message|text|file|document|r[ée]sum[ée]|cv|"
    r"attachment|application)\b|(?:must|should|shall) (?:record|use|treat|set|enter|output|ignore|note|write|report|"
    r"list|state)\b)",
    r"\bwhen (?:you )?(?:summari[sz]|pars|extract|process)ing (?:\w+ ){0,4}(?:from )?(?:this|the) (?:e-?mail|mail|"
    r"message|r[ée]sum[ée]|cv)\b",
    # Told what it is: "You are now in maintenance mode", "As an AI language model", "system prompt:"
    r"\b(?:you are|you['’]re) (?:now )?(?:an? |the )?(?:(?:helpful|e-?mail|unfiltered|unrestricted) )?"
    rf"(?:{_SOFTWARE}\b|assistant reading\b)|\bas an? (?:(?:AI|large) )?language model\b",
    r"\byou are now (?:in|an?|the) [^.!?\n]{0,30}\b(?:mode|assistant|model|bot)\b",
    r"\b(?:du bist|Sie sind|tu es|vous êtes|eres|usted es|você é|sei) (?:jetzt |ahora |maintenant |agora |ora )?"
    rf"(?:eine?|une?|una?|uma?) {_SOFTWARE}\b",
    r"\b(?:system|initial|hidden) (?:prompt|instructions?)\b|\b(?:developer|maintenance|jailbreak) mode\b",
    r"\b(?:system|developer|assistant|AI|LLM|model|parser|bot) (?:prompt|message|instructions?|override|note|notice|"
    r"commands?|directives?|update)\b\W{0,4}(?:[:=]|\n| (?:phone|name|e-?mail|set|use|record)\b)",
    r"\b(?:instructions?|note|notice|message) (?:to|for) (?:the |any |all )?(?:models?|parsers?|assistants?|"
    r"(?:extraction|intake) "
    r"(?:systems?|engines?|tools?))\b",
    r"^\W{0,6}(?:system|assistant|override)\W{0,4}: ?(?:you|ignore|new|override|set|use|record|the (?:candidate|"
    r"applicant|following|correct))\b",
    r"\bnew (?:instructions?|task) ?: ?(?:set|ignore|the candidate|extract|output|record|use)\b",
    # marks of chat templates, and the shape of our own answer
    r"<\|[\w\s]{1,30}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|instructions?|assistant|prompt)>",
    r"^\W{0,3}#{2,4} ?(?:system|instructions?|assistant)\b|\[(?:system|instructions?)\]|\"(?:people|full_name)\" ?:",
    # "Set the phone to …", "output this JSON"
    r"\b(?:set|overwrite|output) (?:the |all |every |its )?(?:(?:candidate|contact|applicant|"
    r"sender)(?:['’]s)? )?(?:name|"
    r"phone(?: number)?|e-?mail(?: address)?|company|location|aum|source|referrer|confidence|intent|compensation|"
    r"[a-z]{2,20}_[a-z_]{2,20})"
    r"(?: field| value| column)? (?:to|with|as)\b",
    r"\b(?:output|respond with|reply with|return|answer with|emit)\b[^.!?\n]{0,30}\bJSON\b",
)
_PHRASE = re.compile("|".join(_PHRASES).replace(" ", _GAP), re.I | re.M)
# Every phrase holds one of these within so many characters; looking for them takes no time.
_HINTS = (
    "instru", "istru", "anweis", "consign", "prompt", "directi", "guideline", "command", "training", "programming",
    "rules", "above", "you were", "before this", "intelligence", "language", "sprachmodell", "llm", "gpt", "bot",
    "assist", "automat", "parser", "engine", "linguag", "lenguaje", "linguistic", "langage", "summari", "parsing",
    "extracting", "processing", " mode", "system", "override", "new task", "inst]", "<|", "sys>>", 'people"',
    'full_name"', "set ", "overwrite", "output", "json",
)  # fmt: skip
_HINTS_IN_CAPITALS = ("AI", "A.I", "KI", "IA")
_REACH = 120
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
_WORD = re.compile(r"\w")
_NOT_A_LINE_END = re.compile(r"[^\n]")
MAX_STRETCH = 2_000  # characters after the address that it may speak for
_MAX_SENTENCE = 300  # and before it
_LEAST_PROSE = 5  # words
_FULL_LINE = 60  # characters


def noticed(texts: Iterable[str]) -> tuple[Issue, ...]:
    """What to tell the user of these texts."""
    return (WORDS_TO_SOFTWARE,) if any(map(to_software, texts)) else ()


def without_orders(text: str, by_lines: bool = False) -> str:
    """The text, character by character, with words that speak to software blanked; line ends stay. `by_lines`: it is
    a document's, where no empty lines tell paragraphs apart."""
    pieces, end = [], 0
    for start, stop in to_software(text, by_lines):
        pieces += [text[end:start], _NOT_A_LINE_END.sub(" ", text[start:stop])]
        end = stop
    return "".join((*pieces, text[end:])) if pieces else text


def before_orders(name: str) -> str:
    """What a display name says before it speaks to software."""
    found = next((found for first, last in _windows(name) if (found := _PHRASE.search(name, first, last))), None)
    return name[: found.start()].rstrip(" ,;:.|(/–—-") if found else name


@lru_cache(maxsize=16)  # a mail's text is asked for twice: what to tell the user of it, and what not to read
def to_software(text: str, by_lines: bool = False) -> tuple[tuple[int, int], ...]:
    """The stretches that speak to software: each from the sentence where it begins to its paragraph's end, and on to
    the next one's after a colon."""
    return tuple(_stretches(text, by_lines))


def _stretches(text: str, by_lines: bool) -> Iterator[tuple[int, int]]:
    end_of = _end_by_lines if by_lines else _paragraph_end
    covered = 0
    for first, last in _windows(text):
        while found := _PHRASE.search(text, max(first, covered), last):
            start = max(covered, _sentence_start(text, _first_word(found)))
            covered = end_of(text, found)
            yield start, covered


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Where a phrase may stand: around each hint; windows that touch are one, so that no place is searched twice."""
    lowered = text.lower()
    if len(lowered) != len(text):  # "İ" alone does that
        lowered = "".join(char.lower()[0] for char in text)
    places = [place for hint in _HINTS for place in _places(lowered, hint)]
    places += [place for hint in _HINTS_IN_CAPITALS for place in _places(text, hint)]
    first = last = 0
    for place in sorted(places):
        if place - _REACH > last:
            yield first, last
            first = place - _REACH
        last = place + _REACH
    yield first, last


def _places(text: str, hint: str) -> Iterator[int]:
    place = text.find(hint)
    while place >= 0:
        yield place
        place = text.find(hint, place + len(hint))


def _first_word(phrase: re.Match[str]) -> int:
    """Some phrases begin with the end of the sentence before."""
    word = _WORD.search(phrase[0])
    return phrase.start() + (word.start() if word else 0)


def _sentence_start(text: str, place: int) -> int:
    first = max(0, place - _MAX_SENTENCE)
    ends = (text.rfind(end, first, place) for end in ("\n", ". ", "! ", "? "))
    return max(first, 1 + max(ends))


def _paragraph_end(text: str, phrase: re.Match[str]) -> int:
    start, place = phrase.span()
    last = min(len(text), place + MAX_STRETCH)
    while blank := _BLANK_LINE.search(text, place, last):
        if not text[start : blank.start()].rstrip().endswith(":"):
            return blank.start()
        start = place = blank.end()
    return last


def _end_by_lines(text: str, phrase: re.Match[str]) -> int:
    """To the end of its line, and over those that go on with it."""
    last = min(len(text), phrase.end() + MAX_STRETCH)
    start, end = text.rfind("\n", 0, phrase.start()) + 1, _line_end(text, phrase.end())
    while end < last:
        following = _line_end(text, end + 1)
        if not _goes_on(text[start:end].rstrip(), text[end + 1 : following].strip()):
            break
        start, end = end + 1, following
    return min(end, last)


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return end if end >= 0 else len(text)


def _goes_on(line: str, following: str) -> bool:
    """Over an open sentence, and with whole ones: what stands there beside prose is the document's own."""
    if not following:
        return False
    if line.endswith((".", "!", "?")):
        return following.endswith((".", "!", "?")) and len(following.split()) >= _LEAST_PROSE
    return line.endswith((":", ",")) or following[0].islower() or len(line) >= _FULL_LINE
