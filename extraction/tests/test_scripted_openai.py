"""The scripted server and our requests against OpenAI's own OpenAPI, when it is there."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from extraction.llm import chat_request, responses_request
from extraction.ports import Prompt
from extraction.prompt import SCHEMA
from extraction.tests.scripted_frames import FAULTS, chat_frames, pieces_of, responses_frames
from extraction.tests.scripted_openai import KEY, answer_for

OPENAPI = Path(__file__).parents[3] / "shared" / "reference" / "openai-openapi.json"
PROMPT = Prompt(system="Read the mail.", user="1| Hello", version="7", schema=SCHEMA)

needs_openapi = pytest.mark.skipif(not OPENAPI.exists(), reason="OpenAI's OpenAPI is not beside the project")


@pytest.fixture(scope="module")
def openai() -> Any:
    components = _nullable(json.loads(OPENAPI.read_text("utf-8"))["components"])

    def check(schema: str, value: Any) -> None:
        rooted = {"$ref": f"#/components/schemas/{schema}", "components": components}
        error = best_match(Draft202012Validator(rooted).iter_errors(value))
        assert error is None, f"{schema}: {error.message[:300]} at {error.json_path}"

    return check


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable`, which parts of the document still use, in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(part) for key, part in schema.items() if key not in ("nullable", "discriminator")}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@needs_openapi
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_every_frame_of_the_responses_api_is_one_that_openai_may_send(openai, fault):
    frames = responses_frames(pieces_of(answer_for(), fault), fault, "gpt-5-mini")

    for frame in [*frames.before, *frames.texts[:3], *frames.after]:
        openai("ResponseStreamEvent", frame)


@needs_openapi
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_every_chunk_of_the_chat_api_is_one_that_openai_may_send(openai, fault):
    frames = chat_frames(pieces_of(answer_for(), fault), fault, "gpt-5-mini", azure=True)

    for frame in [*frames.before, *frames.texts[:3], *frames.after]:
        openai("ErrorResponse" if "error" in frame else "CreateChatCompletionStreamResponse", frame)


@needs_openapi
@pytest.mark.parametrize("model", ["gpt-5-mini", "gpt-4.1", "our-own"])
def test_our_requests_are_ones_that_openai_takes(openai, model):
    openai("CreateResponse", responses_request(PROMPT, model))
    openai("CreateChatCompletionRequest", chat_request(PROMPT, model))


@needs_openapi
def test_the_check_would_notice_a_frame_of_another_shape(openai):
    with pytest.raises(AssertionError):
        openai("ResponseStreamEvent", {"type": "response.output_text.delta", "delta": "x"})
    with pytest.raises(AssertionError):
        openai("CreateResponse", responses_request(PROMPT, "m") | {"store": "no"})


def test_the_scripted_answer_keeps_to_the_schema():
    answer = json.loads(answer_for([{"full_name": "Dana", "licenses": ["SIE"]}, {}]))

    Draft202012Validator(SCHEMA).validate(answer)


async def test_it_runs_as_a_process_and_tells_what_it_saw(tmp_path):
    answer = tmp_path / "answer.json"
    answer.write_text(answer_for([{"full_name": "Zoë"}]), "utf-8")
    module = ["-m", "extraction.tests.scripted_openai", "--port", "0", "--answer", str(answer), "--stamps"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *module, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as http:
            told = await http.post(f"{url}/chat/completions", json=chat_request(PROMPT, "gpt-5-mini"))
            seen = (await http.get(url.removesuffix("/v1") + "/scripted")).json()
    finally:
        process.terminate()
        await process.wait()

    assert told.text.rstrip().endswith("data: [DONE]")
    assert (seen["requests"], seen["sent"][-1][1]) == (1, len(answer.read_text("utf-8")))
