"""How a value is written, whoever found it: one form for each kind of field."""

import re
from urllib.parse import urlsplit

from extraction.patterns.links import is_free_mail
from extraction.patterns.names import clean_name
from extraction.patterns.phones import phone_e164
from extraction.patterns.regions import COUNTRIES, REGION_NAMES, state_code
from extraction.text import canonical
from extraction.types import Person

PLACEHOLDERS = frozenset(
    {
        "unknown",
        "n/a",
        "na",
        "none",
        "null",
        "not provided",
        "not specified",
        "not stated",
        "not mentioned",
        "tbd",
        "-",
        "—",
        "?",
    }
)
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,255}\.[^\s@<>\"]{2,63}")
_LINK = re.compile(r"https?://[\w.-]+\.[a-z]{2,}/[^\s<>\"]{1,300}", re.I)
# Not the event that was booked, but what cancels it, where to book one, or where to dial in.
_NO_BOOKING = re.compile(
    r"/(?:cancel\w*|reschedul\w*)\b|calendly\.com/(?!events/)|//(?:[\w-]+\.)*(?:zoom|teams|meet|webex)\b", re.I
)
_MARKUP = re.compile(r"</?[a-z!]|\bjavascript:", re.I)
_SIGN = r"(?:[A-Z]{0,2}[$€£]|[A-Z]{3}\s?)?"
_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d+)?"
_AMOUNT = re.compile(rf"{_SIGN}(?:{_FIGURE})[KMB]?(?:-{_SIGN}(?:{_FIGURE})[KMB]?)?")
_UNITS = {"thousand": "K", "k": "K", "million": "M", "mm": "M", "m": "M", "billion": "B", "bn": "B", "b": "B"}
_UNIT = re.compile(rf"(?<=\d)\s?({'|'.join(_UNITS)})\b", re.I | re.A)  # else "ı" is an "i"
# What words can be of these fields: some letters, and no address, link or telephone number.
_WORDS = re.compile(r"(?=.*[^\W\d_])(?!.*@)(?!.*://)(?!.*(?:\d[\s().-]{0,2}){7}).*", re.S)
_SHAPES = {
    "city": re.compile(r"[^\W\d_](?:[^\W\d_]|[\s.'’/(),-])*"),
    "client_count": re.compile(r"\d{1,6}"),
    "years_experience": re.compile(r"\d{1,2}"),
    "book_transferable": re.compile(r"\d{1,3}%(?:-\d{1,3}%)?"),
    "licenses": re.compile(r"Series \d{1,2}|[A-Z][A-Za-z &]{1,30}"),
    "designations": re.compile(r"[A-Z][A-Za-z. ]{1,12}"),
}
_LONGEST = {"description_of_reqs": 2000, "meeting_link": 400, "email": 320, "referrer_email": 320, "linkedin_url": 400}
MAX_VALUE = 200  # characters of any other field


def cleaned(field: str, text: str | None, region: str | None = "US") -> str | None:
    """The value as it is filed, or None when it is no value of that field. Placeholders are none."""
    if not text or len(text) > 2 * _LONGEST.get(field, MAX_VALUE):
        return None
    text = " ".join(canonical(text).split())
    if text.casefold() in PLACEHOLDERS or len(text) > _LONGEST.get(field, MAX_VALUE) or _MARKUP.search(text):
        return None
    match field:
        case "email" | "referrer_email":
            return text.lower() if _EMAIL.fullmatch(text) else None
        case "phone" | "mobile":
            return phone_e164(text, region)
        case "full_name" | "referrer_name":
            return clean_name(text)[0] or None if not re.search(r"[\d@]|://", text) else None
        case "website":
            return _host(text) if "@" not in text else None
        case "linkedin_url":
            return _profile(text)
        case "meeting_link":
            return text if _LINK.fullmatch(text) and not _NO_BOOKING.search(text) else None
        case "aum" | "production" | "compensation":
            return _amount(text)
        case "client_count" | "years_experience":
            text = re.sub(r"(?<=\d)[,.](?=\d{3}\b)", "", text)
        case "book_transferable":
            text = "-".join(f"{end.strip(' %')}%" for end in re.split("[-–]", text))
        case "designations":
            text = text.rstrip("®™")
        case "state":
            text = state_code(text) or ("" if text.isupper() and text not in REGION_NAMES else text)
        case "country":
            return text.upper() if re.fullmatch(r"[A-Za-z]{2}", text) else COUNTRIES.get(text)
    return text if _SHAPES.get(field, _WORDS).fullmatch(text) and not (field not in _SHAPES and _amount(text)) else None


def _amount(text: str) -> str | None:
    """`$1.48M`, `$250K-$300K`; a few dollars are nobody's book."""
    written = _UNIT.sub(lambda unit: _UNITS[unit[1].lower()], re.sub(r"\s?[-–—]\s?", "-", text.rstrip("+")))
    return written if _AMOUNT.fullmatch(written) and re.search(r"[KMB]|[\d,]{4}", written) else None


def company_domain(person: Person) -> str | None:
    """The domain of the person's firm: of its website, else of a mail address that is not free mail."""
    if website := person.text("company", "website"):
        return _host(website)
    domain = (person.text("contact", "email") or "").rpartition("@")[2]
    return domain if domain and not is_free_mail(domain) else None


def _host(text: str) -> str | None:
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        return None
    host = (host or "").removeprefix("www.")
    return host if re.fullmatch(r"([a-z0-9-]+\.)+[a-z][a-z0-9-]+", host) else None


def _profile(text: str) -> str | None:
    match = re.search(r"linkedin\.com/(?:comm/)?in/([\w%.-]+)", text, re.IGNORECASE)
    return f"https://www.linkedin.com/in/{match[1].rstrip('.')}" if match else None
