"""Small numbers in words, as mails write them: "eleven families", "siebzehn Berufsjahre", "veintidós años"."""

import re

_UNITS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte "
    "veintiuno veintidós veintitrés veinticuatro veinticinco",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt",
    "de": "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "pt": "um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete "
    "dezoito dezenove vinte",
}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBERS = {word: number for line in _UNITS.values() for number, word in enumerate(line.split(), start=1)}
_NUMBERS |= {"treinta": 30, "trente": 30, "dreißig": 30, "trinta": 30, "vingt-cinq": 25}
_NUMBERS |= _TENS | {
    f"{ten}-{one}": value + _NUMBERS[one] for ten, value in _TENS.items() for one in _UNITS["en"].split()[:9]
}
NUMBER = r"(?:\d{1,3}(?:[,.]\d{3})+|\d{1,5}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")"


def number_from(text: str) -> str | None:
    """`eleven` → `11`, `1,240` → `1240`."""
    plain = re.sub(r"[,.](?=\d{3}\b)", "", text)
    if plain.isdigit():
        return str(int(plain))
    value = _NUMBERS.get(text.lower())
    return str(value) if value else None
