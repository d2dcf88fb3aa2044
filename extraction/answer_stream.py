"""What OpenAI's streams say, without I/O: bytes in, the answer's text out, and whether the answer is whole.

Only what is needed is parsed: the SDK's object per event costs more than everything else on a token's way. Facts:
OpenAI's OpenAPI (`ResponseStreamEvent`, `CreateChatCompletionStreamResponse`); Azure's first chat chunk has no choices.
"""

from collections.abc import Iterator
from typing import Any, Literal, Protocol

import orjson

from extraction.errors import (
    ModelError,
    ModelIncomplete,
    ModelOverfilled,
    ModelRateLimited,
    ModelRefused,
    ModelRejected,
    ModelUnavailable,
)
from extraction.types import Usage

Api = Literal["responses", "chat"]
MAX_LINE = 4_000_000  # bytes; the last event of a response repeats the whole answer


class DataLines:
    """Cuts the bytes of a server-sent event stream into the payloads of its `data:` lines."""

    def __init__(self) -> None:
        self._unfinished = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        if len(self._unfinished) > MAX_LINE:
            raise ModelError
        return (line[5:].strip() for line in lines if line.startswith(b"data:"))


class Telling(Protocol):
    """One answer as a stream tells it. `usage` is None until the stream has said what it took; `failure` is known
    before that, and is raised after it: a refusal is paid for, too."""

    whole: bool
    ended: bool
    failure: ModelError | None
    usage: Usage | None

    def take(self, data: bytes) -> str:
        """The answer's text in one payload, mostly empty. Raises `ModelError` when the answer has failed."""
        ...


class ResponsesTelling:
    """The Responses API. Only `response.completed` is success."""

    def __init__(self) -> None:
        self.whole = self.ended = False
        self.failure: ModelError | None = None
        self.usage: Usage | None = None

    def take(self, data: bytes) -> str:
        event = _event(data)
        response = event.get("response") or {}
        if response.get("usage"):
            self.usage = _usage(response["usage"], "input_tokens", "output_tokens")
        match event.get("type"):
            case "response.output_text.delta":
                return str(event["delta"])
            case "response.completed":
                self.whole = self.ended = True
            case "response.incomplete":
                reason = (response.get("incomplete_details") or {}).get("reason")
                raise ModelRefused if reason == "content_filter" else ModelIncomplete
            case "response.refusal.delta" | "response.refusal.done":
                self.failure = ModelRefused()
            case "response.failed":
                raise failure_for((response.get("error") or {}).get("code"))
            case "error":
                raise failure_for(event.get("code") or (event.get("error") or {}).get("code"))
            case None if "error" in event:
                raise failure_for((event["error"] or {}).get("code"))
        return ""


class ChatTelling:
    """Chat Completions. The answer is whole once the model says that it stopped by itself."""

    def __init__(self) -> None:
        self.whole = self.ended = False
        self.failure: ModelError | None = None
        self.usage: Usage | None = None

    def take(self, data: bytes) -> str:
        if data == b"[DONE]":
            self.ended = True
            return ""
        event = _event(data)
        if event.get("error"):
            raise failure_for(event["error"].get("code"))
        if event.get("usage"):
            self.usage = _usage(event["usage"], "prompt_tokens", "completion_tokens")
        return "".join(self._choice(choice) for choice in event.get("choices") or ())

    def _choice(self, choice: dict[str, Any]) -> str:
        delta = choice.get("delta") or {}
        match choice.get("finish_reason"):
            case None:
                pass
            case "stop":
                self.whole = True
            case "content_filter":
                self.failure = ModelRefused()
            case _:
                self.failure = ModelIncomplete()
        if delta.get("refusal"):
            self.failure = ModelRefused()
        return delta.get("content") or ""


def failure_for(code: object) -> ModelError:
    """OpenAI's error codes (schema `ResponseErrorCode`, and those of HTTP errors) in our words."""
    match code:
        case "rate_limit_exceeded" | "insufficient_quota":
            return ModelRateLimited()
        case "content_filter" | "content_policy_violation" | "bio_policy" | "cyber_policy" | "invalid_prompt":
            return ModelRefused()
        case "context_length_exceeded":
            return ModelOverfilled()
        case "invalid_api_key" | "model_not_found":
            return ModelRejected()
        case "server_error" | "server_overloaded" | "vector_store_timeout":
            return ModelUnavailable()
    return ModelError()


def _event(data: bytes) -> dict[str, Any]:
    try:
        event = orjson.loads(data)
    except ValueError as error:
        raise ModelError from error
    if not isinstance(event, dict):
        raise ModelError
    return event


def _usage(told: dict[str, Any], taken: str, given: str) -> Usage:
    """Both APIs count alike under different names: `input_tokens_details` is `prompt_tokens_details` in the other."""
    details = told.get(f"{taken}_details") or {}
    return Usage(
        input_tokens=told.get(taken) or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        output_tokens=told.get(given) or 0,
    )
