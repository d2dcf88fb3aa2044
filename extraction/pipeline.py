"""`intake()`: one mail in, everything that can be known of it out; each step starts as soon as it can."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import BaseModel

from extraction.answer import Answer
from extraction.attachments import Attached, AttachmentReader, with_attached
from extraction.corrections import corrected
from extraction.errors import CrmError, MemoryUnavailable, ModelError, ModelPaused, ResearchError
from extraction.events import (
    DuplicateFound,
    Event,
    ExtractionField,
    ExtractionStart,
    ExtractionToken,
    ResearchResult,
    ResearchStart,
    ValidationResult,
    ValidationStart,
)
from extraction.letter import Letter
from extraction.memory import scopes_of, with_learned
from extraction.mime import letter_from
from extraction.patterns import understand
from extraction.patterns.language import language_of
from extraction.ports import Crm, Journal, LanguageModel, Match, Memory, Research
from extraction.prompt import PROMPT_VERSION, numbered_lines, prompt_for
from extraction.reader import FieldReader
from extraction.rules import with_rules
from extraction.types import Email, Engine, Extraction, FieldValue, Issue, OwnFirm, Person, Usage
from extraction.values import company_domain

ATTACHED = "attachments"  # the step that keeps what they say: evidence points into this text for good
OUT_OF_TIME = "research is out of time"
RESEARCH_GRACE_SECONDS = 1.0  # what research may take beyond everything else: it never stands between user and Save


@dataclass(frozen=True)
class Tools:
    """Everything outside that the pipeline may use. Without a model the patterns are the working mode; `others` are
    the models beside it that may be asked for by name. `memory` is asked for the rules of this `tenant`."""

    own: OwnFirm
    crm: Crm | None = None
    model: LanguageModel | None = None
    others: Mapping[str, LanguageModel] = field(default_factory=dict)
    research: Research | None = None
    memory: Memory | None = None
    tenant: str = ""
    today: Callable[[], date] = date.today
    attachments: AttachmentReader = field(default_factory=AttachmentReader)

    def for_user(self, email: Email) -> "Tools":
        return replace(self, own=self.own.model_copy(update={"user": email.user_context}))

    def model_named(self, name: str) -> LanguageModel | None:
        """The model of that name, if it may be asked."""
        return self.model if self.model and self.model.name == name else self.others.get(name)


class Matches(BaseModel):
    """What the CRM already holds, per person; `issues` when it could not be asked."""

    found: list[DuplicateFound] = []
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Intake:
    """What one mail gave: all that was understood, what the CRM holds of it, and the mail as it was read."""

    extraction: Extraction
    matches: Matches
    letter: Letter


async def intake(email: Email, journal: Journal, tools: Tools) -> Intake:
    """Understand one mail, telling the journal everything as it becomes known. Raises `UnreadableMail`, `LeaseLost`."""
    letter = await asyncio.to_thread(read_letter, email)
    begin(letter, journal, tools)
    draft = await read_patterns(letter, journal, tools)
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(research(draft, journal, tools))
        letter, draft = await read_attachments(letter, draft, journal, tools)
        searching = tasks.create_task(look_up(draft, journal, tools))
        answering = tasks.create_task(ask_model(letter, draft, journal, tools))
        answer = await answering
        await searching
        facts = await within_grace(looking)
    whole = await validate(email, answer, facts, searching.result(), journal, tools)
    return Intake(whole, searching.result(), letter)


# ---------------------------------------------------------------- the steps


def read_letter(email: Email) -> Letter:
    """The mail as it can be read, with the language of its newest part. Raises `UnreadableMail`."""
    letter = letter_from(email)
    newest = next(letter.of_kind("new"), None)
    spoken = language_of(letter.text(newest)) if newest else None
    return replace(letter, language=spoken or language_of(letter.sources["subject"]))


def begin(letter: Letter, journal: Journal, tools: Tools) -> None:
    """Say that the run began; after an interruption again, since the model's text begins again."""
    if journal.done("validated") or (journal.told("extraction_start") and journal.done("model")):
        return
    journal.tell(
        ExtractionStart(
            message="Reading the mail" if journal.attempt == 1 else "Reading the mail again after an interruption",
            engine="model" if tools.model else "patterns",
            model=tools.model.name if tools.model else None,
            prompt_version=PROMPT_VERSION if tools.model else None,
            language=letter.language,
            attempt=journal.attempt,
        )
    )


async def read_patterns(letter: Letter, journal: Journal, tools: Tools, step: str = "patterns") -> Extraction:
    """The deterministic pass: the first fields, in milliseconds."""

    async def work() -> Extraction:
        found = await asyncio.to_thread(understand, letter, tools.own)
        return with_rules(found, tools.own, tools.today())

    return await journal.step(step, work, Extraction, lambda found: field_events(found.people))


async def read_attachments(
    letter: Letter, draft: Extraction, journal: Journal, tools: Tools
) -> tuple[Letter, Extraction]:
    """The letter with what its attachments say, and what the patterns make of it then. Reading files takes a hundred
    times as long as the patterns do, so the body's fields are told before."""
    if not letter.files:
        return letter, draft
    attached = await journal.step(ATTACHED, lambda: tools.attachments.read(letter), Attached)
    if attached == Attached():
        return letter, draft
    letter = with_attached(letter, attached)
    return letter, await read_patterns(letter, journal, tools, "patterns_with_attachments")


async def ask_model(letter: Letter, draft: Extraction, journal: Journal, tools: Tools) -> Extraction:
    """The draft, confirmed, corrected and completed by the model. A model that fails leaves an issue and what it said
    until then; the run goes on."""
    model = tools.model
    if model is None or draft.intent == "none":
        return draft
    return await journal.step("model", lambda: _answer_of(model, letter, draft, journal, tools.own), Extraction)


async def _answer_of(
    model: LanguageModel, letter: Letter, draft: Extraction, journal: Journal, own: OwnFirm
) -> Extraction:
    answer = Answer(letter, numbered_lines(letter), draft, own)
    reader, usage, failure = FieldReader(), Usage(), None
    try:
        async with aclosing(model.stream(prompt_for(letter, draft, own))) as stream:
            async for piece in stream:
                if isinstance(piece, Usage):
                    usage = piece
                    continue
                journal.tell(ExtractionToken(token=piece))
                for found in reader.feed(piece):
                    journal.tell(*(field_event(person, value) for person, value in answer.take(found)))
                await journal.written()  # what the model says meanwhile is read as one piece
        reader.finish()
    except ModelError as error:
        failure = error
    engine: Engine = "patterns" if failure else "model"
    changes: dict[str, Any] = {"people": answer.people, "engine": engine, "usage": usage}
    if not isinstance(failure, ModelPaused):
        changes |= {"model": model.name, "prompt_version": PROMPT_VERSION}
    if failure:
        changes["issues"] = (*draft.issues, _degraded(failure, kept=answer.people != draft.people))
    else:
        changes["intent"] = answer.intent
    return draft.model_copy(update=changes)


def _degraded(error: ModelError, kept: bool) -> Issue:
    rest = "What it had said until then is kept." if kept else "The fields are from the rules alone."
    return Issue(code=error.code, message=f"{error.message} {rest}")


async def research(draft: Extraction, journal: Journal, tools: Tools) -> ResearchResult | None:
    """Facts from the firm's own web page, as soon as its domain is known; told by `within_grace`."""
    domain = next((found for person in draft.people if (found := company_domain(person))), None)
    if tools.research is None or domain is None:
        return None
    finder = tools.research
    if not journal.told("research_start"):
        journal.tell(ResearchStart(message=f"Looking at {domain}", domain=domain))
    return await journal.step("research", lambda: _facts(finder, domain), ResearchResult, lambda result: [result])


async def _facts(finder: Research, domain: str) -> ResearchResult:
    began = time.monotonic()

    def result(status: Any, found: dict[str, Any] | None = None) -> ResearchResult:
        return ResearchResult(status=status, elapsed=round(time.monotonic() - began, 3), result=found)

    try:
        found = await finder.find(domain)
    except TimeoutError:
        return result("timeout")
    except asyncio.CancelledError as error:
        if error.args != (OUT_OF_TIME,):
            raise  # the whole run is being stopped
        return result("timeout")
    except ResearchError:
        return result("failed")
    return result("complete", found)


async def within_grace(looking: asyncio.Task[ResearchResult | None]) -> ResearchResult | None:
    """Research's result, if it comes about as soon as everything else; its time is up otherwise."""
    done, _ = await asyncio.wait({looking}, timeout=RESEARCH_GRACE_SECONDS)
    if not done:
        looking.cancel(OUT_OF_TIME)
    return await looking


async def look_up(draft: Extraction, journal: Journal, tools: Tools) -> Matches:
    """What the CRM already holds of these people, asked as soon as the patterns know them."""

    return await journal.step(
        "duplicates", lambda: matches_of(draft.people, tools.crm), Matches, lambda matches: matches.found
    )


async def matches_of(people: Sequence[Person], crm: Crm | None) -> Matches:
    """What the CRM holds of these people now."""
    if crm is None:
        return Matches()
    try:
        answers = await asyncio.gather(*(crm.find(person) for person in people))
    except CrmError as error:
        return Matches(issues=(Issue(code="duplicates_unknown", message=error.message),))
    pairs = zip(people, answers, strict=True)
    return Matches(found=[_duplicate(person, match) for person, matches in pairs for match in matches])


def _duplicate(person: Person, match: Match) -> DuplicateFound:
    return DuplicateFound(
        person=person.index,
        module=match.module,
        id=match.id,
        url=match.url,
        matched_on=match.matched_on,
        record=match.record,
    )


async def validate(
    email: Email, answer: Extraction, facts: ResearchResult | None, matches: Matches, journal: Journal, tools: Tools
) -> Extraction:
    """The domain's rules over everything that was found, research's facts, what users corrected earlier and this
    user's final values."""
    if not journal.told("validation_start"):
        journal.tell(ValidationStart(message="Checking the fields"))

    async def work() -> Extraction:
        whole = with_facts(answer, facts.result if facts and facts.result else {})
        whole = await with_memory(with_rules(whole, tools.own, tools.today()), tools)
        if email.user_corrections:
            whole = corrected(whole, email.user_corrections, tools.own, tools.today())
        return whole.model_copy(update={"issues": (*whole.issues, *matches.issues)})

    return await journal.step(
        "validated", work, Extraction, lambda whole: [*field_events(whole.people), _result(whole)]
    )


async def with_memory(whole: Extraction, tools: Tools) -> Extraction:
    """What users corrected earlier, said again. A memory that fails leaves an issue; the run goes on."""
    scopes = {scope for person in whole.people for scope in scopes_of(person, tools.own)}
    if tools.memory is None or not scopes:
        return whole
    try:
        rules = await tools.memory.recall(tools.tenant, scopes)
    except MemoryUnavailable as error:
        return whole.model_copy(update={"issues": (*whole.issues, Issue(code=error.code, message=error.message))})
    return with_rules(with_learned(whole, rules, tools.own), tools.own, tools.today()) if rules else whole


def with_facts(extraction: Extraction, facts: dict[str, Any]) -> Extraction:
    """Research adds what the mail leaves open about the first person's firm; it never replaces what the mail says."""
    if not facts or not extraction.people:
        return extraction
    first, *others = extraction.people
    missing = [name for name in ("website", "industry", "city", "state") if not first.get("company", name)]
    added = [
        FieldValue(record="company", field=name, value=facts[name], confidence=0.7, origin="research")
        for name in missing
        if isinstance(facts.get(name), str) and facts[name]
    ]
    return extraction.model_copy(update={"people": (first.having(*added), *others)})


# ---------------------------------------------------------------- how values are told


def field_event(person: int, value: FieldValue) -> ExtractionField:
    return ExtractionField(
        person=person,
        record=value.record,
        field=value.field,
        value=value.value,
        confidence=value.confidence,
        origin=value.origin,
        evidence=value.evidence,
    )


def field_events(people: Iterable[Person]) -> Sequence[Event]:
    return [field_event(person.index, value) for person in people for value in person.fields]


def _result(whole: Extraction) -> ValidationResult:
    first = whole.people[0] if whole.people else Person(index=0)
    return ValidationResult(
        people=[person.view() for person in whole.people],
        intent=whole.intent,
        engine=whole.engine,
        model=whole.model,
        usage=whole.usage,
        source=whole.source,
        source_detail=whole.source_detail,
        deal_names=[person.text("deal", "deal_name") for person in whole.people],
        issues=list(whole.issues),
        candidate_name=first.text("contact", "full_name"),
        job_title=first.text("deal", "job_title"),
        location=first.text("deal", "location"),
        company_name=first.text("company", "company_name"),
        referrer_name=first.text("deal", "referrer_name"),
        phone=first.text("contact", "phone"),
        email=first.text("contact", "email"),
    )
