"""Who referred the person: somebody outside who is said to have, or who does so in this mail."""

import re
from collections.abc import Iterator
from dataclasses import replace

from extraction.letter import Party
from extraction.patterns.circle import Circle
from extraction.patterns.names import NAME, clean_name, looks_like_a_name, same_person
from extraction.patterns.notices import Answer
from extraction.patterns.reading import Passage, Span, once, within_limits
from extraction.patterns.roles import Somebody, is_user

_ME = (
    r"(?:me\b|us\b|you\b|I write|I (?:should |ought to |might )?(?:contact|reach|get in touch|drop|talk|speak|write|"
    r"call)|"
    r"we (?:should )?(?:talk|speak|meet|connect)|that (?:I|you)|your (?:name|details|number|address|card|firm))"
)
_REFERRED_ME = re.compile(
    rf"({NAME})(?:\s\([^)\n]{{1,90}}\))?,?\s(?:(?:has|had|kindly|then|just|also)\s){{0,2}}(?:referred|recommended|"
    rf"introduced|"
    rf"suggested|passed on|passed along|passed|gave|told|sent|pointed|put|advised|encouraged|urged|mentioned|said|"
    rf"thought|"
    rf"insisted|spoke (?:so |very )?(?:highly|well|warmly) of)\s{_ME}"
    rf"|({NAME})['’]s?\s(?:kind\s)?(?:suggestion|recommendation|introduction|referral|advice|urging)"
    rf"|({NAME})\b[^.;!?\n]{{0,60}},?\s(?:and|who)\s(?:(?:he|she|they)\s)?(?:thought|said|suggested|insisted|figured)\s"
    rf"(?:that\s)?(?:I|we)\s(?:should|ought)\b"
    rf"|({NAME}),?\s(?:hat mir (?:empfohlen|geraten|(?:(?:Ihr|dein)en?\s\w+\s)?(?:gegeben|genannt))|hat mich|"
    rf"(?:qui\s)?m['’]a (?:recommandé|conseillé|suggéré|donné|parlé|transmis|dit)|"
    rf"me (?:recomendó|aconsejó|dio|habló|pasó|sugirió|dijo|indicou|recomendou|deu|falou|passou)|"
    rf"mi ha (?:consigliato|suggerito|dato|parlato|indicato|detto))"
)
_BY = re.compile(
    rf"\b(?:(?:[Rr]eferred|[Rr]ecommended|[Ii]ntroduced|[Ss]uggested|[Pp]ointed|[Ss]ent|[Ss]teered|[Dd]irected|"
    rf"[Tt]old) "
    rf"(?:(?:to you|to me|your way|in your direction|towards? you|here|about you) )?by|[Ii]ntroduction (?:via|from|"
    rf"through)|(?:^|\n)Via|(?:[Aa]t|[Oo]n) the (?:suggestion|urging|recommendation|advice) of|"
    rf"(?:[Gg]ot|[Hh]ave|[Hh]ad|[Ff]ound|[Rr]eceived) your (?:name|number|details|card|e-?mail|address|contact)(?: "
    rf"details)? "
    rf"(?:from|through|via)|[Tt]hanks to|[Cc]ourtesy of|[Tt]hrough (?:my|our) (?:mutual )?(?:friend|colleague|"
    rf"acquaintance),?|"
    rf"[Rr]ecommendation of|[Rr]ecomendación de|"
    rf"(?:[Mm]e )?(?:lo pasó|dio su (?:contacto|nombre|teléfono|número)|pasó su (?:contacto|número))|[Dd]e parte de|"
    rf"[Dd]e la part de|"
    rf"transmis(?:es?)? par|recommandé(?:e)? par|par l['’]intermédiaire de|avuto (?:il suo|i suoi) (?:contatt[oi]|"
    rf"numero|nome) da|"
    rf"su (?:consiglio|suggerimento|segnalazione) di|por (?:indicação|sugestão) d[eao]s?|indicou (?:vocês?|o senhor|"
    rf"a senhora|"
    rf"seu nome) foi|recomendad[oa] por|indicad[oa] por|(?:Ihren Namen|Ihren Kontakt|Ihre Nummer|Ihre Adresse|Ihre "
    rf"Kontaktdaten) (?:habe ich|bekam ich|erhielt ich) von|auf (?:Anraten|Vermittlung|Hinweis|Empfehlung) von|"
    rf"(?:[Ss]ur (?:le conseil|la recommandation) de)|[Ee]mpfehlung von|"
    rf"[Vv]on|[Pp]or recomendación de)\s(?:(?:Frau|Herrn?|Sra?\.|M\.|Mme|a|o|la|el)\s)?({NAME})"
)
# One of these stands in whatever the first pattern finds; looking for them takes no time, trying every name does.
_REFERS = re.compile(
    r"\s(?:referred|recommended|introduced|suggested|passed|gave|told|sent|pointed|put|advised|encouraged|urged|"
    r"mentioned|"
    r"said|thought|insisted|figured|spoke|hat mi[rc]h?|m['’]a|me|mi ha)\s|['’]s? (?:kind )?(?:suggestion|"
    r"recommendation|"
    r"introduction|referral|advice|urging)\b"
)
_AROUND = re.compile(r"^(?:Per|When|After|Since|Because|C['’]est) | I$")  # what a run of capitals holds beside the name
_GERMAN_REFERRAL = re.compile(r"empfohlen|Empfehlung")
_REFERRING = re.compile(
    r"\brefer(?:ring)?\b|\breferral\b|\bintroduc(?:e|ing|tion)\b|\brecommend(?:ed|ing)?\b|\bmeet\b|je vous recommande|"
    r"empfehle|recomendar(?:te|le)|\b(?:le|te|les|os)\s(?:quiero |voy a )?(?:recomiendo|presento)|(?:vous|te|Ihnen|"
    r"dir) (?:présente|vorstellen|empfehlen)|vorzustellen|"
    r"raccomand\w+|segnal\w+|apresent\w+|on your radar|good one for you|talk to (?:him|her|my)|le recomiendo|"
    r"presento a|think of (?:you|me)",
    re.I,
)
# How somebody who presents another person stands to them; where somebody else presents them, it tells nothing.
_RELATES = re.compile(
    r"\b(?:friend|colleague|mentee|neighbou?r|cousin|amig[oa]|collègue|colega|Kolleg\w+|collega|amic[oa]|amie?)\b|"
    r"\bkn[eo]wn? (?:him|her|them)\b|worked (?:with|together|alongside)|\bshould (?:talk|meet|speak)\b|"
    r"\b(?:good|great|right) (?:fit|one)\b|reach out to|\b(?:his|her) (?:call|r[ée]sum[ée]|cv)\b|"
    r"\bput (?:him|her) in touch|\blook at (?:him|her)\b|"
    r"\bmy (?:old |former )?(?:partner|boss|client|student|intern|associate)\b",
    re.I,
)


def recommends(party: Party, passages: tuple[Passage, ...]) -> bool:
    """Whether they say in so many words that they refer somebody."""
    return _says(party, passages, _REFERRING)


def vouches(party: Party, passages: tuple[Passage, ...]) -> bool:
    """Whether who presents somebody refers them, or says where they know them from."""
    return _says(party, passages, _REFERRING) or _says(party, passages, _RELATES)


def _says(party: Party, passages: tuple[Passage, ...], words: re.Pattern[str]) -> bool:
    return any(
        passage.author
        and passage.author.email == party.email
        and passage.kind not in ("signature", "header")
        and words.search(passage.text)
        for passage in passages
    )


def referrer_in(
    passages: tuple[Passage, ...], answers: tuple[Answer, ...], person: Somebody, circle: Circle
) -> Somebody | None:
    """Somebody outside who is said to have referred the person; never a colleague, never the person."""
    found = list(_named_referrers(passages, person, circle))
    if not found:
        return _answered_referrer(answers)
    first, *others = found
    same = [first, *(one for one in others if same_person(one.name, first.name) or _goes_on(one, first))]
    fullest = max(same, key=lambda one: len(one.name.split()))
    return replace(fullest, email=next((one.email for one in same if one.email), None))


def _goes_on(one: Somebody, first: Somebody) -> bool:
    """With a second family name, where the first mention leaves it out."""
    return one.name.startswith(f"{first.name} ")


@once
def referrals_in(passage: Passage) -> Iterator[re.Match[str]]:
    """Where a passage says that somebody sent the writer; the last group that matched is the name."""
    if _REFERS.search(passage.text):
        yield from _REFERRED_ME.finditer(passage.text)
    for match in _BY.finditer(passage.text):
        if _GERMAN_REFERRAL.search(passage.text) or not re.match(r"[Vv]on\b", match.group()):
            yield match


def is_referrer_at(passage: Passage, position: int) -> bool:
    """Whether the name that begins there is of somebody who is said to have sent the writer."""
    return any(match.start(match.lastindex or 1) == position for match in referrals_in(passage))


def _named_referrers(passages: tuple[Passage, ...], person: Somebody, circle: Circle) -> Iterator[Somebody]:
    for passage in within_limits(passages):
        if passage.kind == "signature" or circle.is_own(passage.author):
            continue
        for match in referrals_in(passage):
            name = clean_name(_AROUND.sub("", match.group(match.lastindex or 1)))[0]
            if looks_like_a_name(name) and not same_person(name, person.name) and not is_user(name, circle):
                yield Somebody(
                    name,
                    _beside(passage, match.end(match.lastindex or 1)),
                    Span(name, passage, match.start(match.lastindex or 1), match.end(match.lastindex or 1), 0.85),
                )


def _answered_referrer(answers: tuple[Answer, ...]) -> Somebody | None:
    for answer in answers:
        if answer.kind == "referrer":
            found = re.search(
                NAME, re.sub(r"^(?:[Rr]eferred by|[Vv]ia)\s", lambda m: " " * len(m.group()), answer.text)
            )
            if found and looks_like_a_name(found.group()):
                span = Span(
                    found.group(), answer.passage, answer.start + found.start(), answer.start + found.end(), 0.9
                )
                return Somebody(clean_name(found.group())[0], None, span)
    return None


def _beside(passage: Passage, position: int) -> str | None:
    """An address in brackets soon after a name."""
    found = re.search(r"\(([\w.+-]+@[\w.-]+\.[a-z]{2,15})", passage.text[position : position + 120])
    return found.group(1).lower() if found else None
