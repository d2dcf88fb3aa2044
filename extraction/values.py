"""How a value is written, whoever found it: one form for each kind of field."""

import re
from urllib.parse import urlsplit

from extraction.patterns.links import is_free_mail
from extraction.patterns.names import clean_name
from extraction.patterns.phones import phone_e164
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


def cleaned(field: str, text: str | None, region: str | None = "US") -> str | None:
    """The value as it is filed, or None when it is no value of that field. Placeholders are none."""
    text = " ".join((text or "").split())
    if not text or text.casefold() in PLACEHOLDERS:
        return None
    match field:
        case "email" | "referrer_email":
            return text.lower() if _EMAIL.fullmatch(text) else None
        case "phone" | "mobile":
            return phone_e164(text, region)
        case "full_name" | "referrer_name":
            return clean_name(text)[0] or None
        case "website":
            return _host(text)
        case "linkedin_url":
            return _profile(text)
        case _:
            return text


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
    return host if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host) else None


def _profile(text: str) -> str | None:
    match = re.search(r"linkedin\.com/(?:comm/)?in/([\w%.-]+)", text, re.IGNORECASE)
    return f"https://www.linkedin.com/in/{match[1].rstrip('.')}" if match else None
