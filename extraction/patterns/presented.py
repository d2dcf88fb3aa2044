"""Whom a text presents: every name in it is weighed by what is said before and behind it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from extraction.letter import Letter, Party
from extraction.patterns import cities
from extraction.patterns.circle import Circle
from extraction.patterns.companies import companies_in
from extraction.patterns.names import NAME, TITLED, clean_name, looks_like_a_name, names_in, same_person
from extraction.patterns.reading import Passage, Span
from extraction.patterns.referrers import is_referrer_at
from extraction.patterns.regions import COUNTRIES, REGION_NAMES, STATE_NAMES
from extraction.patterns.roles import Somebody, from_party, is_known, is_user
from extraction.patterns.titles import titles_in

# Before a name, in the same sentence: its bearer is presented …
_PRESENTS = re.compile(
    r"\b(?:(?:at the request|on behalf|résumé|resume|cv|profile|details|name|information) of|(?:write|writing|"
    r"written|reaching out) for|"
    r"refer(?:ring|ral)?|introduc\w+|recommend\w*|meet|put|(?:his|her|the|candidate['’]?s?) name(?: is|['’]s)?|"
    r"a name|name is|named|called|"
    r"(?:first|second|third|fourth|other|next|last|one)(?: one)? is|candidate(?: is)?|good one|connect\w*|details|"
    r"présent\w+|recommand\w+|confrère|candidature de|empfehl\w+|Ihnen|dir|vorstellen|presento|presentar\w*|"
    r"recomiend\w+|de parte de|"
    r"(?:anything|something|place|home|room|seat|nominat\w+|pass(?:ing)? along) for|nominat\w+|"
    r"(?:want|need)(?:s|ed)? is (?:probably|maybe|perhaps)?|(?:en|in) (?:relation|contact|contacto|contatto|"
    r"Kontakt|contato) "
    r"(?:avec|con|mit|com)|remember|segnal\w+|raccomand\w+|presentar[le]+|apresent\w+|recomend\w+|indico|"
    r"em nome de|im Auftrag von|au nom de|"
    r"en nombre de|per conto di|por encargo del?|de la part de|su incarico di)"
    r"\b[^.!?\n]{0,45}$",
    re.I,
)
# … or spoken of, which by itself is less.
_SPEAKS_OF = re.compile(
    r"\b(?:talk(?:ed|ing)? (?:to|with)|spoke (?:to|with)|speak (?:to|with)|met|ran into|heard from|know|knows|call|"
    r"look at|reach out to|"
    r"touch with|copying|copied|cc['’]?ing|friend|colleague|teammate|buddy|neighbou?r|client|mentee|prot[ée]g[ée]|"
    r"student|classmate|boss|principal|husband|wife|"
    r"brother|sister|cousin|"
    r"son|daughter|cousin|prima|primo|Schwester|Bruder|advisor|forwarding|behalf|parler (?:à|avec)|collègue|ami|"
    r"amie|Kolleg\w+|Freund\w*|Chef\w*|"
    r"hablar con|colega|amig[oa]|"
    r"jef[ea]|parlare con|collega|amic[oa]|falar com)\b[^.!?\n]{0,35}$",
    re.I,
)
# Behind it.
_SAID_OF = re.compile(
    r"^[^.!?\n]{0,25}\b(?:on your radar|(?:has )?asked me to\b|is (?:looking|ready|open|interested|available|worth|"
    r"restless|"
    r"thinking|considering|leaving|unhappy|moving|exploring|one to)|wants|would (?:like|consider|move|look)|"
    r"vorstellen|vorzustellen|empfehlen|is (?:an?|the|our|"
    r"my)\b|who(?:['’]s| is| has| runs| manages)|"
    r"has (?:been|had|\$)|manages|runs|works|est|ist|es|è|é|travaille|arbeitet|trabaja|lavora|trabalha)\b|"
    r"^\s?\([^)\n]{0,60}(?:@|\d{3})",
    re.I,
)
_FIRM_BEFORE = re.compile(
    r"\b(?:at|from|of|in|near|joined|for|bei|chez|en|presso|na|"
    r"no)\s(?:the\s)?$(?<!behalf of )(?<!resume of )(?<!from )(?<!friend of )"
    r"(?<!request of )(?<!name of )(?<!details of )(?<!profile of )(?<!writing for )(?<!write for )"
    r"(?<!anything for )(?<!something for )(?<!place for )(?<!home for )(?<!room for )(?<!seat for )",
    re.I,
)
_ADDRESSED = re.compile(
    r"\b(?:hi|hello|dear|hey|thanks|thank you|regards|best|cheers|hola|estimad[oa]|bonjour|cher|chère|lieber?|"
    r"sehr geehrter?|gentile|ciao|"
    r"car[oa]|olá|prezad[oa]|cc|attn|"
    r"(?<!talk )(?<!talking )(?<!talked )(?<!speak )(?<!spoke )(?<!listen )(?<!introduce you )to|from|by|von|sent|"
    r"wrote)[,:]?\s$",
    re.I,
)
_UNDER_OR_AFTER = re.compile(
    r"\b(?:report(?:s|ed|ing)? to|replac\w+|succe(?:ed|ss)\w*|instead of|used to|assistant|spouse|reference|referee|"
    r"interview with|"
    r"article by|book by|formerly|former (?!colleague|co-?worker|student|boss|intern|teammate|partner|"
    r"client))\b[^.!?]{0,30}$",
    re.I,
)
_ITEM = re.compile(
    rf"^[ \t]*(?:\d{{1,2}}[.)]\s+(?:[^\n]{{0,60}}[!.]\s)??{TITLED}({NAME})|"
    rf"[*•–—-]\s+{TITLED}({NAME})(?=\s?[,|–—:;\t(]|\s-\s))",
    re.M,
)
_PARAGRAPH = re.compile(
    rf"(?:\A|\n[ \t]*\n)[ \t]*{TITLED}({NAME})(?=\s?[,|–—:(]|\s-\s|\s(?:is|has|was)\s|\s[\"“][^\"”\n]{{1,20}}[\"”])"
)
_MEMBER = re.compile(
    rf"^[ \t>•*–-]*({NAME}),[^\n]{{0,120}}(?:\d{{3}}[ .-]\d{{3,4}}|@|\b(?:Advis[oe]r|Manager|Director|Planner|"
    rf"Partner|Associate|"
    rf"Analyst|President|Officer)\b)[^\n]*$",
    re.M,
)
# What is said of somebody who is not to be approached.
_DECLINES = re.compile(
    r"\b(?:don['’]t (?:bother|call|ring)|not (?:looking|interested|moving|for you|worth)|isn['’]t (?:looking|moving|"
    r"going|interested)|"
    r"won['’]t (?:move|leave|talk)|would(?:n['’]t| not) (?:move|leave)|sooner\b.{1,40}\bthan|happy where|no interest|"
    r"already placed|we placed|off limits|leave (?:him|her|them) alone|retention package|staying put)\b",
    re.I,
)
# What people say of themselves when they are the ones to place, or to hire.
_SELF = re.compile(
    r"\bI(?:['’]m| am|m) (?:an? (?!friend|recruiter)|the |currently|presently|now |at |with |looking |open |"
    r"interested )|\bmy name is\b|"
    r"\bI (?:manage|hold|would want|look after|oversee|advise|serve|cover|produce\w*|work (?:at|for|with)|"
    r"want to (?:be|move|leave))\b|"
    r"\bmy (?:own |current )?(?:book|clients|practice|production|r[ée]sum[ée]|cv|aum|firm|cell|mobile|licen[sc]es|"
    r"t-?12|background|team|notice|"
    r"number|profile)\b|\bI(?:['’]d| would) (?:like|love|want|need|take|prefer) (?:to be|to move|a |an |at least|"
    r"\$)|\bwe (?:are|['’]re) (?:hiring|looking)|"
    r"\bI (?:run|administer|seek|should not|have (?:\$|spent|been)|was made)\b|"
    r"\b(?:mi chiamo|me llamo|mi nombre es|je m['’]appelle|ich heiße|mein Name|meu nome|me chamo)\b|"
    r"\b(?:seguo|vorrei|chiedo|tengo \d|quiero|quisiera|mon contrat|j['’]ai|minha (?:carteira|pretensão)|gostaria)\b|"
    r"\bsono (?:\w+ ){0,2}(?:banker|consulente|responsabile|direttore|direttrice|gestore|promotore)\b|"
    r"\bich (?:bin|betreue|arbeite|suche|leite)\b|\bmein(?:e[nmr]?)? (?:Kunden|Lebenslauf|Handy|Kündigungsfrist|"
    r"Buch)|\bje (?:suis|gère|cherche|travaille|"
    r"m['’]occupe)\b|\bmon (?:CV|portable|cellulaire|portefeuille|préavis)\b|\b(?:soy|gestiono|atiendo|busco|"
    r"trabajo (?:en|como))\b|\bmi (?:cartera|celular|"
    r"móvil|currículum|CV)\b|\b(?:sono un|gestisco|lavoro|cerco)\b|\bil mio (?:portafoglio|cellulare|CV)\b|\b(?:sou|"
    r"atendo|trabalho|procuro)\b|\bmeu "
    r"(?:celular|currículo|portfólio)\b",
    re.I,
)
_THIRD = re.compile(
    r"\b(?:he|she|him|her|his|hers|he['’]s|she['’]s|er|sie|ihn|ihm|il|elle|lui|él|ella|suo|sua|ele|ela)\b", re.I
)
_WRITES_FOR = re.compile(
    r"\b(?:at the request of|on (?:the |his |her |their )?behalf(?! of (?:an?|my|our) (?:\w+ )?(?:colleague|friend|"
    r"client))|whom I support|(?:my|our) (?:boss|principal)|"
    r"for (?:my|our) "
    r"(?:boss|husband|wife|partner|brother|sister|son|daughter|father|mother)|asked me to (?:write|pass|send|"
    r"forward|get|reach)|"
    r"im Auftrag|au nom de|en nombre de|per conto di|em nome de|por encargo del?|a quien asisto|"
    r"dont je suis l['’]assistant\w*|"
    r"deren Assistent\w*|dessen Assistent\w*)\b",
    re.I,
)
_KIN = re.compile(
    r"\b[Mm]y (?:husband|wife|son|daughter|brother|sister|father|mother|dad|mom),? ([A-ZÀ-Þ][a-zà-ÿ]{2,15})\b"
    r"(?! [A-ZÀ-Þ])(?=[^.!?\n]{0,80}\b(?:looking|leave|leaving|move|unhappy|miserable|open|write this|interested|"
    r"advis[oe]r|planner|apply|job|role|position))"
)
_CONTACT = re.compile(r"@[\w-]+\.|\d{3}[ ./)-]{1,2}\d{3,4}")
ENOUGH, SAID_OF_ONESELF = 0.5, 2
MOST = 80  # names of one passage that are weighed


@dataclass(frozen=True)
class Presented:
    """People whom a text presents, in its order, and where those stand who are only mentioned."""

    people: tuple[Somebody, ...] = ()
    strangers: tuple[Span, ...] = ()


def presented(letter: Letter, told: list[Passage], circle: Circle) -> Presented:
    """Whom the passages of one teller present. Who tells much of himself has to present others plainly."""
    teller = told[0].author if told else None
    of_oneself = 0 if circle.is_own(teller) else _said_of_oneself(told)
    enough = ENOUGH + 0.1 * of_oneself if of_oneself < SAID_OF_ONESELF else 0.9
    people: dict[str, Somebody] = {}
    strangers: list[Span] = []
    for passage in told:
        mentions = list(_mentions(letter, passage, circle, teller))
        heads = [match.start(match.lastindex or 0) for match in _heads(passage.text)] if mentions else []
        titles = [title.start for title in titles_in(passage)] if mentions else []
        for number, (name, start, end) in enumerate(mentions):
            following = passage.text[end : mentions[number + 1][1] if number + 1 < len(mentions) else len(passage.text)]
            span = Span(name, passage, start, end, 0.85)
            if _DECLINES.search(following.split("\n\n")[0]):
                strangers.append(span)
                continue
            weight = _weight(passage, start, end, following, of_oneself)
            weight += 0.4 * any(start <= head < end for head in heads)
            weight += 0.25 * any(0 <= title - end <= 60 for title in titles)
            if weight >= enough:
                key = next((known for known in people if same_person(known, name)), name)
                people.setdefault(key, Somebody(name, None, span, (span,), score=0.85))
    found = addressed(people.values(), letter)
    if not found and of_oneself < SAID_OF_ONESELF:
        found = tuple(_copied(letter, told, circle, teller))
    return Presented(found, tuple(strangers))


def writes_for(told: list[Passage]) -> bool:
    """Whether the teller writes in the place of the person: an assistant, a spouse."""
    return any(_WRITES_FOR.search(passage.text) for passage in told[:2])


def moves_along(told: list[Passage]) -> bool:
    """ "Arlo Benn and I want to move": the teller is one of them, however little they say of themselves."""
    return any(re.search(rf"{NAME}{_TOGETHER_WITH.pattern}", passage.text) for passage in told)


def kin(told: list[Passage], teller: Party) -> Somebody | None:
    """ "My husband Tobias": called by a first name only; the family's name is the teller's."""
    last = clean_name(teller.name or "")[2]
    for passage in told:
        if last and (match := _KIN.search(passage.text)):
            span = Span(match.group(1), passage, match.start(1), match.end(1), 0.6)
            return Somebody(f"{match.group(1)} {last}", None, span, (span,), score=0.6)
    return None


def team(told: list[Passage], circle: Circle) -> tuple[Somebody, ...]:
    """People listed one a line, each with a title or an address: colleagues who would move together."""
    for passage in told:
        lines = [
            match
            for match in _MEMBER.finditer(passage.text)
            if looks_like_a_name(match.group(1)) and not is_user(match.group(1), circle)
        ]
        if len(lines) > 1:
            spans = [Span(clean_name(m.group(1))[0], passage, m.start(1), m.end(1), 0.85) for m in lines]
            return tuple(Somebody(span.value, None, span, (span,), score=0.85) for span in spans)
    return ()


def tells_of_oneself(told: list[Passage]) -> bool:
    """Whether the teller says enough of himself to be one of those whom it is about."""
    return _said_of_oneself(told) >= SAID_OF_ONESELF


def _said_of_oneself(told: list[Passage]) -> int:
    return sum(len(set(_SELF.findall(passage.text))) for passage in told)


def where_told(oneself: Somebody, told: list[Passage]) -> Somebody:
    """The teller, named where they begin to tell of themselves."""
    for passage in told:
        if begins := _SELF.search(passage.text):
            span = Span(oneself.name, passage, begins.start(), begins.end())
            return replace(oneself, mentions=(span,))
    return oneself


def addressed(people: Iterable[Somebody], letter: Letter) -> tuple[Somebody, ...]:
    """People with the addresses of the header that shows the same name."""
    parties = [party for party in (letter.sender, *letter.cc) if party.name and party.email]

    def address_of(one: Somebody) -> str | None:
        return next((party.email for party in parties if same_person(party.name or "", one.name)), None)

    return tuple(replace(one, email=one.email or address_of(one)) for one in people)


def _mentions(letter: Letter, passage: Passage, circle: Circle, teller: Party | None) -> Iterator[tuple[str, int, int]]:
    """Names in a passage that may be somebody's to file, in order: not the teller's, not ours, no firm, no place."""
    recipients = {clean_name(party.name or "")[1] for party in letter.to}
    firms = [(span.start, span.end) for span in companies_in(passage) if span.score >= 0.4]
    for written, start, end in islice(names_in(passage), MOST):
        name = clean_name(written)[0]
        before = passage.before(start, 40)
        if (
            len(name.split()) < 2
            or is_known(name, letter, circle)
            or (teller and _is_teller(name, teller))
            or any(first <= start < last for first, last in firms)
            or cities.known(name)
            or name.split()[-1] in recipients
            or name in REGION_NAMES
            or name in STATE_NAMES
            or name in COUNTRIES
            or _ADDRESSED.search(before)
            or _FIRM_BEFORE.search(before)
        ):
            continue
        yield name, start, end


def _is_teller(name: str, teller: Party) -> bool:
    """By the name that the header shows, or else by the address."""
    if teller.name and "@" not in teller.name:
        return same_person(teller.name, name)
    local = (teller.email or "").partition("@")[0]
    return clean_name(name)[2].lower() in local


def _weight(passage: Passage, start: int, end: int, following: str, of_oneself: int) -> float:
    """How plainly the name at `[start, end)` is presented; `following` is what is said until the next name."""
    before = passage.before(start, 80)
    near = following[:700]
    weight = 0.6 * bool(_PRESENTS.search(before))
    weight += 0.35 * bool(not weight and _SPEAKS_OF.search(before))
    weight += 0.3 * bool(_SAID_OF.match(following))
    weight += 0.25 * bool(_CONTACT.search(near))
    weight += 0.15 * min(2, len(_THIRD.findall(near)))
    weight += 0.5 * bool(_COMMENDS.search(following[:400]))
    weight -= 0.5 * bool(_UNDER_OR_AFTER.search(before))
    weight -= 0.3 * following.startswith(("'s", "’s"))
    together = _TOGETHER_WITH.match(following)
    weight += 0.6 * bool(together) - 0.3 * bool(
        of_oneself and not together and following.startswith((" and I ", " and me "))
    )
    weight -= 0.3 * bool(of_oneself >= SAID_OF_ONESELF and _SPEAKS_OF.search(before))
    return weight - 1.0 * bool(_REFERS.match(following) or is_referrer_at(passage, start))


_TOGETHER_WITH = re.compile(
    r" and I (?:both )?(?:want|would|plan|are|hope|intend)\b[^.!?\n]{0,30}\b(?:mov|leav|join|together)"
)
# "… and I shared an office for most of a decade, and I recommend her": what is said of whoever was named.
_COMMENDS = re.compile(
    r"\bI (?:\w+ ){0,3}(?:recommend|refer|introduce|vouch for|send you|commend)\b[^.!?\n]{0,15}\b(?:her|him|them)\b",
    re.I,
)
_REFERS = re.compile(
    r"^(?:\s\([^)\n]{1,90}\))?,?\s(?:has\s|had\s|kindly\s|then\s)?(?:referred|recommended|introduced|suggested|"
    r"passed|gave|told|sent me|pointed|put me|"
    r"advised|encouraged|said I|mentioned you|m['’]a|me (?:dijo|recomendó|dio)|hat mir|mi ha)\b"
)


def _heads(text: str) -> Iterator[re.Match[str]]:
    """Names at the head of items and of paragraphs."""
    yield from _ITEM.finditer(text)
    yield from _PARAGRAPH.finditer(text)


def _copied(letter: Letter, told: list[Passage], circle: Circle, teller: Party | None) -> Iterator[Somebody]:
    """Whoever is in copy and is spoken of by first name: "Dana - meet Walter", "copying Julia"."""
    for party in (*letter.cc, *letter.to):
        first = clean_name(party.name or "")[1]
        is_other = circle.is_outside(party) and party.email != letter.sender.email
        if not first or not is_other or (teller and party.email == teller.email):
            continue
        for passage in told:
            for match in re.finditer(rf"\b{re.escape(first)}\b", passage.text):
                before = passage.before(match.start(), 80)
                if _PRESENTS.search(before) or _SPEAKS_OF.search(before):
                    yield from_party(party)
                    break
            else:
                continue
            break
