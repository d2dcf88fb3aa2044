"""A guarded model: who is let through, what counts, and that nobody waits for a service that is down."""

import asyncio
from contextlib import aclosing

import pytest

from extraction.breaker import FAILURES, PAUSE_SECONDS, Breaker
from extraction.errors import (
    ModelError,
    ModelIncomplete,
    ModelPaused,
    ModelRateLimited,
    ModelRefused,
    ModelRejected,
    ModelUnavailable,
)
from extraction.guard import GuardedModel
from extraction.notebook import Notebook
from extraction.pipeline import Tools, intake
from extraction.ports import Prompt
from extraction.types import Email, OwnFirm, Usage

PROMPT = Prompt(system="", user="", version="1")


class Wire:
    """A breaker in memory that counts how often it is written."""

    def __init__(self):
        self.breaker = Breaker()
        self.changes = 0

    async def look(self):
        return self.breaker

    async def change(self, step):
        self.changes += 1
        self.breaker = step(self.breaker)
        return self.breaker


class Moody:
    """A model that does what it is told next: fail, wait for an event before its word, or be silent after it."""

    name = "moody"

    def __init__(self, *moods):
        self.moods = list(moods)
        self.asked = 0

    async def stream(self, prompt):
        self.asked += 1
        mood = self.moods.pop(0) if self.moods else None
        if isinstance(mood, ModelError):
            yield Usage()
            raise mood
        if isinstance(mood, asyncio.Event):
            await mood.wait()
        yield "word"
        if mood == "silence":
            await asyncio.Event().wait()
        yield Usage()

    async def close(self):
        pass


class Guarded:
    def __init__(self, *moods):
        self.now = 1_795_356_000.0
        self.wire = Wire()
        self.model = Moody(*moods)
        self.guard = self.another()

    def another(self):
        return GuardedModel(self.model, self.wire, lambda: self.now)

    async def ask(self):
        return [piece async for piece in self.guard.stream(PROMPT)]

    async def fail(self, kind, times=FAILURES):
        for _ in range(times):
            with pytest.raises(kind):
                await self.ask()


async def test_while_all_is_well_it_is_not_in_the_way_and_writes_nothing():
    guarded = Guarded()

    assert await guarded.ask() == ["word", Usage()]
    assert guarded.wire.changes == 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModelUnavailable(), "out of reach since 22 November, 14:00 UTC"),
        (ModelRateLimited(), "over its limit since 22 November, 14:00 UTC"),
        (ModelRejected(), "not accepted our requests since 22 November, 14:00 UTC"),
    ],
)
async def test_a_service_that_keeps_failing_is_not_asked_for_a_while(error, words):
    guarded = Guarded(*[error] * FAILURES)
    await guarded.fail(type(error))

    with pytest.raises(ModelPaused) as paused:
        await guarded.ask()

    assert guarded.model.asked == FAILURES
    assert (paused.value.code, words in paused.value.message) == ("model_unavailable", True)


@pytest.mark.parametrize("kind", [ModelRefused, ModelIncomplete, ModelError])
async def test_what_one_mail_met_says_nothing_of_the_service(kind):
    guarded = Guarded(*[kind()] * 9, None)
    await guarded.fail(kind, times=9)

    assert await guarded.ask() == ["word", Usage()]


async def test_a_refusal_shows_that_the_service_answers():
    guarded = Guarded(ModelUnavailable(), ModelUnavailable(), ModelRefused(), ModelUnavailable(), ModelUnavailable())
    await guarded.fail(ModelUnavailable, times=2)
    await guarded.fail(ModelRefused, times=1)
    await guarded.fail(ModelUnavailable, times=2)

    assert await guarded.ask() == ["word", Usage()]


async def test_who_is_told_to_come_back_later_does_so():
    guarded = Guarded(ModelRateLimited(retry_after=10))
    await guarded.fail(ModelRateLimited, times=1)

    await guarded.fail(ModelPaused, times=2)
    guarded.now += 10

    assert await guarded.ask() == ["word", Usage()]
    assert guarded.wire.breaker == Breaker()


async def test_one_probe_asks_for_all_and_its_first_words_let_the_others_in():
    word_comes = asyncio.Event()
    guarded = Guarded(*[ModelUnavailable()] * FAILURES, word_comes)
    await guarded.fail(ModelUnavailable)
    guarded.now += PAUSE_SECONDS
    probe = guarded.guard.stream(PROMPT)
    hearing = asyncio.create_task(anext(probe))
    await asyncio.sleep(0)

    with pytest.raises(ModelPaused):
        await anext(guarded.another().stream(PROMPT))
    word_comes.set()
    assert await hearing == "word"

    assert await guarded.ask() == ["word", Usage()]
    await probe.aclose()


async def test_a_probe_whose_run_is_stopped_makes_room_for_the_next():
    guarded = Guarded(*[ModelUnavailable()] * FAILURES, asyncio.Event())
    await guarded.fail(ModelUnavailable)
    guarded.now += PAUSE_SECONDS
    probe = asyncio.create_task(guarded.ask())
    await asyncio.sleep(0)
    assert guarded.wire.breaker.state == "probing"

    probe.cancel()
    await asyncio.wait({probe})

    assert probe.cancelled()
    assert await guarded.ask() == ["word", Usage()]


async def test_a_run_that_is_stopped_says_nothing_of_the_service():
    guarded = Guarded("silence")
    async with aclosing(guarded.guard.stream(PROMPT)) as stream:
        await anext(stream)

    assert guarded.wire.changes == 0


async def test_a_run_that_meets_an_open_breaker_finishes_on_the_patterns_and_says_since_when():
    guarded = Guarded(*[ModelUnavailable()] * FAILURES)
    await guarded.fail(ModelUnavailable)
    mail = Email(
        sender_email="jane.roe@acmewealth.example",
        subject="Hello",
        body="My name is Jane Roe, Senior Advisor at Acme Wealth. Call me at (260) 555-0144.",
    )
    notebook = Notebook()

    whole = (await intake(mail, notebook, Tools(own=OwnFirm(), model=guarded.guard))).extraction

    (issue,) = whole.issues
    assert (whole.engine, whole.model, whole.prompt_version) == ("patterns", None, None)
    assert issue.code == "model_unavailable"
    assert issue.message == (
        "The language model has been out of reach since 22 November, 14:00 UTC and was not asked."
        " The fields are from the rules alone."
    )
    assert whole.people[0].text("contact", "email") == "jane.roe@acmewealth.example"
    told = next(event for event in notebook.events if event.type == "validation_result")
    assert (told.engine, told.model) == ("patterns", None)
