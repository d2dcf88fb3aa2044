"""What a label of a form, a table or a notice asks for: "Current firm", "Où travaillez-vous ?", "phone_cell"."""

import re
from functools import lru_cache

# Whole labels, first match wins.
_WHOLE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?:{words})", re.I))
    for kind, words in (
        (
            "guests",
            r"additional guests|guests|organi[sz]er|host|staff|invitados adicionales|account manager|account number",
        ),
        (
            "event",
            r"event(?: type| name)?|what|tipo de evento|type d'événement|veranstaltung(?:sart)?|description you wrote|"
            r"reason given|venue|meeting type|service|subject|posting title",
        ),
        (
            "date",
            r"(?:updated |former )?(?:event )?date(?:/time| & time)?|when|was|former|fecha y hora del evento|"
            r"(?:invitee )?time ?zone|sent|time|date et heure|scanned|submitted(?: on)?|received",
        ),
        (
            "dial",
            r"ubicación|join .{0,40}|web conference|audio only|meeting id|passcode|emplacement|ort der besprechung",
        ),
        (
            "links",
            r"view event|cancel|reschedule|cancelar|ver el evento en calendly|view profile|reply|responder|support|"
            r"your confirmation|badge|booth|vault id|attachments?|exhibitor",
        ),
        (
            "email",
            r"(?:personal |private |invitee |your )?(?:e-?)?mail(?:[- ]address)?|"
            r"correo(?: electrónico)?(?: del invitado)?|"
            r"reach|courriel|adresse e-?mail|e-?mail-adresse",
        ),
        ("desk", r"main|desk|office|reception|switchboard|standard|zentrale|conmutador|festnetz|work"),
        (
            "phone",
            r"direct|(?:personal |mobile |cell |your )?(?:phone|telephone|mobile|cell)(?: phone)?(?: number)?|"
            r"text reminder number|number we should call.{0,40}|ping me|call|best number|a qué número le llamamos|"
            r"teléfono|celular|móvil|handy|mobil(?:telefon|e)?|telefon|téléphone|portable|telemóvel|telefone|cellulare|"
            r"telefono",
        ),
        (
            "name",
            r"(?:full |invitee |advisor |applicant |candidate |customer |lead |your |real ?|first and last )?name|"
            r"contact|advisor|"
            r"applicant|candidate|invitee|invitado|customer|who|nombre(?: completo| y apellidos?)?|nom(?: complet)?|"
            r"prospect|vor- und nachname|nome(?: completo| e cognome)?",
        ),
        ("first_name", r"first(?: ?name)?|given name|vorname|prénom|nombres|fname"),
        (
            "last_name",
            r"last(?: ?name)?|surname|family name|nachname|nom de famille|apellidos?|cognome|sobrenome|lname",
        ),
        (
            "place",
            r"city|lives(?: in)?|home ?base|where|where are you based|(?:currently )?based(?: in)?|current location|"
            r"ciudad|"
            r"ville|wohnort|standort|home|town|residence|lieu|cidade|città|anschrift|adresse|address|location|"
            r"city,? state|"
            r"city/state|city and state|market",
        ),
        ("state", r"st|state|province|province ?/ ?state|state ?/ ?province|region|bundesland|estado|provincia"),
        ("country", r"country|land|pays|país|paese"),
        (
            "work",
            r"now|today|currently|presently|at present|current(?: job| employment)?|derzeit|aktuell|actuellement|"
            r"actualmente",
        ),
        ("wanted", r"would go to|open to|relocation|preferred locations?|do not want|not"),
        (
            "company",
            r"(?:current )?(?:firm|company|employer|org(?:ani[sz]ation)?|shop|broker[- ]dealer|empresa|firma|bank|"
            r"société|arbeitgeber|employeur|azienda|works (?:at|for))(?: name)?(?: / role)?",
        ),
        (
            "title",
            r"(?:current |your |job )?(?:title|role|position|seat|job)(?: today| there| now| held)?|role there|cargo|"
            r"funktion|poste actuel|puesto|qualifica|beruf",
        ),
        (
            "hope",
            r"what are you hoping for|next|want|wants|looking for|qué busca|dream gig|what are you looking for",
        ),
        (
            "target",
            r"posting|what position do you need to fill|(?:desired|target|preferred) (?:role|position|title|seat)|"
            r"what role are you looking for|position applied for|(?:role|position|seat|title|job) (?:wanted|sought|"
            r"desired)|"
            r"applied for|applying for|objective|(?:candidature|bewerbung) (?:pour|als|um)",
        ),
        (
            "aum",
            r"(?:total )?(?:aum|assets)(?: \(.{0,40}\))?|assets under (?:management|advice)|roughly what do you manage|"
            r"actif sous gestion|betreutes vermögen",
        ),
        (
            "production",
            r"t-?12(?: revenue)?|(?:annual )?(?:production|revenue)|gdc|gross|"
            r"revenus des douze derniers mois|trailing(?:[- ](?:12|twelve).{0,12})?",
        ),
        ("book", r"book(?: / t12)?|book size|how large is your book"),
        (
            "client_count",
            r"(?:trust |client )?relationships|clients|households|household count|client households|(?:number|"
            r"no\.?) of (?:clients|families|households|relationships)|families",
        ),
        ("licenses", r"(?:finra )?licen[sc]es?|registrations?|papers|series|exams|tests"),
        ("designations", r"designations?|marks|credentials|titres|letters|suffix"),
        ("book_transferable", r"portable|should follow|portability|transferable|transferability|% portable"),
        (
            "availability",
            r"timing|when could you move|availability|available|start|free(?: to start)?|can start|"
            r"earliest(?: start)?|when can you start|notice|start[_ ]date|timeline|time ?frame",
        ),
        (
            "compensation",
            r"(?:package|pay|compensation|comp|annual comp|salary)(?: range)?(?: sought| wanted| desired)?|"
            r"expected (?:pay|salary|compensation)|salary expectations?",
        ),
        ("specializations", r"works (?:best )?with|niche|specialt(?:y|ies)|speciali[sz]ations?|focus"),
        ("years_experience", r"in the business|time in the trenches|experience|years(?: of experience| in .{3,12})?"),
        (
            "referrer",
            r"how did you hear about us|referred[ _]by|referral|referrer|introduced by|empfohlen von|"
            r"recomendado por",
        ),
        ("website", r"(?:company |firm )?website|web"),
        ("comments", r"comments?|notes?|message|anything else|additional information|remarks|bemerkungen"),
    )
)
# Words of a label that nobody has foreseen, first match wins.
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(words, re.I))
    for kind, words in (
        (
            "ignored",
            r"\bfax|telefax|télécopie|passcode|(?:meeting|conference) id|remote|\bip\b|submitted|\butm|honeypot|"
            r"privacy|"
            r"organi[sz]er|\bhost\b|assistant|secretary|spouse|emergency|remaining|credits?\b|record\b|rating|"
            r"last updated|\b(?:firm|team|branch|office|group)(?:['’]s)? (?:assets|aum|production|revenue)",
        ),
        (
            "referrer",
            r"referr|hear (?:about|of) us|introduced (?:to us )?by|recommended by|who sent you|empfohlen|recomend",
        ),
        ("met", r"where (?:did|have) we me?et|which (?:event|conference)"),
        ("linkedin", r"linkedin"),
        (
            "desk",
            r"\b(?:office|desk|work|main|business|landline|festnetz|switchboard|firm)\b.{0,12}\b(?:phone|number|line|tel)|"
            r"\b(?:phone|tel\w*)\b.{0,8}\b(?:work|main|office|desk)|festnetz|^desk$|^(?:main|office)$",
        ),
        ("phone", r"\b(?:phone|mobile|cell|telephone|handy|móvil|celular|téléphone)\b"),
        ("email", r"\be-?mail\b"),
        (
            "compensation",
            r"\b(?:comp|compensation|pay|salary|package|earn)\b.{0,40}\b(?:want|sought|desired|expect|need|range|total|target)|"
            r"\b(?:want|sought|desired|expect\w*|need|target)\b.{0,20}\b(?:comp|compensation|pay|salary|package)\b|"
            r"gehaltsvorstellung|prétentions|pretensión",
        ),
        (
            "book_transferable",
            r"\bportab|transferab|\btransfer\b|(?:would|will|might|could) (?:follow|transfer)|come with you|"
            r"move with you",
        ),
        (
            "availability",
            r"\bwhen (?:could|can|would|might) you\b|\bhow soon\b|could you (?:begin|start)|notice period|"
            r"start date|time ?line|earliest|available",
        ),
        (
            "wanted",
            r"\brelocat|willing to move|where (?:would|do) you (?:like|want)|preferred (?:location|city|market)",
        ),
        (
            "target",
            r"\b(?:role|position|title|seat|job|chair)\b.{0,20}\b(?:like|want|wanted|sought|seek|desire|desired|next|ideal|prefer)|"
            r"\b(?:desired|ideal|next|target|preferred|dream|want|would you like)\b.{0,20}\b(?:role|position|title|"
            r"seat|job|chair)\b",
        ),
        ("target", r"\b(?:title|role|position|seat|chair)\b.{0,40}\b(?:make you|would you|could you)\b"),
        (
            "hope",
            r"(?:which|what) (?:chair|seat|role) would you|would (?:move|change|leave|switch) for|looking for|"
            r"hoping for|are you after|what brings you|what would you change|what do you want",
        ),
        (
            "work",
            r"\b(?:role|position|title|job)\b.{0,10}\b(?:firm|company|employer)\b|\b(?:firm|company|employer)\b.{0,10}\b(?:role|position|title|job)\b",
        ),
        (
            "company",
            r"where (?:do|are) you (?:currently )?work|who (?:do|are) you (?:currently )?(?:work|with)|"
            r"\b(?:employer|firm|company)\b(?!.{0,12}\bweb)",
        ),
        ("title", r"what do you do|\b(?:title|role|position|seat)\b"),
        ("place", r"where (?:do you (?:live|work from)|are you)|\bcity\b|\blocation\b|\bbased\b"),
        (
            "book",
            r"\b(?:clients|households)\b.{0,12}\bassets\b|\bassets\b.{0,12}\b(?:clients|households)\b|"
            r"size of your (?:book|practice)|your practice",
        ),
        (
            "book",
            r"\b(?:aum|assets|book)\b.{0,12}\b(?:t-?12|production|revenue|gdc)\b|"
            r"\b(?:t-?12|production|revenue|gdc)\b.{0,12}\b(?:aum|assets|book)\b",
        ),
        ("aum", r"\bassets\b|\baum\b|under management|do you manage"),
        ("production", r"\bproduction\b|\brevenue\b|\bt-?12\b|trailing"),
        ("client_count", r"\bhouseholds\b|\bclients\b|relationships"),
        ("licenses", r"\blicen[sc]e|registered|\bseries\b"),
        ("designations", r"designation|credential|certification"),
        ("years_experience", r"\byears\b|\bexperience\b|how long"),
    )
)
_MOST_WORDS = 9
_NUMBER = re.compile(r"^(?:Q(?:uestion)?\s?)?\d{1,2}\s?[.):]\s*|^Q\s?[.):]\s*", re.I)


@lru_cache(maxsize=4096)
def kind_of(label: str) -> str | None:
    """The kind of answer that a label announces, None when it is no label that we know."""
    plain = _plain(label)
    return next((kind for kind, pattern in _WHOLE if pattern.fullmatch(plain)), None)


@lru_cache(maxsize=4096)
def kind_by_words(label: str) -> str | None:
    """As `kind_of`, and a label that only speaks of something counts too: for places where a label surely stands."""
    plain = _plain(label)
    if found := kind_of(label):
        return found
    return kind_of_question(label) if len(plain.split()) <= _MOST_WORDS else None


@lru_cache(maxsize=4096)
def kind_of_question(question: str) -> str | None:
    """What a question of any length asks for."""
    plain = _plain(question)
    return next((kind for kind, pattern in _WORDS if pattern.search(plain)), None)


def _plain(label: str) -> str:
    words = " ".join(_NUMBER.sub("", label.strip()).replace("_", " ").split())
    return words.strip(" .:?*•¿-–—=|")
