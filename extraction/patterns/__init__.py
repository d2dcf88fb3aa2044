"""The deterministic pass: from a letter to an extraction, in milliseconds, without a model.

`understand` tells the story: read passages, find the people, give them what was found, choose.
"""

from extraction import evidence
from extraction.letter import Letter, Party
from extraction.patterns import intent
from extraction.patterns.choosing import values_of
from extraction.patterns.circle import Circle
from extraction.patterns.language import language_of
from extraction.patterns.notices import answers_in, interleaved, notice_of
from extraction.patterns.origin import source_of
from extraction.patterns.owners import belongings_of, lookup_for
from extraction.patterns.people import cast_of
from extraction.patterns.reading import Passage, passages_of, within_limits
from extraction.patterns.roles import Cast
from extraction.types import Evidence, Extraction, OwnFirm, Person, Role


def understand(letter: Letter, own: OwnFirm) -> Extraction:
    """Everything the patterns find, each value with its words. Pure; linear in the mail's length."""
    passages = passages_of(letter)
    newest = next((passage.text for passage in passages if passage.kind == "new"), "")
    language = letter.language or language_of(newest) or language_of(letter.sources["subject"])
    reason = _nobody(letter, newest)
    if reason:
        return _nothing(letter, reason, language)
    circle = Circle(own)
    readable = within_limits(_told_first(passages, circle))
    answers = tuple(answer for passage in readable for answer in answers_in(passage))
    cast = cast_of(letter, passages, answers, circle)
    if not cast.people:
        return _nothing(letter, intent.REASONS["nobody"], language)
    return _presented(letter, cast, passages, own, language)


def _nobody(letter: Letter, newest: str) -> str | None:
    """Why nobody is to be filed: automatic, bulk without a person in it, or an offer to us."""
    if intent.is_automatic(letter) or (intent.is_generated(letter) and not notice_of(letter)):
        return intent.REASONS["auto"]
    if intent.is_bulk(letter) and not notice_of(letter):
        return intent.REASONS["bulk"]
    if intent.is_pitch(newest, letter.sources["subject"]):
        return intent.REASONS["pitch"]
    return None


def _told_first(passages: tuple[Passage, ...], circle: Circle) -> tuple[Passage, ...]:
    """Colleagues' quoted words say nothing about a candidate."""
    return tuple(p for p in passages if p.number <= 1 or p.kind in ("new", "header") or not circle.is_own(p.author))


def _heard(cast: Cast, passages: tuple[Passage, ...], circle: Circle) -> tuple[Passage, ...]:
    """The words that count: those of whoever tells about the people, within the limits. The signature of somebody who
    tells about others is their own affair."""
    about_others = bool(cast.others) or any(circle.is_own(voice) for voice in cast.voices)
    heard = (
        passage
        for passage in passages
        if (passage.kind == "attachment" or any(_same(voice, passage.author) for voice in cast.voices))
        and not (about_others and passage.kind == "signature")
    )
    return within_limits(heard)


def _same(voice: Party | None, author: Party | None) -> bool:
    if voice is None or author is None:
        return False
    return voice.email == author.email if voice.email and author.email else voice.name == author.name


def _presented(
    letter: Letter, cast: Cast, passages: tuple[Passage, ...], own: OwnFirm, language: str | None
) -> Extraction:
    circle = Circle(own)
    heard = _heard(cast, passages, circle)
    answers = (*(answer for passage in heard for answer in answers_in(passage)), *interleaved(passages))
    lookup = lookup_for(language, heard, [person.email for person in cast.people if person.email])
    hiring = len(cast.people) == 1 and any(
        intent.wants_to_hire(passage.text) or intent.hires_others(cast.people[0].name, passage.text)
        for passage in heard
        if passage.kind != "signature"
    )

    def find(value: str, field: str) -> Evidence | None:
        return evidence.find(letter, value, field)

    shares = belongings_of(cast, heard, answers, circle, lookup)
    role: Role = "client_contact" if hiring else "candidate"
    people = tuple(
        Person(index=index, role=role, fields=tuple(values_of(share, cast, find, hiring)))
        for index, share in enumerate(shares)
    )
    source, detail = source_of(cast, passages, answers)
    return Extraction(
        intent=intent.intent_for(hiring),
        language=language,
        source=source,
        source_detail=detail,
        people=people,
        issues=letter.issues,
    )


def _nothing(letter: Letter, reason: str, language: str | None) -> Extraction:
    return Extraction(intent="none", language=language, issues=letter.issues, reason=reason)
