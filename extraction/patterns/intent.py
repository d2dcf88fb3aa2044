"""What a mail is about: a candidate, a client who wants us to recruit, or nobody to file, and why."""

import re

from extraction.letter import Letter
from extraction.types import Intent

_CLIENT = re.compile(
    r"\bfind us an?\b|\bwe need (?:an?|two|three|to hire|to fill)\b|\b(?:run|take on) (?:both|the|this|our) search|"
    r"\bretain you\b|\bhelp (?:us )?hir(?:e|ing)\b|"
    r"\bwe(?:'re| are|'d like to| want to| would like to) (?:hir(?:e|ing)|fill|engage|looking to (?:hire|add|"
    r"fill))\b|\bwhat do you charge\b|\bsend (?:us |over )?your (?:fee )?agreement|"
    r"what position do you need to fill|\bnecesitamos contratar|encargarle la búsqueda|\bwir suchen (?:einen?|für)|"
    r"\bnous (?:cherchons|recherchons) un|\bour (?:open|vacant) (?:role|position)|"
    r"\brecruit(?:ing)? for us\b|\bfill (?:a|the|our) (?:role|position|vacancy|seat)\b",
    re.I,
)
_PITCH = re.compile(
    r"circling back|\bwe keep a list|\bsample of\b|free trial|per seat|amount due|\binvoice\b|"
    r"unsubscribe at any time|\bour platform\b|\bbook a demo|per month|billed yearly|"
    r"apply now|jobs available|candidate sourcing\?|growth partner|sponsor(?:ship)?\b",
    re.I,
)
_AUTO_SUBJECT = re.compile(
    r"^\s*(?:automatic reply|auto(?:matic)?[ -]?reply|out of (?:the )?office|undeliverable|undelivered|"
    r"delivery status|mail delivery|returned mail|abwesenheit\w*|"
    r"automatische antwort|respuesta automática|réponse automatique|fuera de la oficina)\b",
    re.I,
)
REASONS = {
    "auto": "An automatic reply or a delivery report: nobody to file.",
    "bulk": "A newsletter or bulk mail: nobody to file.",
    "pitch": "An offer, an invoice or an advertisement: nobody to file.",
    "nobody": "Nobody outside the firm is presented in this mail.",
}


def is_automatic(letter: Letter) -> bool:
    """Auto-replies and bounces (RFC 3834: Auto-Submitted other than "no")."""
    submitted = letter.headers.get("auto-submitted", "no").lower()
    local = (letter.sender.email or "").partition("@")[0]
    return (
        not submitted.startswith("no")
        or bool(_AUTO_SUBJECT.match(letter.sources["subject"]))
        or local in ("mailer-daemon", "postmaster")
    )


def is_bulk(letter: Letter) -> bool:
    return "list-unsubscribe" in letter.headers or letter.headers.get("precedence", "").lower() in ("bulk", "junk")


def is_pitch(newest: str, subject: str) -> bool:
    """Somebody sells something to us. Two signs are needed: one word alone is used by candidates too."""
    return len({match.group().lower() for match in _PITCH.finditer(f"{subject}\n{newest[:6000]}")}) >= 2


def wants_to_hire(text: str) -> bool:
    return bool(_CLIENT.search(text))


def intent_for(hiring: bool) -> Intent:
    return "client" if hiring else "candidate"
