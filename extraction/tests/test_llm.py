"""The model adapter against a real server on a socket: what it yields, how it fails, what it leaves behind."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx2
import pytest

from extraction.errors import (
    ModelError,
    ModelIncomplete,
    ModelOverfilled,
    ModelRateLimited,
    ModelRefused,
    ModelRejected,
    ModelTooSlow,
    ModelUnavailable,
)
from extraction.llm import OpenAiModel, retry_after
from extraction.ports import Prompt
from extraction.prices import Prices
from extraction.prompt import SCHEMA
from extraction.reader import FieldReader, MalformedAnswer
from extraction.tests.scripted_frames import TOKEN
from extraction.tests.scripted_openai import KEY, Script, ScriptedOpenAi, answer_for
from extraction.types import Usage

PROMPT = Prompt(system="Read the mail.", user="1| Hello", version="7", schema=SCHEMA)
ANSWER = answer_for([{"full_name": "Zoë Ōkubo 😀", "licenses": ["Series 7", "SIE"]}])

both_apis = pytest.mark.parametrize("api", ["responses", "chat"])


@asynccontextmanager
async def model_of(server: ScriptedOpenAi, api: Any, **settings: Any) -> AsyncIterator[OpenAiModel]:
    given = {"api_key": KEY, "base_url": server.url, "model": "gpt-5-mini", "timeout": 2.0, "tries_again": 0} | settings
    model = await asyncio.to_thread(lambda: OpenAiModel.connect(api=api, **given))
    try:
        yield model
    finally:
        await model.close()


async def heard(model: OpenAiModel) -> tuple[list[str], Usage]:
    *texts, usage = [piece async for piece in model.stream(PROMPT)]
    assert isinstance(usage, Usage)
    return [text for text in texts if isinstance(text, str)], usage


async def heard_until_it_failed(model: OpenAiModel, kind: type[ModelError] = ModelError) -> tuple[str, Usage]:
    said, usage = "", None
    with pytest.raises(kind):
        async for piece in model.stream(PROMPT):
            if isinstance(piece, str):
                said += piece
            else:
                usage = piece
    assert usage
    return said, usage


@both_apis
async def test_the_whole_answer_comes_as_text_and_then_what_it_took(api):
    async with ScriptedOpenAi.serving(Script(ANSWER)) as server, model_of(server, api) as model:
        texts, usage = await heard(model)

    assert "".join(texts) == ANSWER
    assert usage == Usage(input_tokens=2000, cached_tokens=1536, output_tokens=-(-len(ANSWER) // 4), cost=None)


@both_apis
async def test_the_cost_follows_from_the_prices(api):
    prices = Prices(input=1.0, cached=0.5, output=4.0)
    async with ScriptedOpenAi.serving(Script("x" * 400)) as server, model_of(server, api, prices=prices) as model:
        _, usage = await heard(model)

    assert usage.cost == pytest.approx((464 * 1.0 + 1536 * 0.5 + 100 * 4.0) / 1_000_000)


@both_apis
async def test_text_is_told_while_the_answer_is_still_being_written(api):
    paced = Script(ANSWER, tokens_per_second=200)
    async with ScriptedOpenAi.serving(paced, stamped=True) as server, model_of(server, api) as model:
        arrivals, length = [], 0
        async for piece in model.stream(PROMPT):
            if isinstance(piece, str):
                length += len(piece)
                arrivals.append((length, time.monotonic()))

        sent = {length: at for _, length, at in server.sent}
        assert len(arrivals) > len(sent) // 10  # not all at once
        assert min(at - sent[length] for length, at in arrivals) < 1.0  # far from the end of the answer


@both_apis
async def test_what_piles_up_while_the_caller_is_busy_comes_as_one_string(api):
    async with ScriptedOpenAi.serving(Script(ANSWER, tokens_per_second=2000)) as server, model_of(server, api) as model:
        texts: list[str] = []
        async for piece in model.stream(PROMPT):
            if isinstance(piece, str):
                texts.append(piece)
                await asyncio.sleep(0.1)

    assert "".join(texts) == ANSWER
    assert len(texts) < len(ANSWER) / TOKEN / 3


@both_apis
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limited", ModelRateLimited),
        ("server_error", ModelUnavailable),
        ("bad_key", ModelRejected),
        ("unknown_model", ModelRejected),
        ("too_long", ModelOverfilled),
        ("silent", ModelTooSlow),
        ("stall", ModelTooSlow),
        ("cut", ModelUnavailable),
        ("clean_end", ModelIncomplete),
        ("incomplete", ModelIncomplete),
        ("filtered", ModelRefused),
        ("failed", ModelUnavailable),
        ("error_event", ModelRateLimited),
        ("refusal", ModelRefused),
        ("bad_frame", ModelError),
    ],
)
async def test_every_failure_is_told_in_our_own_words(api, fault, kind):
    async with (
        ScriptedOpenAi.serving(Script(ANSWER, fault=fault)) as server,
        model_of(server, api, timeout=0.3 if fault in ("silent", "stall") else 20) as model,
    ):
        with pytest.raises(ModelError) as failure:
            await heard(model)

    assert type(failure.value) is kind
    assert str(failure.value) == kind.message


@both_apis
@pytest.mark.parametrize("fault", ["cut", "clean_end", "incomplete", "failed", "error_event", "stall"])
async def test_what_was_said_before_the_failure_is_not_lost(api, fault):
    async with (
        ScriptedOpenAi.serving(Script(ANSWER, fault=fault)) as server,
        model_of(server, api, timeout=0.3 if fault in ("silent", "stall") else 20) as model,
    ):
        said, _ = await heard_until_it_failed(model)

    assert ANSWER.startswith(said)
    assert len(said) > len(ANSWER) // 3


@both_apis
async def test_half_an_answer_that_calls_itself_complete_is_caught_by_the_reader(api):
    script = Script(ANSWER, fault="truncated_json")
    async with ScriptedOpenAi.serving(script) as server, model_of(server, api) as model:
        texts, _ = await heard(model)
    reader = FieldReader()
    reader.feed("".join(texts))

    with pytest.raises(MalformedAnswer):
        reader.finish()


@both_apis
async def test_a_wrong_key_is_no_use_trying_again(api):
    async with ScriptedOpenAi.serving() as server, model_of(server, api, api_key="wrong", tries_again=2) as model:
        with pytest.raises(ModelRejected) as failure:
            await heard(model)

    assert not failure.value.retryable
    assert "library" not in str(failure.value)
    assert failure.value.__cause__ is not None


async def test_an_address_without_the_api_is_a_rejected_request():
    async with ScriptedOpenAi.serving() as server, model_of(server, "chat", base_url=f"{server.url}/no") as model:
        with pytest.raises(ModelRejected):
            await heard(model)


async def test_nobody_at_the_address_is_an_unavailable_model():
    async with ScriptedOpenAi.serving() as server:
        url = server.url
    async with model_of(server, "responses", base_url=url) as model:
        with pytest.raises(ModelUnavailable):
            await heard(model)


@both_apis
@pytest.mark.parametrize("fault", ["rate_limited", "server_error"])
async def test_a_failure_before_the_first_byte_is_tried_again(api, fault):
    async with ScriptedOpenAi.serving() as server, model_of(server, api, tries_again=1) as model:
        server.scripts.append(Script(fault=fault, retry_after=0.01))
        server.scripts.append(Script(ANSWER))
        texts, _ = await heard(model)

    assert "".join(texts) == ANSWER
    assert len(server.requests) == 2


@both_apis
async def test_who_is_told_to_come_back_later_is_not_kept_waiting(api):
    async with (
        ScriptedOpenAi.serving(Script(fault="rate_limited", retry_after=30)) as server,
        model_of(server, api, tries_again=1) as model,
    ):
        with pytest.raises(ModelRateLimited) as failure:
            await heard(model)

    assert len(server.requests) == 1
    assert failure.value.retry_after == 30


@both_apis
async def test_silence_is_waited_for_once(api):
    async with (
        ScriptedOpenAi.serving(Script(fault="silent")) as server,
        model_of(server, api, timeout=0.3, tries_again=1) as model,
    ):
        with pytest.raises(ModelTooSlow):
            await heard(model)

    assert len(server.requests) == 1


@both_apis
async def test_an_answer_that_never_ends_is_too_slow_though_it_is_never_silent(api):
    script = Script(ANSWER, tokens_per_second=20)
    async with ScriptedOpenAi.serving(script) as server, model_of(server, api, deadline=0.5) as model:
        said, _ = await heard_until_it_failed(model, ModelTooSlow)
        await asyncio.wait_for(server.disconnected.wait(), 20)

    assert said
    assert ANSWER.startswith(said)


@both_apis
@pytest.mark.parametrize(("fault", "output"), [("refusal", 6), ("incomplete", 16_000)])
async def test_an_answer_that_failed_was_paid_for_too(api, fault, output):
    async with (
        ScriptedOpenAi.serving(Script(ANSWER, fault=fault)) as server,
        model_of(server, api, prices=Prices(0, 0, 1.0)) as model,
    ):
        _, usage = await heard_until_it_failed(model)

    assert usage == Usage(
        input_tokens=2000, cached_tokens=1536, output_tokens=output, cost=output / 1_000_000, currency="USD"
    )


@both_apis
async def test_what_nobody_counted_costs_nothing_that_we_know_of(api):
    async with (
        ScriptedOpenAi.serving(Script(ANSWER, fault="cut")) as server,
        model_of(server, api, prices=Prices(1, 1, 1)) as model,
    ):
        _, usage = await heard_until_it_failed(model, ModelUnavailable)

    assert usage.cost is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": "12", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-1"}, 0),
        ({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_when_to_come_back_is_said_in_several_ways(headers, seconds):
    assert retry_after(httpx2.Headers(headers)) == seconds


async def test_another_model_is_asked_over_the_same_connections_at_its_own_price():
    async with ScriptedOpenAi.serving(Script(ANSWER)) as server, model_of(server, "responses") as model:
        other = model.named("gpt-5", Prices(0, 0, 1.0))
        await heard(model)
        _, usage = await heard(other)

    assert [request.body["model"] for request in server.requests] == ["gpt-5-mini", "gpt-5"]
    assert server.connections == 1
    assert usage.cost


@both_apis
async def test_nothing_is_tried_again_after_the_first_byte(api):
    script = Script(ANSWER, fault="cut")
    async with ScriptedOpenAi.serving(script) as server, model_of(server, api, tries_again=2) as model:
        with pytest.raises(ModelUnavailable):
            await heard(model)

    assert len(server.requests) == 1


@both_apis
async def test_closing_early_closes_the_connection(api):
    async with ScriptedOpenAi.serving(Script(ANSWER, fault="stall")) as server, model_of(server, api) as model:
        async with aclosing(model.stream(PROMPT)) as stream:
            await anext(stream)
        await asyncio.wait_for(server.disconnected.wait(), 20)

    assert server.disconnects == 1


@both_apis
async def test_a_cancelled_caller_leaves_no_request_behind(api):
    async with ScriptedOpenAi.serving(Script(fault="silent")) as server, model_of(server, api) as model:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await heard(model)
        await asyncio.wait_for(server.disconnected.wait(), 20)
        others = [task for task in asyncio.all_tasks() if "OpenAiModel" in repr(task.get_coro())]

    assert others == []


@both_apis
async def test_a_whole_answer_leaves_the_connection_fit_for_the_next(api):
    async with ScriptedOpenAi.serving(Script(ANSWER)) as server, model_of(server, api) as model:
        for _ in range(3):
            await heard(model)

    assert (len(server.requests), server.connections) == (3, 1)


async def test_azures_first_chunk_without_choices_is_fine():
    async with ScriptedOpenAi.serving(Script(ANSWER, azure=True)) as server, model_of(server, "chat") as model:
        texts, _ = await heard(model)

    assert "".join(texts) == ANSWER


@both_apis
async def test_a_model_that_does_not_reason_is_not_asked_about_reasoning(api):
    async with ScriptedOpenAi.serving() as server, model_of(server, api, model="llama-3") as model:
        await heard(model)

    asked = json.dumps(server.requests[0].body)
    assert "reasoning" not in asked
    assert "verbosity" not in asked
    assert "temperature" not in asked
