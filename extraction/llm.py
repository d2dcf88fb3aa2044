"""The language model: OpenAI's Responses or Chat Completions at any address, as a `LanguageModel`.

The SDK builds the request and knows its errors; the body is read as raw bytes. What failed before the first byte is
asked once more, when that costs no waiting to speak of; after it nothing is: what was told cannot be taken back.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from email.utils import mktime_tz, parsedate_tz
from typing import Any

import httpx2
import openai
from openai import AsyncAPIResponse, AsyncOpenAI

from extraction.answer_stream import Api, ChatTelling, DataLines, ResponsesTelling, Telling, failure_for
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
from extraction.paced_http import PacedTransport
from extraction.ports import Prompt
from extraction.prices import Prices
from extraction.types import Usage

OPENAI_URL = "https://api.openai.com/v1"
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
ANSWER_SECONDS = 60.0
TRIES_AGAIN = 1
PAUSE_SECONDS = 0.5  # before the second try, where the service does not name a time
MOST_PAUSE_SECONDS = 2.0  # who is told to wait longer leaves it to the next mail
MAX_ANSWER = 1_000_000  # characters
MAX_OUTPUT_TOKENS = 16_000  # with those for reasoning; some forty people
CLOSING_SECONDS = 0.2  # for the last bytes after a whole answer, so that the connection can be used again


class OpenAiModel:
    """Keeps the promise of `ports.LanguageModel`. One for a whole process: it holds the connections."""

    def __init__(
        self,
        client: AsyncOpenAI,
        model: str,
        api: Api = "responses",
        prices: Prices | None = None,
        deadline: float = ANSWER_SECONDS,
        tries_again: int = TRIES_AGAIN,
    ) -> None:
        self.name = model
        self._client = client
        self._api = api
        self._prices = prices
        self._deadline = deadline
        self._tries_again = tries_again

    @classmethod
    def connect(
        cls,
        api_key: str | None,
        base_url: str | None,
        api: Api,
        model: str,
        timeout: float = SILENCE_SECONDS,
        prices: Prices | None = None,
        deadline: float = ANSWER_SECONDS,
        tries_again: int = TRIES_AGAIN,
    ) -> "OpenAiModel":
        """`timeout`: the longest silence in seconds, `deadline`: the time for the whole answer. Takes some 40 ms for
        the TLS context: call it off the loop."""
        client = AsyncOpenAI(
            api_key=api_key or "none",  # a server of one's own needs none, the SDK does
            base_url=base_url or OPENAI_URL,  # else the SDK asks the environment
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
            max_retries=0,  # its own tries would wait for as long as a server likes, with the user in front of it
            http_client=httpx2.AsyncClient(transport=PacedTransport(deadline), follow_redirects=True),
        )
        return cls(client, model, api, prices, deadline, tries_again)

    def named(self, model: str, prices: Prices | None) -> "OpenAiModel":
        """Another model at the same address, over the same connections."""
        return OpenAiModel(self._client, model, self._api, prices, self._deadline, self._tries_again)

    async def close(self) -> None:
        await self._client.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        """See `ports.LanguageModel.stream`. Nothing is read while the caller is busy: what comes in meanwhile goes out
        as one string."""
        telling: Telling = ResponsesTelling() if self._api == "responses" else ChatTelling()
        failure: ModelError | None = None
        try:
            async with AsyncExitStack() as held:
                async with asyncio.timeout(self._deadline):
                    response = await self._first_byte(prompt, held)
                async for text in _texts(response.iter_bytes(), telling):
                    yield text
        except ModelError as error:
            failure = error
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            failure = _translated(error)
            failure.__cause__ = error
        except TimeoutError as error:
            failure = ModelTooSlow()
            failure.__cause__ = error
        yield self._priced(telling.usage) if telling.usage else Usage()
        if failure:
            raise failure

    async def _first_byte(self, prompt: Prompt, held: AsyncExitStack) -> AsyncAPIResponse[Any]:
        for _ in range(self._tries_again):
            try:
                return await held.enter_async_context(self._asked(prompt))
            except openai.APIError as error:
                if (pause := _pause_before_another_try(_translated(error))) is None:
                    raise
            await asyncio.sleep(pause)
        return await held.enter_async_context(self._asked(prompt))

    def _asked(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncAPIResponse[Any]]:
        if self._api == "responses":
            return self._client.responses.with_streaming_response.create(**responses_request(prompt, self.name))
        return self._client.chat.completions.with_streaming_response.create(**chat_request(prompt, self.name))

    def _priced(self, usage: Usage) -> Usage:
        return self._prices.priced(usage) if self._prices else usage


async def _texts(chunks: AsyncIterator[bytes], telling: Telling) -> AsyncGenerator[str, None]:
    """The answer's text, all that came together as one string. Raises `ModelError` unless the answer is whole."""
    lines, size = DataLines(), 0
    async for chunk in chunks:
        texts: list[str] = []
        failure: ModelError | None = None
        try:
            texts += filter(None, map(telling.take, lines.feed(chunk)))
        except ModelError as error:
            failure = error
        if text := "".join(texts):
            size += len(text)
            yield text
        if failure or size > MAX_ANSWER:
            raise failure or ModelError()
        if telling.ended:
            break
    if telling.failure or not telling.whole:
        raise telling.failure or ModelIncomplete()
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(CLOSING_SECONDS):
            async for _ in chunks:
                pass


# ---------------------------------------------------------------- what is asked


def responses_request(prompt: Prompt, model: str) -> dict[str, Any]:
    """The body of `POST /responses`."""
    shape = {"type": "json_schema", "name": "intake", "strict": True, "schema": prompt.schema}
    request = {
        "model": model,
        "instructions": prompt.system,
        "input": prompt.user,
        "text": {"format": shape},
        "store": False,
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "prompt_cache_key": _cache_key(prompt),
    }
    if _is_gpt_5(model):
        request["text"] = {"format": shape, "verbosity": "low"}
        request |= {"reasoning": {"effort": "minimal"}, "max_output_tokens": MAX_OUTPUT_TOKENS}
    return request


def chat_request(prompt: Prompt, model: str) -> dict[str, Any]:
    """The body of `POST /chat/completions`."""
    request = {
        "model": model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "intake", "strict": True, "schema": prompt.schema},
        },
        "store": False,
        "stream": True,
        "stream_options": {"include_usage": True},
        "prompt_cache_key": _cache_key(prompt),
    }
    if _is_gpt_5(model):
        request |= {"reasoning_effort": "minimal", "verbosity": "low", "max_completion_tokens": MAX_OUTPUT_TOKENS}
    return request


def _is_gpt_5(model: str) -> bool:
    """Models that reason, and refuse a temperature. Others refuse these keys instead."""
    return model.startswith("gpt-5")


def _cache_key(prompt: Prompt) -> str:
    return f"well-intake-{prompt.version}"


# ---------------------------------------------------------------- how it fails


def _translated(error: openai.OpenAIError | httpx2.HTTPError) -> ModelError:
    """A library's failure in our words; nothing of its text, which may quote the request."""
    match error:
        case openai.RateLimitError():
            return ModelRateLimited(retry_after=retry_after(error.response.headers))
        case openai.APIStatusError(status_code=status, code=code):
            if status >= 500 or status in (408, 409):
                return ModelUnavailable(retry_after=retry_after(error.response.headers))
            named = failure_for(code)
            return named if isinstance(named, ModelRefused | ModelOverfilled) else ModelRejected()
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return ModelTooSlow()
        case openai.APIConnectionError() | httpx2.HTTPError():
            return ModelUnavailable()
    return ModelError()


def _pause_before_another_try(failure: ModelError) -> float | None:
    """Seconds, or None when another try would keep the user waiting or fail again."""
    if not isinstance(failure, ModelUnavailable | ModelRateLimited) or isinstance(failure, ModelTooSlow):
        return None
    pause = PAUSE_SECONDS if failure.retry_after is None else failure.retry_after
    return pause if pause <= MOST_PAUSE_SECONDS else None


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds, as OpenAI and Azure say them (`retry-after-ms`) or as HTTP does (seconds or a date)."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(KeyError, ValueError):
            seconds = float(headers[name]) / unit
            return max(0.0, seconds) if math.isfinite(seconds) else None
    date = parsedate_tz(headers.get("retry-after", ""))
    return max(0.0, mktime_tz(date) - time.time()) if date else None
