"""Phone numbers: E.164, and whether the words around say mobile, direct, switchboard, fax or dial-in."""

import re
from collections.abc import Iterable, Iterator

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from extraction.patterns.reading import Passage, Span

_LOOKS = re.compile(r"(?<![\w$€£#/@.-])\+?\(?(?:\d[\d ()./\u2013-]{6,22}|\d{3}\)\n[\d .-]{6,8})\d(?![\w%]|[.,]\d)")
_NOT_A_PHONE = re.compile(
    r"(?:\bID|meeting id|passcode|code|código|badge|account(?: number)?|ref(?:erence)?|invoice|no\.|nr\.|#|"
    r"konto\w*)\W{0,3}(?:is\W)?$",
    re.I,
)
_DIAL_IN = re.compile(
    r"dial[- ]?in|\bdial\b|zoom|audio only|join by phone|by phone:|marque|web conference|attendees|one tap|"
    r"teléfono de conferencia",
    re.I,
)
_FAX = re.compile(r"\b(?:tele)?fax\b|\bf(?:ax)?[:.]?\s*$|télécopieur|fax\W*$|(?<!\w)F\s*$", re.I)
_SWITCHBOARD = re.compile(
    r"\b(?:main|office|reception|recepción|switchboard|front desk|centralita|zentrale|sammelnummer|standard|bureau|"
    r"büro|fijo de la oficina"
    r"|durchwahl|desk|firm's|support|employer support|website|toll[- ]free|(?<!\w)h)\b",
    re.I,
)
_MOBILE = re.compile(
    r"\b(?:mobiles?|telemóvel|cellulare|natel|cell(?:ular|ulaire)?|celular|móvil|handy|mobil|portable|text me|"
    r"texts?|whatsapp|private line|"
    r"own|personal|particular|evenings"
    r"|ping me|c|m|mob)\b|📱",
    re.I,
)
_DIRECT = re.compile(
    r"\b(?:direct|directo|direkt|d|reach(?:able)?|call|phone|number|telephone|erreich\w+|numéro|llam\w+|t|tel)\b", re.I
)
_AFTER_FAX = re.compile(r"^[ (,]{0,3}(?:fax|télécopieur)", re.I)
_AFTER_DESK = re.compile(r"^[ (,]{0,3}(?:front desk|desk|main|office|reception|poste|ext|sammelnummer)", re.I)
_AFTER_MOBILE = re.compile(
    r"^[ (,]{0,3}(?:direct|cell|mobile|celular|móvil|handy|portable|is (?:my|his|her|the) (?:own|cell|mobile|direct|"
    r"personal|private|best))",
    re.I,
)
_TOLL_FREE_NATIONAL = ("0800", "0 800")  # as people in Europe and Brazil write them
_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888", "+1900")  # a firm's, never a person's own
_TLD_REGIONS = {
    "de": "DE",
    "fr": "FR",
    "es": "ES",
    "uk": "GB",
    "ca": "CA",
    "ch": "CH",
    "at": "AT",
    "it": "IT",
    "br": "BR",
    "mx": "MX",
    "au": "AU",
}
_LANGUAGE_REGIONS = {
    "de": ("DE", "CH", "AT"),
    "fr": ("FR", "CH"),
    "es": ("ES", "MX", "CO"),
    "pt": ("BR", "PT"),
    "it": ("IT",),
    "nl": ("NL",),
}


def phone_e164(text: str, region: str | None) -> str | None:
    """A number as `+13175550127`, without extension; None when it is no possible number of that region."""
    try:
        number = phonenumbers.parse(text.replace("/", "-"), region)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or len(str(number.national_number)) < 7:
        return None
    if number.country_code == 1 and not re.fullmatch(r"[2-9]\d{2}[2-9]\d{6}", str(number.national_number)):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def regions_for(language: str | None, addresses: list[str], named: Iterable[str] = ()) -> tuple[str, ...]:
    """Where to look for national numbers, most likely first: by the address, the countries `named`, the language."""
    by_address = [_TLD_REGIONS[tld] for address in addresses if (tld := address.rpartition(".")[2]) in _TLD_REGIONS]
    return tuple(dict.fromkeys([*by_address, *named, "US", *_LANGUAGE_REGIONS.get(language or "", ()), "GB"]))


def phones_in(passage: Passage, regions: tuple[str, ...]) -> Iterator[Span]:
    """Numbers that may be somebody's, best kind highest: mobile 1, direct 0.8, unlabelled 0.7, switchboard 0.2."""
    for match in list(_LOOKS.finditer(passage.text))[:60]:
        written = match.group()
        if not 8 <= sum(map(str.isdigit, written)) <= 15 or _is_date(written):
            continue
        score = _kind(passage, match.start(), match.end())
        number = next((e164 for region in regions if (e164 := _number(written, region))), None)
        if number and (number.startswith(_TOLL_FREE) or written.startswith(_TOLL_FREE_NATIONAL)):
            score = min(score, 0.2)
        if number and 0.5 < score < 0.9 and _is_mobile(number):
            score = 0.9
        if score > 0 and number:
            yield Span(number, passage, match.start(), match.end(), score)


def _is_mobile(number: str) -> bool:
    """By its prefix, where mobile numbers have one of their own; in North America they have none."""
    return phonenumbers.number_type(phonenumbers.parse(number)) == phonenumbers.PhoneNumberType.MOBILE


def _number(written: str, region: str) -> str | None:
    """National numbers abroad begin with a trunk zero; without it, ten digits are North American."""
    if region not in _NO_TRUNK_ZERO and not written.lstrip("(").startswith(("+", "0")):
        return None
    if (
        region in _NATIONAL_LENGTH
        and not written.lstrip().startswith("+")
        and len(re.sub(r"\D", "", written)) != _NATIONAL_LENGTH[region]
    ):
        return None
    if region == "US" and written.lstrip("(").startswith("0"):
        return None
    return phone_e164(written, region)


# Where national numbers are written without a zero in front, and how long they are.
_NATIONAL_LENGTH = {"ES": 9, "PT": 9, "MX": 10, "CO": 10, "PE": 9, "CL": 9, "SG": 8, "HK": 8, "NO": 8, "DK": 8, "PL": 9}
_NO_TRUNK_ZERO = frozenset({"US", "CA", "IT", "BR", "AR", "IN", "AE", "LU", *_NATIONAL_LENGTH})


def _is_date(written: str) -> bool:
    return bool(
        re.fullmatch(
            r"(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2})(?:\s.*)?", written
        )
    ) or bool(re.fullmatch(r"(?:19|20)\d{2}\s?[-–]\s?(?:19|20)\d{2}", written))


def _kind(passage: Passage, start: int, end: int) -> float:
    before = passage.lines_before(start, 70)
    line = before[
        max(before.rfind("\n"), before.rfind("|"), before.rfind("·"), before.rfind("("), before.rfind("•")) + 1 :
    ]
    near, after = line or before, passage.text[end : end + 30].partition("\n")[0]
    if _NOT_A_PHONE.search(before) or (
        _DIAL_IN.search(before[-60:]) and not re.search(r"will call|call .{0,60} at", before)
    ):
        return 0
    if _FAX.search(near[-16:]) or _AFTER_FAX.match(after):
        return 0
    if _AFTER_DESK.match(after):
        return 0.2
    if _AFTER_MOBILE.match(after):
        return 0.95
    return _labelled(near, before)


def _labelled(near: str, before: str) -> float:
    for words in (near, before[-45:]):
        found = [
            (match.end(), score)
            for pattern, score in ((_MOBILE, 1.0), (_DIRECT, 0.8), (_SWITCHBOARD, 0.2))
            for match in pattern.finditer(words)
        ]
        if found:
            return max(found, key=lambda one: (one[0], -one[1]))[1]
    return 0.7
