"""The facts from which the source follows: an event, the vault, a notice. The rules turn them into words of the CRM."""

import re

from extraction.patterns.notices import Answer
from extraction.patterns.reading import Passage
from extraction.patterns.roles import Cast

_EVENT = re.compile(
    r"\b(?:(?:met|spoke|meet(?:ing)?|seeing|saw|heard|speaking|connected|talked|stopped(?: at our booth)?|croisés|"
    r"échange|getroffen|"
    r"conocimos|kennengelernt|incontrat\w+|conhecemos)\b[^.\n]{0,40}?\s|[Ff]ollowing up from\s)"
    r"(?:at|from|during|(?:stand|booth|table|panel|session|dinner|reception) (?:at|of|del?|de la|della|do|da)|au|à la|"
    r"auf dem|auf der|beim|en el|en la|durante)\s(?:the\s|this year's\s)?"
    r"((?:[A-ZÀ-Þ][\w&'’-]*\s?|(?:of|du|de|del|da|do|della|des|der|für|the)\s){1,6}"
    r"(?:conference|summit|forum|expo|symposium|retreat|convention|roundtable)?(?:\s?20\d\d)?)"
)
_EVENT_WORD = re.compile(
    r"Forum|Summit|Conference|Congress|Expo|Symposium|Meeting|Kongress|Konferenz|Messe|Salon|Congreso|Retreat|Show|"
    r"conference|summit|forum|expo|symposium|retreat|convention|roundtable|Harbor 20|Feria|Foro|Jornadas|Salone|"
    r"Fiera|Feira|Encontro|Encuentro|Forum|20\d\d|Convention|Roundtable|Tagung"
)
_GATHERING = re.compile(r"Forum|Summit|Conference|Congress|Expo|Symposium|Kongress|Messe|Congreso|Convention", re.I)
_AT_EVENT = re.compile(
    r"\b(?:at|during|from)\s(?:the\s)?((?:[A-ZÀ-Þ0-9][\w&'’-]*[ ]?(?:(?:of|de|du|for|the)[ ])?){2,6})"
)
_VAULT = re.compile(r"\bTWAV\b|\badvisor vault\b", re.I)


def source_of(cast: Cast, passages: tuple[Passage, ...], answers: tuple[Answer, ...]) -> tuple[str, str | None]:
    """Source and detail; first match wins (domain.md, "Source")."""
    if cast.referrer:
        return "Referral", cast.referrer.name
    event = _event_in(passages) or _met_at(answers) or (_exported(answers) if cast.notice == "board" else None)
    if event:
        return "Conference/Trade Show", event
    if any(_VAULT.search(passage.text) for passage in passages if passage.kind != "signature"):
        return "Reverse Recruiting", "TWAV Platform"
    if cast.notice == "linkedin":
        return "LinkedIn Inbound", None
    if cast.notice == "calendly":
        return "Website Inbound", "Calendly scheduling"
    return "Email Inbound", "Direct email contact"


def _exported(answers: tuple[Answer, ...]) -> str | None:
    """The event that a badge scanner's export names."""
    named = (" ".join(answer.text.split()) for answer in answers if answer.kind == "event")
    return next((name for name in named if _GATHERING.search(name)), None)


def _met_at(answers: tuple[Answer, ...]) -> str | None:
    """The event that answers "Where did we meet?"."""
    found = (_AT_EVENT.search(answer.text) for answer in answers if answer.kind == "met")
    return next((" ".join(match.group(1).split()) for match in found if match), None)


def _event_in(passages: tuple[Passage, ...]) -> str | None:
    for passage in passages:
        if passage.kind in ("new", "forwarded"):
            for match in _EVENT.finditer(passage.text):
                name = " ".join(match.group(1).split()).removesuffix(" of").removesuffix(" the")
                if _EVENT_WORD.search(name):
                    return name
    return None
