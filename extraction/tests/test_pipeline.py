"""The pipeline with a real socket to a scripted model: the order of what is told, and every fault of the model."""

import asyncio
from datetime import date

import pytest

from extraction.errors import ModelError
from extraction.events import ExtractionField, ExtractionToken
from extraction.llm import OpenAiModel
from extraction.notebook import Notebook
from extraction.pipeline import RESEARCH_GRACE_SECONDS, Intake, Tools, intake
from extraction.tests.scripted_openai import KEY, Script, ScriptedOpenAi, answer_for
from extraction.types import Email, OwnFirm

MAIL = Email(
    sender_email="jane.roe@acmewealth.example",
    sender_name="Jane Roe",
    subject="Interested in a new role",
    body=(
        "Hello,\n\nmy name is Jane Roe, I am a Senior Financial Advisor at Acme Wealth in Fort Wayne, Indiana.\n"
        "I manage $120M AUM. You can reach me at (260) 555-0144.\n\nBest regards,\nJane Roe\n"
    ),
)
JANE = {"full_name": "Jane Roe", "email": "jane.roe@acmewealth.example", "title": "Senior Financial Advisor"}


async def run(
    script: Script | None = None, api="responses", research=None, email=MAIL, **tools
) -> tuple[Intake, Notebook]:
    notebook = Notebook()
    own = OwnFirm(domains=frozenset({"well.example"}))
    if script is None:
        found = await intake(email, notebook, Tools(own=own, research=research, **tools))
        return found, notebook
    async with ScriptedOpenAi.serving(script) as server:
        patience = 0.5 if script.fault in ("silent", "stall") else 20
        model = OpenAiModel.connect(api_key=KEY, base_url=server.url, api=api, model="gpt-5-mini", timeout=patience)
        found = await intake(email, notebook, Tools(own=own, model=model, research=research, **tools))
    return found, notebook


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("rate_limited", "model_rate_limited"),
        ("server_error", "model_unavailable"),
        ("bad_key", "model_rejected"),
        ("unknown_model", "model_rejected"),
        ("too_long", "model_overfilled"),
        ("silent", "model_unavailable"),
        ("stall", "model_unavailable"),
        ("cut", "model_unavailable"),
        ("clean_end", "model_incomplete"),
        ("incomplete", "model_incomplete"),
        ("filtered", "model_refused"),
        ("refusal", "model_refused"),
        ("truncated_json", "model_malformed"),
    ],
)
async def test_whatever_the_model_does_the_patterns_stand_and_the_fault_is_named(api, fault, code):
    script = Script(answer_for([JANE]), fault=fault)

    found, notebook = await run(script, api)

    person = found.extraction.people[0]
    assert found.extraction.engine == "patterns"
    assert [issue.code for issue in found.extraction.issues] == [code]
    assert (person.text("contact", "email"), person.text("contact", "city")) == (JANE["email"], "Fort Wayne")
    assert notebook.events[-1].type == "validation_result"


async def test_agreement_makes_surer():
    alone, _ = await run()
    together, notebook = await run(Script(answer_for([JANE])))

    first, second = (found.extraction.people[0].get("contact", "title") for found in (alone, together))
    assert first.value == second.value == "Senior Financial Advisor"
    assert second.confidence > first.confidence
    assert together.extraction.engine == "model"
    titles = [e for e in notebook.events if isinstance(e, ExtractionField) and e.field == "title"]
    assert {event.origin for event in titles} == {"pattern"}


async def test_of_two_that_differ_the_other_stays_as_an_alternative():
    found, _ = await run(Script(answer_for([JANE | {"city": "Acme"}])))

    city = found.extraction.people[0].get("contact", "city")
    assert {city.value, *(other.value for other in city.alternatives)} == {"Fort Wayne", "Acme"}


async def test_what_is_not_in_the_mail_never_replaces_what_is():
    found, _ = await run(Script(answer_for([JANE | {"city": "Honolulu", "phone": "+1 808 555 0199"}])))

    person = found.extraction.people[0]
    assert person.text("contact", "city") == "Fort Wayne"
    assert person.text("contact", "phone") == "+12605550144"


async def test_placeholders_are_no_values():
    found, _ = await run(Script(answer_for([JANE | {"linkedin_url": "N/A", "availability": "Unknown"}])))

    person = found.extraction.people[0]
    assert person.get("contact", "linkedin_url") is None
    assert person.get("deal", "availability") is None


async def test_a_second_person_of_the_model_gets_a_place_of_their_own():
    other = {"full_name": "Ann Lee", "email": "ann.lee@acmewealth.example"}
    email = MAIL.model_copy(
        update={"body": MAIL.body.replace("\n\nBest", "\nMy associate Ann Lee would come, too.\n\nBest")}
    )
    found, _ = await run(Script(answer_for([other, JANE])), email=email)

    names = [person.text("contact", "full_name") for person in found.extraction.people]
    assert names[0] == "Jane Roe"
    assert "Ann Lee" in names


async def test_tokens_are_the_models_text_and_come_before_validation():
    answer = answer_for([JANE])
    _, notebook = await run(Script(answer))

    kinds = [event.type for event in notebook.events]
    assert "".join(event.token for event in notebook.events if isinstance(event, ExtractionToken)) == answer
    assert kinds.index("extraction_field") < kinds.index("extraction_token") < kinds.index("validation_start")
    assert (notebook.events[0].type, notebook.events[0].language) == ("extraction_start", "en")


async def test_the_users_values_win_over_everybody():
    given = {"people": [{"index": 0, "contact": {"city": "Austin", "state": "TX"}}]}
    email = Email.model_validate(MAIL.model_dump(exclude_unset=True) | {"user_corrections": given})

    found, _ = await run(Script(answer_for([JANE | {"city": "Fort Wayne"}])), email=email)

    person = found.extraction.people[0]
    assert person.get("contact", "city").origin == "user"
    assert person.text("deal", "location") == "Austin, TX"
    assert "(Austin, TX)" in person.text("deal", "deal_name")


class Finder:
    """Research that takes its time."""

    async def close(self) -> None:
        pass

    def __init__(self, seconds: float = 0.0, facts=None) -> None:
        self.seconds, self.facts, self.asked = seconds, facts, []

    async def find(self, domain: str):
        self.asked.append(domain)
        await asyncio.sleep(self.seconds)
        return self.facts


async def test_research_starts_from_the_domain_and_adds_what_the_mail_leaves_open():
    finder = Finder(facts={"website": "acmewealth.example", "industry": "Wealth management"})

    found, notebook = await run(research=finder)

    person = found.extraction.people[0]
    assert finder.asked == ["acmewealth.example"]
    assert person.get("company", "industry").origin == "research"
    assert [e.type for e in notebook.events if e.type.startswith("research")] == ["research_start", "research_result"]


async def test_slow_research_never_stands_in_the_way():
    async with asyncio.timeout(RESEARCH_GRACE_SECONDS + 20):
        found, notebook = await run(research=Finder(seconds=60))

    (result,) = [event for event in notebook.events if event.type == "research_result"]
    assert result.status == "timeout"
    assert found.extraction.people


async def test_stopping_the_run_stops_research_and_is_no_time_out():
    finder = Finder(seconds=60)
    task = asyncio.create_task(run(research=finder))
    while not finder.asked:
        await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nobody_to_file_asks_no_model_and_says_why():
    email = Email(
        sender_email="mailer-daemon@x.example", subject="Undelivered Mail Returned to Sender", body="550 no such user"
    )

    found, notebook = await run(Script(answer_for([JANE])), email=email)

    assert found.extraction.intent == "none"
    assert found.extraction.reason
    assert not any(isinstance(event, ExtractionToken) for event in notebook.events)


async def test_the_same_story_as_a_graph():
    from extraction.graph import intake_by_graph, picture

    own = OwnFirm(domains=frozenset({"well.example"}))
    stories = []
    async with ScriptedOpenAi.serving(Script(answer_for([JANE]))) as server:
        model = OpenAiModel.connect(api_key=KEY, base_url=server.url, api="responses", model="gpt-5-mini", timeout=20)
        for told_by in (intake, intake_by_graph):
            notebook = Notebook()
            found = await told_by(MAIL, notebook, Tools(own=own, model=model, today=lambda: date(2026, 11, 24)))
            tokens = "".join(event.token for event in notebook.events if isinstance(event, ExtractionToken))
            told = [event for event in notebook.events if not isinstance(event, ExtractionToken)]
            stories.append((found.extraction, tokens, told))

    assert stories[0] == stories[1]
    assert "patterns" in picture()


def test_every_error_of_the_model_has_words_of_its_own():
    kinds = [ModelError, *ModelError.__subclasses__()]

    assert len({kind.code for kind in kinds if "code" in kind.__dict__}) == len(
        [k for k in kinds if "code" in k.__dict__]
    )
    assert all(kind.message.endswith(".") for kind in kinds)
