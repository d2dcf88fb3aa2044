"""What a model says of one person, tied to the words of the mail: its evidence, and how sure that makes it."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from extraction.belonging import Belonging, Who
from extraction.confidence import UNSUPPORTED
from extraction.evidence import Stretch, find, places, sources
from extraction.letter import Letter
from extraction.likeness import retold
from extraction.objections import Objections
from extraction.patterns.cities import meant_by
from extraction.types import Evidence, FieldContent, FieldValue, Person, RecordName

# What a model's value is worth by how its words were found in the mail.
WORTH = {"quoted": 0.88, "normalised": 0.84, "derived": 0.75, "unsupported": UNSUPPORTED}
MAX_PLACES = 50  # where a value stands that are asked whose it is


class Said(NamedTuple):
    """A cleaned value and where in the mail the model points."""

    text: str
    near: Stretch | None


class Grounding:
    """Knows the mail and whose its words are."""

    def __init__(self, letter: Letter, belonging: Belonging) -> None:
        self._letter = letter
        self._belonging = belonging
        self._objections = Objections(letter)

    def knows(self, **named: Said | None) -> bool:
        """Whether the mail names somebody so."""
        return any(said and find(self._letter, said.text, field, said.near) for field, said in named.items())

    def value(self, record: RecordName, field: str, said: Said, who: Who, person: Person) -> Iterator[FieldValue]:
        """The value to merge. None when it is not even to be shown: it is ours, or the mail tries to steer its readers
        and does not say it."""
        if not self._belonging.is_ours(field, said.text):
            yield from self._shown(record, field, said.text, [self._evidence(field, said, who, person)])

    def values(
        self, record: RecordName, field: str, said: Sequence[Said], who: Who, person: Person
    ) -> Iterator[FieldValue]:
        """The same for a list: what is supported makes the value; the whole list is offered beside it."""
        found = [self._evidence(field, one, who, person) for one in said]
        held = [(one.text, evidence) for one, evidence in zip(said, found, strict=True) if _supports(evidence)]
        if held:
            yield from self._shown(record, field, [text for text, _ in held], [evidence for _, evidence in held])
        if len(held) < len(said):
            yield from self._shown(record, field, [one.text for one in said], found)

    def _shown(
        self, record: RecordName, field: str, content: FieldContent, found: Sequence[Evidence | None]
    ) -> Iterator[FieldValue]:
        """A value is as sure as the least supported of its parts; the first one's words are shown."""
        confidence = min(WORTH[evidence.status] if evidence else UNSUPPORTED for evidence in found)
        if confidence > UNSUPPORTED or not self._letter.speaks_past_its_reader:
            yield FieldValue(
                record=record,
                field=field,
                value=content,
                confidence=confidence,
                origin="model",
                evidence=next((evidence for evidence in found if evidence), None),
            )

    def _evidence(self, field: str, said: Said, who: Who, person: Person) -> Evidence | None:
        """The words of the mail that are this person's; those that are somebody else's support nothing."""
        anothers = None
        for found in islice(places(self._letter, said.text, field, said.near, sources(self._letter)), MAX_PLACES):
            if self._is_theirs(field, said.text, who, person, found):
                return found
            anothers = anothers or found.model_copy(update={"status": "unsupported"})
        return self._derived(field, said, person) or anothers

    def _is_theirs(self, field: str, text: str, who: Who, person: Person, found: Evidence) -> bool:
        return self._belonging.is_theirs(who, person.index, field, text, found) and not self._objections.against(
            field, text, found
        )

    def _derived(self, field: str, said: Said, person: Person) -> Evidence | None:
        match field:
            case "country":
                return _by_city(person, said.text)
            case "description_of_reqs" if said.near and retold(self._letter.read.values(), said.text):
                source, start, end = said.near
                quote = self._letter.sources[source][start:end]
                return Evidence(source=source, start=start, end=end, quote=quote, status="derived")
        return None


def _supports(evidence: Evidence | None) -> bool:
    return evidence is not None and evidence.status != "unsupported"


def _by_city(person: Person, country: str) -> Evidence | None:
    """The country of a city that the mail names."""
    city = person.get("contact", "city")
    if city is None or not (city.evidence and _supports(city.evidence)):
        return None
    meant = meant_by(str(city.value), (country,))
    return city.evidence.model_copy(update={"status": "derived"}) if meant and meant.country == country else None
