"""Small numbers in words, as mails write them: "eleven families", "siebzehn Berufsjahre", "veintidós años"."""

import re
from collections.abc import Iterable, Iterator

_UNITS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf",
    "de": "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn",
    "pt": "um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete "
    "dezoito dezenove",
    "it": "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "fr": "vingt trente quarante cinquante soixante",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "it": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
}
# How tens and units are joined; the first form of twenty-one to twenty-nine in Spanish is written as one word.
_JOINED = {"en": "{0}-{1}", "es": "{0} y {1}", "fr": "{0}-{1}", "de": "{1}und{0}", "pt": "{0} e {1}", "it": "{0}{1}"}
_IRREGULAR = {
    "veintiuno": 21,
    "veintidós": 22,
    "veintitrés": 23,
    "veinticuatro": 24,
    "veinticinco": 25,
    "veintiséis": 26,
    "veintisiete": 27,
    "veintiocho": 28,
    "veintinueve": 29,
    "veintiún": 21,
    "vingt et un": 21,
    "trente et un": 31,
    "quarante et un": 41,
    "cinquante et un": 51,
    "soixante-dix": 70,
    "quatre-vingts": 80,
    "ventuno": 21,
    "ventotto": 28,
    "trentuno": 31,
    "trentotto": 38,
    "dezasseis": 16,
    "dezassete": 17,
    "dezanove": 19,
    "catorze": 14,
}


def _numbers() -> Iterator[tuple[str, int]]:
    for language, line in _UNITS.items():
        units = line.split()
        yield from ((word, number) for number, word in enumerate(units, start=1))
        for tens, ten in enumerate(_TENS[language].split(), start=2):
            yield ten, 10 * tens
            for unit, word in enumerate(units[:9], start=1):
                yield _JOINED[language].format(ten, word), 10 * tens + unit


def any_word(words: Iterable[str]) -> str:
    """A pattern for any of many words that shares their beginnings, so that it costs no more than one of them."""
    heads: dict[str, list[str]] = {}
    for word in words:
        heads.setdefault(word[:1], []).append(word[1:])
    branches = [re.escape(head) + any_word(rest) for head, rest in sorted(heads.items()) if head]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)}){'?' if '' in heads else ''}"


_NUMBERS = dict(_numbers()) | _IRREGULAR
NUMBER = rf"(?:\d{{1,3}}(?:[,.]\d{{3}})+|\d{{1,5}}|{any_word(_NUMBERS)})"


def number_from(text: str) -> str | None:
    """`eleven` → `11`, `1,240` → `1240`."""
    plain = re.sub(r"[,.](?=\d{3}\b)", "", text)
    if plain.isdigit():
        return str(int(plain))
    value = _NUMBERS.get(text.lower())
    return str(value) if value else None
