"""The model adapter, the reader and the schema against a real model: protocol, order and shape, never content.

The model is free to say whatever the grammar of our schema lets it say; how long its texts are it decides, so only the
answer of a schema with bounded texts is sure to be whole.
"""

import asyncio
import json
from contextlib import aclosing, asynccontextmanager

import pytest
from jsonschema import Draft202012Validator

from extraction.errors import ModelIncomplete, ModelRejected
from extraction.events import ExtractionToken
from extraction.llm import OpenAiModel
from extraction.mime import letter_from
from extraction.notebook import Notebook
from extraction.patterns import understand
from extraction.pipeline import Tools, intake
from extraction.ports import Prompt
from extraction.prompt import SCHEMA, prompt_for
from extraction.reader import FieldReader, MalformedAnswer
from extraction.tests.letters import OWN
from extraction.types import Email, Usage

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]

MAIL = Email(
    sender_email="jane.roe@acmewealth.example",
    sender_name="Jane Roe",
    subject="Hello",
    body="I am Jane Roe, a Senior Advisor at Acme Wealth in Fort Wayne, Indiana.\n\nBest,\nJane Roe",
)
TEXT = {"type": "object", "properties": {"value": {"type": "string", "maxLength": 20}, "line": {"enum": [1, 2, 3]}}}
FOUND = TEXT | {"required": ["value", "line"], "additionalProperties": False}
PERSON = {"type": "object", "properties": {"full_name": FOUND, "email": {"anyOf": [FOUND, {"type": "null"}]}}}
PERSON |= {"required": ["full_name", "email"], "additionalProperties": False}
BOUNDED = {
    "type": "object",
    "properties": {
        "intent": {"type": "string", "enum": ["candidate", "client"]},
        "people": {"type": "array", "items": PERSON, "minItems": 1, "maxItems": 2},
    },
    "required": ["intent", "people"],
    "additionalProperties": False,
}
SHORT = Prompt(system="Give the people of the mail as JSON.", user="1| I am Jane Roe.", version="1", schema=BOUNDED)


@asynccontextmanager
async def connected(server):
    model = await asyncio.to_thread(
        lambda: OpenAiModel.connect(None, server.url, api="chat", model="smollm2", timeout=120, tries_again=0)
    )
    try:
        yield model
    finally:
        await model.close()


async def test_a_whole_answer_streams_in_keeps_its_schema_and_says_what_it_took(small_model):
    async with connected(small_model(tokens=1500)) as model:
        *texts, usage = [piece async for piece in model.stream(SHORT)]

    Draft202012Validator(BOUNDED).validate(json.loads("".join(texts)))
    assert len(texts) > 10
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 20
    assert len(texts) <= usage.output_tokens <= 1500


async def test_our_schema_is_a_grammar_that_gives_fields_in_its_order_while_the_answer_is_written(small_model):
    letter = letter_from(MAIL)
    asked = prompt_for(letter, understand(letter, OWN), OWN)
    somebody = SCHEMA["properties"] | {"people": SCHEMA["properties"]["people"] | {"minItems": 1}}
    prompt = Prompt(asked.system, asked.user, asked.version, SCHEMA | {"properties": somebody})
    keys = list(SCHEMA["$defs"]["person"]["properties"])
    reader, found = FieldReader(), []

    async with connected(small_model(tokens=160)) as model:
        try:
            async for piece in model.stream(prompt):
                found += reader.feed(piece) if isinstance(piece, str) else []
        except ModelIncomplete:
            pass  # one person's 26 keys may take longer than the answer may be

    assert [one.path for one in found[:2]] == [("intent",), ("people", 0, "role")]
    of_the_first = [path[2] for path, _ in found if path[:2] == ("people", 0)]
    assert of_the_first == keys[: len(of_the_first)]
    for path, value in found[1:]:
        shape = {"$defs": SCHEMA["$defs"]} | SCHEMA["$defs"]["person"]["properties"][path[2]]
        Draft202012Validator(shape).validate(value)


async def test_the_pipeline_tells_a_whole_answer_and_what_follows_from_it(small_model, monkeypatch):
    monkeypatch.setattr("extraction.prompt.SCHEMA", BOUNDED)
    monkeypatch.setattr("extraction.prompt._INSTRUCTIONS", SHORT.system)  # read in a blink on a slow machine, too
    notebook = Notebook()
    async with connected(small_model(tokens=1500)) as model:
        found = await intake(MAIL, notebook, Tools(own=OWN, model=model))

    kinds = [event.type for event in notebook.events]
    assert (found.extraction.engine, found.extraction.model) == ("model", "smollm2")
    assert found.extraction.usage.output_tokens > 10
    assert kinds.index("extraction_field") < kinds.index("extraction_token") < kinds.index("validation_start")
    told = "".join(event.token for event in notebook.events if isinstance(event, ExtractionToken))
    Draft202012Validator(BOUNDED).validate(json.loads(told))


async def test_an_answer_that_is_cut_is_incomplete_and_what_was_said_is_kept(small_model):
    said = ""
    async with connected(small_model(tokens=12)) as model:
        with pytest.raises(ModelIncomplete):
            async for piece in model.stream(SHORT):
                said += str(piece)

    assert said.lstrip().startswith("{")
    reader = FieldReader()
    reader.feed(said)
    with pytest.raises(MalformedAnswer):
        reader.finish()


async def test_the_model_stops_writing_when_nobody_listens_any_more(small_model):
    server = small_model(tokens=-1)
    endless = Prompt("Tell a story that never ends.", "Begin.", "1", {"type": "array", "minItems": 1000, "items": TEXT})
    async with connected(server) as model:
        async with aclosing(model.stream(endless)) as stream:
            await anext(stream)
            assert server.is_writing()

        async with asyncio.timeout(30):
            while server.is_writing():
                await asyncio.sleep(0.05)


async def test_a_mail_beyond_the_models_memory_is_a_rejected_request(small_model):
    async with connected(small_model(tokens=12)) as model:
        with pytest.raises(ModelRejected):
            async for piece in model.stream(Prompt("Read.", "word " * 20_000, "1", BOUNDED)):
                assert piece == Usage()
