"""What a mail is about: a candidate, a client who wants us to recruit, or nobody to file, and why."""

import re
from collections.abc import Iterable

from extraction.letter import Letter
from extraction.types import Intent

_CHAIR = (
    r"(?:[\w-]+ ){0,5}?(?:advis[oe]rs?|planners?|managers?|directors?|associates?|officers?|bankers?|partners?|"
    r"presidents?|analysts?|"
    r"strategists?|consultants?|paraplanners?|leaders?|successors?|people|person|somebody|someone|hires?|head|"
    r"C[EFIO]Os?)\b"
)
_CLIENT = re.compile(
    rf"\bwe(?:['’]d| would| also| still| now|['’]re| are| have| will|['’]ll){{0,2}} (?:need|want|like|"
    rf"looking)(?: for)? (?:an?|the next|our next|"
    rf"two|three|four|another|some|one more)? ?(?:more )?(?:{_CHAIR})(?! (?:seat|role|position|job|chair)s? (?:at|"
    rf"with|for me|for us))|"
    rf"\bI need (?:an?|two|three|another) (?:{_CHAIR})(?! (?:seat|role|position|job|chair))|"
    rf"\b(?:we|I)(?:['’]d| would| also| still| now|['’]re| are| have| will|['’]ll| am|['’]m){{0,2}} (?:need|want|"
    rf"like|plan|hope|going|look|looking|trying) to "
    rf"(?:add|hire|bring on|bring in|recruit|find|fill|replace|employ) (?:an?|the|our|my|two|three|four|another|"
    rf"some|one|somebody|someone)\b(?! (?:firm|home|place|shop|seat))|"
    rf"\b(?:find|send|recruit|hire) (?:us|me) (?:an?|two|three|some|somebody|someone)\b|\bwhat we need is\b|"
    rf"\b(?:run|take on|handle|conduct|start|authori[sz]ed|open) (?:both|an?|the|this|our) search(?:es)?\b|"
    rf"\b(?:the )?search is yours\b|"
    r"\b(?:our|an open|a vacant) (?:open|vacant|vacancy|new)? ?(?:role|position|seat|vacancy)\b[^.]{0,40}\b(?:fill|"
    r"for|is|opens)\b|"
    r"\b(?:retain|engage|hire|use) (?:you|your firm|a recruiter|a search firm)\b|"
    r"\bhelp (?:us )?(?:with )?(?:hir(?:e|ing)|"
    r"fill(?:ing)?|recruit(?:ing)?|find(?:ing)? (?:an?|the|our|two|three|somebody|someone))\b|"
    r"\bwe(?:'re| are|['’]d like to| want to| would like to| have to| plan to| hope to)(?: also| now|"
    r" currently)? (?:hir(?:e|ing)|fill|engage|"
    r"recruit(?:ing)?|add(?:ing)?|looking to (?:hire|add|fill|recruit|bring on))\b|"
    r"\bwhat do you charge\b|\bsend (?:us |me )?(?:over )?your (?:fee |engagement )?(?:agreement|terms|letter)|"
    r"\byour (?:fee|standard) (?:agreement|terms)\b|"
    r"what position do you need to fill|\bnecesitamos (?:contratar|un|una)|encargarle la búsqueda|\bbuscamos (?:un|"
    r"una|a)\b|"
    r"\bwir suchen (?:einen?|für|ab)|\bsuchen wir (?:einen?|zum|ab)|\bnous (?:cherchons|recherchons) un|"
    r"\bcerchiamo un|\bprocuramos um|"
    r"\bprecisamos (?:de um|contratar)|\brecruit(?:ing)? for us\b|\bfill (?:a|the|our|this|that) (?:role|position|"
    r"vacancy|seat|chair|opening)\b|"
    r"\b(?:partner and I|we)\b[^.!?\n]{0,80}\bwant to (?:recruit|hire) (?:an?|two|three|some)\b|"
    rf"(?:\A|[.!?]\s|\n)\s?(?:need|looking for) (?:an?|two|three) {_CHAIR}[^.\n]{{0,60}}[.,]\s?(?:search|usual|"
    rf"can you|could you|do you have|who do you|send)",
    re.I,
)
# Words of those who hire that candidates use as well: it takes two of them, and nobody who wants to move.
_HIRING = re.compile(
    r"\b(?:contingen\w+|retainers?|retained|your (?:fees?|percentage|terms|rates?)|hiring (?:budget|manager|plan)|"
    r"headcount|"
    r"search firms?|outside (?:firm|recruiter)|open (?:seat|role|position)|vacancy|job description|succeed me|"
    r"my successor|"
    r"next branch manager|reports? to (?:that|this|the) (?:seat|role|position)|range that has been approved|"
    r"salary (?:range|band) is|"
    r"our (?:[\w-]+ ){0,2}(?:role|opening|vacancy|seat|search)|interview (?:her|him|them|your)|(?:he|she) can start|"
    r"(?:head|director|manager|vp) of (?:talent|people|recruit\w+|human resources)|talent acquisition|human resources|"
    r"recruit an? successor|sit in on interviews|shortlist|slate of candidates|guarantee period|backfill|"
    r"replacement for)\b",
    re.I,
)
_MOVING = re.compile(
    r"\b(?:my (?:r[ée]sum[ée]|cv|application)|looking for a new (?:position|role|job|home|firm)|"
    r"I(?:['’]m| am)? (?:look(?:ing)? for|interested in|open to) (?:an?|the|your|new|other)|"
    r"I(?:['’]d| would) (?:like|love|want) to (?:be|move|join)|my (?:own )?book|my notice)\b",
    re.I,
)
# What every mail about somebody's next chair has in some form; thanks, invoices, dates and questions have none of it.
_CAREER = re.compile(
    r"[$€£]\s?\d|\b(?:positions?|roles?|opportunit\w+|openings?|open to|what(?:['’]s| is| you have) open|jobs?|"
    r"careers?|"
    r"vacanc\w+|posting|candida\w+|appl(?:y|ied|ying|ication|icant)|seat|r[ée]sum[ée]s?|cv|curr[íi]cul\w+|lebenslauf|"
    r"my name is|introduc\w+|internship|interview\w*|headhunt\w*|recruit\w*|placed|practice|book of|aum|"
    r"licen[sc]ed?|series|cfp|production|"
    r"producer|leav(?:e|ing)|quit(?:ting)?|moving on|a (?:move|change)|manag(?:e[rd]?|ing)|wealth|financial|trust|firm|"
    r"bank(?:s|er|ing)?|officer|director|president|partner|analyst|clients?|households?|assets|401\(k\)|title|svp|"
    r"consult\w+|non-?compete|garden leave|advis(?:e|[oe]rs?|ory)|plann?(?:er|ing)s?|"
    r"stelle|bewerb\w+|kandida\w+|berater\w*|kunden|kündigungsfrist|vermögens\w*|\w*bank\w*|branche|funktion|mandate|"
    r"poste|emploi|conseill\w+|client[eè]le|préavis|banque|quitter|"
    r"puesto|empleo|vacante|oportunidad\w*|asesora?|cartera|clientes|patrimo\w+|gestion\w*|banc[ao]|"
    r"vaga|emprego|assessora?|carteira|gestão|gestore|posto|lavoro|consulente|clienti|portafoglio|incarico|"
    r"opportunit\S+)\b",
    re.I,
)
# Somebody who says no, and nothing that leaves the door open.
_DECLINED = re.compile(
    r"\b(?:not (?:actively )?(?:looking|interested)|no longer (?:looking|interested|available)|not for me|"
    r"happy where I am|"
    r"decided to stay|staying (?:put|where I am)|(?:remove|take|unsubscribe) me\b|withdraw (?:my|from)|no interest|"
    r"kein(?:e[nr]?)? Interesse|pas intéressée?|no me interesa|não tenho interesse|non (?:mi interessa|"
    r"sono interessat[oa]))",
    re.I,
)
_DOOR_OPEN = re.compile(
    r"\b(?:but|unless|however|though|open to|willing|listen|consider|depend\w*|maybe|perhaps|later|next (?:year|"
    r"quarter|"
    r"spring|fall)|in touch|yet|aber|mais|pero|ma|mas)\b",
    re.I,
)
_PITCH = re.compile(
    r"circling back|\bwe keep a list|\bsample of\b|free trial|per seat|amount due|\binvoice\b|"
    r"unsubscribe at any time|\bour platform\b|\bbook a demo|per month|billed yearly|"
    r"\bwebinar\b|register now|your speaker|save your seat|apply now|jobs available|candidate sourcing\?|"
    r"growth partner|sponsor(?:ship)?\b|unsubscribe here|view in (?:your )?browser|early bird|booths from|"
    r"accounts payable|remittance|past due|purchase order|reference check|check(?:ing)? a reference|"
    r"employment verification",
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
    """Auto-replies and bounces (RFC 3834: `auto-replied`; `auto-generated` is also what notices and forms say)."""
    submitted = letter.headers.get("auto-submitted", "no").lower()
    local = (letter.sender.email or "").partition("@")[0]
    return (
        submitted.startswith("auto-replied")
        or bool(_AUTO_SUBJECT.match(letter.sources["subject"]))
        or local in ("mailer-daemon", "postmaster")
    )


def is_generated(letter: Letter) -> bool:
    """Written by software, as out-of-office mails are, but notices of services as well."""
    return letter.headers.get("auto-submitted", "").lower().startswith("auto-generated")


def is_bulk(letter: Letter) -> bool:
    return "list-unsubscribe" in letter.headers or letter.headers.get("precedence", "").lower() in ("bulk", "junk")


def is_pitch(newest: str, subject: str) -> bool:
    """Somebody sells something to us. Two signs are needed: one word alone is used by candidates too."""
    return len({match.group().lower() for match in _PITCH.finditer(f"{subject}\n{newest[:6000]}")}) >= 2


def wants_to_hire(text: str) -> bool:
    """Whether the writer wants us to recruit for them."""
    if _CLIENT.search(text):
        return True
    return len({match.group().lower() for match in _HIRING.finditer(text)}) >= 2 and not wants_to_move(text)


def hires_others(name: str, text: str) -> bool:
    """Whether the text says of somebody that they want to recruit: "Harriet Onslow at Buckeye wants to hire two"."""
    of_them = rf"{re.escape(name)}\b[^.!?\n]{{0,60}}\b(?:wants?|needs?|plans?|(?:is )?looking|hopes?|asked|trying)\b"
    hires = r"[^.!?\n]{0,12}\b(?:hire|recruit|add|bring on|fill|replace|a recruiter|a search firm)\b"
    return re.search(of_them + hires, text) is not None


def is_of_a_career(texts: Iterable[str]) -> bool:
    """Whether anything is said of chairs, clients or marks; without it a mail from outside presents nobody."""
    return any(_CAREER.search(text) for text in texts)


def declines(newest: str) -> bool:
    """Whether the writer says no and leaves it at that."""
    said = _DECLINED.search(newest)
    return said is not None and not _DOOR_OPEN.search(newest, said.start()) and not wants_to_move(newest)


def wants_to_move(text: str) -> bool:
    """Whether the writer looks for a position."""
    return bool(_MOVING.search(text))


def intent_for(hiring: bool) -> Intent:
    return "client" if hiring else "candidate"
