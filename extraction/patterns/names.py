"""Names of people: what belongs to them, what is only put before or after them."""

import re
from collections.abc import Iterator

from nameparser import HumanName
from nameparser.config import Constants

from extraction.patterns.reading import Passage

_HONORIFIC = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Dame|Rev|Hon|Herr|Frau|Sr|Sra|Srta|Señor|Señora|Don|Doña|Dra|Mme|"
    r"Mlle|Monsieur|Madame|"
    r"Dipl\.-\w+|Lic|Ing|Mag|Kommerzialrat|KR|Hofrat|Dott|Dottor|Dottoressa|Dott\.ssa|Avv|Signor|Signora|Sig|Eng|"
    r"señor|señora|doctor|doctora|"
    r"monsieur|madame|herrn?|frau)\.?"
)
_LEADING = re.compile(rf"^(?:{_HONORIFIC}\s+)+(?=\S+)", re.I)
_SUFFIX = re.compile(r"^(?:Jr\.?|Sr\.?|II|III|IV|V|2nd|3rd)$", re.I)
_LETTERS_AFTER = re.compile(
    r"(?!^(?:JD|EA)\b),?\s*\(?\b(?:CFP|CFA|CIMA|CPWA|ChFC|CLU|CPA|CIM|CAP|CTFA|CDFA|RICP|CEPA|AAMS|CRPC|CAIA|FPQP|"
    r"IACCP|EFP|AFP|"
    r"AIF|AWMA|CRPS|CSLP|EA|JD|MBA|"
    r"PhD|Ph\.D|LLM|Esq|MST|FRM|CMA|CMT|CEBS|CKA|RMA|QPFC|ADPA|Pl\. Fin)\b\.?[®™)]*",
)
_PARTICLES = frozenset(
    [
        "de",
        "del",
        "de'la",
        "la",
        "las",
        "los",
        "da",
        "das",
        "do",
        "dos",
        "di",
        "dal",
        "dalla",
        "dello",
        "della",
        "dei",
        "degli",
        "du",
        "des",
        "le",
        "van",
        "von",
        "der",
        "den",
        "ter",
        "ten",
        "zu",
        "zum",
        "zur",
        "vom",
        "af",
        "av",
        "al",
        "el",
        "bin",
        "ibn",
        "ben",
        "st.",
        "st",
        "san",
        "santa",
        "ní",
        "nic",
        "ó",
        "mac",
        "mc",
    ]
)
_WORD = r"(?:(?:[A-Z]\.){1,3}|(?:Jr|Sr|St)\.|(?:d['’]|O['’]|L['’])?[A-ZÀ-ÞĀ-Ž][\w'’ªº-]*)"
_PARTICLE = (
    r"(?:de la|de las|de los|de|del|dal|dalla|della|dello|dei|degli|da|das|do|dos|di|du|van der|van den|van|"
    r"von der|von|zu|Van|Von|Ní|Nic|St\.|Mac|al|"
    r"el|bin|ben)"
)
TITLED = rf"(?:{_HONORIFIC}\s)?"
NAME = rf"(?:{_WORD}(?:[ ](?:[\"“(][\w.' -]{{1,20}}[\"”)][ ])?(?:{_PARTICLE}[ ])?{_WORD}){{1,4}})"
_IN_TEXT = re.compile(rf"(?<![\w@.'’-])(?:{_HONORIFIC} )?{NAME}")
_NICKNAME = re.compile(r"\s*[\"“(][\w.' -]{1,20}[\"”)]")
_NOT_A_NAME = re.compile(
    r"\b(?:Advis\w+|Wealth|Manager|Director|President|Partners?|Planner|Officer|Strategist|Associate|Principal|"
    r"Founder|Securit\w+|Capital|Bank|Trust|Group|"
    r"LLC|Inc|Financial|Investments?|Investment|Family|Office|Senior|Vice|Branch|Client|Service|Series|Chief|"
    r"Executive|Market|Street|Suite|Road|Avenue|"
    r"Forum|Summit|Conference|The|This|That|Dear|Hello|Thank|Thanks|Best|Regards|Kind|Monday|Tuesday|Wednesday|"
    r"Thursday|Friday|January|February|March|"
    r"April|June|July|August|September|October|November|December|Time|Meeting|Phone|Mobile|Email|Zoom|Calendly|"
    r"LinkedIn|Outlook|University|Happy|"
    r"What|Which|Where|Why|How|All|Any|Some|These|Those|I|You|We|He|She|They|It|Consultant|Banker|Analyst|Broker|"
    r"Representative|"
    r"Counsel(?:l)?or|Specialist|Administrator|Retirement|Plan|Assistant|Director|Coordinator|Teller|Recruiter|"
    r"Resume|Attached|"
    r"Teams?|Webinars?|Updates?|Account|Plus|Premium|Support|Newsletter|Weekly|Applications?|Resume|Opening|"
    r"Interview|Appointment|"
    r"Chat|Call|Booking|Event|Screening|New|North|South|West|East|Private|Management|Company|Please|Here|Will|And|"
    r"For|With|From|Practice|Planning|"
    r"Portfolio|Bonjour|Estimad[ao]|Sehr|Hola)\b"
)
_GREETING = re.compile(
    r"^(?:G['’]day|Greetings|Egregi[oa]|Gent\.\w*|Spett\w*|Sehr|Estimad[oa]s?|Madame|Monsieur|Hi|Hey|Hello|Dear|"
    r"Good|Morning|Afternoon|Evening|Hallo|Liebe[r]?|Guten|Grüezi|Salut|Bonjour|Bonsoir|Cher|Chère|Hola|"
    r"Buen[oa]s|Querid[oa]|Olá|Oi|Prezad[oa]|Car[oa]|Ciao|Gentile|Buongiorno|Re|Fwd?|Thanks|Sincerely|Cheers|Yes|"
    r"No|Not|My|"
    r"Our|His|Her|Your|If|When|But|So|As|At|In|On|To|Is|It|We|He|She|They|You|I)\b"
)
# Words that are only written large because a sentence begins with them, or by politeness.
_NO_PART = re.compile(
    r"(?:(?:Ihnen|Dir|Euch|Herrn?|Frau|Meet|Call|See|Copying|Attaching|Forwarding|Introducing|Talk|Also|And|Then|"
    r"Since|Because|With|"
    r"After|Before|While|Though|Although|Perhaps|Maybe|Speaking|Spoke|Met|Saw|Heard|Attached|Enclosed|Regarding|"
    r"About|Candidate|"
    r"Advisor|Kolleg(?:en|e|in)|Freund(?:in)?|Bruder|Schwester|Referral|Contact|Client|Name|Prospect|Recommending|"
    r"Presenting|Le|La|Lo|Les|Vi|Ti|Mi|Il|El|Sr|Sra)\.?\s)+(?=[A-ZÀ-Þ])"
)
_ACRONYM = re.compile(r"(?!(?:II|III|IV|VI?)$)[A-Z]{2,5}$")
_CONSTANTS = Constants()


def clean_name(text: str) -> tuple[str, str, str]:
    """`(full, first, last)`: honorifics and letters after the name dropped, suffixes in `full` only, particles with
    the last name, case as written unless it is all upper or all lower. One word is the last name; nothing gives three
    empty strings."""
    name = _NICKNAME.sub("", " ".join(text.replace("’", "'").split())).strip(" ,;\"'*")
    name = _LEADING.sub("", _LETTERS_AFTER.sub("", name)).strip(" ,;·|-")
    name = _turned(name)
    if name and (name.isupper() or name.islower()):
        name = _recased(name)
    words = name.replace(",", " ").split()
    bare = [word for word in words if not _SUFFIX.match(word)]
    first, last = _parted(bare)
    return " ".join(words), first, last


def _turned(name: str) -> str:
    """`Sesay-Coleman, Ibrahim` and `SESAY-COLEMAN Ibrahim` → `Ibrahim Sesay-Coleman`; a comma before a suffix stays
    where it is."""
    last, comma, first = name.partition(",")
    if comma and first.strip() and not _SUFFIX.match(first.strip()):
        return f"{first.strip()} {last.strip()}"
    if large := _LARGE_FIRST.match(name):
        return f"{name[large.end() :]} {_recased(large.group().strip())}"
    return name


# A family name in capitals before the given name, as people in France write it; `JD Vance` are initials.
_LARGE_FIRST = re.compile(
    r"(?=[^a-zà-ÿ]*?[A-ZÀ-Þ]{3})(?:[A-ZÀ-Þ]+(?:['’-][A-ZÀ-Þ]+)*\s)+"
    r"(?=[A-ZÀ-Þ][a-zà-ÿ][\w'’-]*(?:[ -][A-ZÀ-Þ][\w'’-]*)?$)"
)


def _recased(name: str) -> str:
    parsed = HumanName(name, constants=_CONSTANTS)
    parsed.capitalize(force=True)
    return str(parsed)


def _parted(words: list[str]) -> tuple[str, str]:
    """First and last name. A middle initial belongs to neither; of two given names before two surnames (María José de
    la Cruz) the particle or the count tells."""
    if len(words) < 2:
        return "", " ".join(words)
    particle = next((n for n in range(1, len(words)) if words[n].lower() in _PARTICLES and n < len(words) - 1), None)
    if particle == 2 and words[2].lower() in _OF and _is_surname(words[0], words[1]):
        return words[0], " ".join(words[1:])  # Ibarra de la Torre
    if particle is not None:
        return " ".join(_without_initials(words[:particle])), " ".join(words[particle:])
    core = [words[0], *_without_initials(words[1:-1]), words[-1]]
    if len(core) == 2:
        return core[0], core[1]
    return _three(core)


def _is_surname(given: str, second: str) -> bool:
    """Whether the second of several names is the first of two family names, by its look or by the given name."""
    given, second = given.lower(), second.lower()
    if second in _SECOND_GIVEN | _GIVEN_IBERIAN:
        return False
    return bool(_HISPANIC.search(second)) or given in _GIVEN_IBERIAN - _ALSO_ENGLISH


_OF = frozenset({"de", "del", "do", "da", "dos", "das"})
_SECOND_GIVEN = frozenset(
    (
        "josé jose maría maria luis carlos juan ana antonio manuel jesús jesus miguel ángel angel pedro fernanda "
        "isabel carmen luisa teresa elena eduardo enrique alberto andrés andres felipe javier pablo rafael ramón "
        "ramon ricardo roberto sofía lucía clara beatriz paula cristina eugenia dolores mercedes pilar rosa inês inés "
        "helena vitória gabriel henrique augusto "
    ).split()
)
_GIVEN_IBERIAN = frozenset(
    (
        "alejandro alejandra álvaro alvaro ana andrea antonio arturo beatriz begoña blanca carlos carmen catalina "
        "cecilia césar claudia cristina daniela david diego eduardo elena emilio enrique ernesto esteban esther eva "
        "felipe fernando francisco gabriel gabriela gonzalo guillermo gustavo héctor hernán hugo ignacio inés irene "
        "isabel javier jimena joaquín jorge josé josefa juan juana julia julio laura leonor leticia lorena lucía luis "
        "luisa manuel manuela marcela marcos margarita maría mariana mario marta martín mauricio mercedes miguel "
        "mónica montserrat natalia nicolás noelia nuria núria olga óscar pablo paloma paula pedro pilar rafael ramiro "
        "ramón raquel ricardo roberto rocío rodrigo rosa rosario santiago sandra sara sebastián sergio silvia sofía "
        "sonia susana teresa tomás valentina vanesa verónica vicente víctor virginia ximena yolanda nerea iker aitor "
        "ane amaia ainhoa asier mikel jon jone gorka koldo leire maite maider unai xabier josu iñaki iñigo eneko "
        "nekane jordi montse mercè oriol pau arnau laia meritxell marc roser xavier joan sílvia brais xoán uxía iria "
        "thaís joão tiago thiago mateus matheus vinícius caio rafaela fernanda bruna larissa letícia camila juliana "
        "luciana adriana patrícia márcia marcelo márcio leandro fábio flávio flávia renata renato rogério sérgio "
        "cláudio cláudia antônio antónio joana inês catarina vasco duarte nuno rui filipe diogo gonçalo afonso "
        "henrique lourenço margarida débora vitor vítor otávio guilherme emiliano facundo matías agustín lautaro "
        "nahuel camilo andrés liliana gloria consuelo graciela norma rubén raúl ángela inmaculada encarnación "
        "macarena miriam noemí aurora dolores eugenia "
    ).split()
)
# Marc Allen Whitfield has two given names: of these the names behind have to look Spanish.
_ALSO_ENGLISH = frozenset(
    (
        "adriana andrea aurora claudia cristina daniela david dolores eugenia eva gabriel gloria irene isabel joan jon "
        "julia juliana laura marc margarita mariana martin miriam natalia norma olga rosa sandra sara silvia sonia "
        "teresa virginia"
    ).split()
)
_HISPANIC = re.compile(r"(?:[eiu]z|es|ín|[aeiou]s|[oa])$|[áéíóúñ]", re.I)


def _three(core: list[str]) -> tuple[str, str]:
    """Three words: two surnames where they look Spanish, else two given names."""
    iberian = len(core) == 3 and core[0].lower() in _GIVEN_IBERIAN and _is_surname(*core[:2])
    if iberian and (core[0].lower() not in _ALSO_ENGLISH or _HISPANIC.search(core[2])):
        return core[0], " ".join(core[1:])
    spanish = _HISPANIC.search(core[0]) and re.search(r"[áéíóúñ]|ez\b|z\b", " ".join(core))
    if spanish and not re.search(r"[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđ]", " ".join(core)):
        return core[0], " ".join(core[1:])
    return " ".join(core[:-1]), core[-1]


def _without_initials(words: list[str]) -> list[str]:
    return [word for word in words if len(word.rstrip(".")) > 1]


def names_in(passage: Passage) -> Iterator[tuple[str, int, int]]:
    """Runs of capitalised words that may be somebody's name, with their offsets."""
    for match in _IN_TEXT.finditer(passage.text):
        lead = _NO_PART.match(match.group())
        name = match.group()[lead.end() if lead else 0 :].rstrip(".,")
        if looks_like_a_name(name):
            yield (
                name,
                match.start() + (lead.end() if lead else 0),
                match.start() + (lead.end() if lead else 0) + len(name),
            )


def looks_like_a_name(text: str) -> bool:
    words = [word for word in text.split() if word[:1].isupper()]
    return (
        2 <= len(text.split()) <= 7
        and bool(words)
        and not _GREETING.match(text)
        and (text.isupper() or not any(_ACRONYM.match(word) for word in text.split()))
        and not _NOT_A_NAME.search(text)
        and not any(char.isdigit() for char in text)
    )


def same_person(one: str, other: str) -> bool:
    """Whether two spellings may be one person: same last word, or one is the beginning of the other."""
    a, b = clean_name(one), clean_name(other)
    if not a[2] or not b[2]:
        return False
    return a[2].casefold() == b[2].casefold() and (not a[1] or not b[1] or a[1][0].casefold() == b[1][0].casefold())
