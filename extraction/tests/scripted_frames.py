"""The frames that OpenAI's two streaming APIs send for a script: those before the text, the text, those after it.

Shapes: OpenAI's OpenAPI, schemas `ResponseStreamEvent` and `CreateChatCompletionStreamResponse`; a test checks them.
"""

from dataclasses import dataclass
from typing import Any

REFUSALS = {  # before the first byte: status and code
    "rate_limited": (429, "rate_limit_exceeded"),  # with Retry-After
    "server_error": (500, "server_error"),
    "bad_key": (401, "invalid_api_key"),
    "unknown_model": (404, "model_not_found"),
    "too_long": (400, "context_length_exceeded"),
}
FAULTS = (
    *REFUSALS,
    "silent",  # takes the request and never answers
    "stall",  # stops half-way and keeps the connection
    "cut",  # TCP reset half-way
    "clean_end",  # ends half-way as if all were well
    "incomplete",  # out of tokens
    "filtered",  # stopped by the content filter half-way
    "failed",
    "error_event",
    "refusal",
    "truncated_json",  # half an answer, and "completed" all the same
    "bad_frame",  # a data line that is no JSON
)
HALF_WAY = frozenset(FAULTS) - {*REFUSALS, "silent", "refusal"}
TOKEN = 4  # characters; the usual rule of thumb


@dataclass
class Frames:
    before: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    after: list[dict[str, Any]]


def pieces_of(answer: str, fault: str | None) -> list[str]:
    pieces = [answer[at : at + TOKEN] for at in range(0, len(answer), TOKEN)]
    return pieces[: len(pieces) // 2] if fault in HALF_WAY else pieces


# ---------------------------------------------------------------- Responses


def responses_frames(pieces: list[str], fault: str | None, model: str) -> Frames:
    text = "".join(pieces)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    before: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response("in_progress", model)},
        {"type": "response.in_progress", "response": _response("in_progress", model)},
        {"type": "response.output_item.added", "output_index": 0, "item": _message([], "in_progress")},
        {"type": "response.content_part.added", **place, "part": _part("")},
    ]
    if fault == "refusal":
        no = "I cannot help with that."
        refused = [
            {"type": "response.refusal.delta", **place, "delta": no},
            {"type": "response.refusal.done", **place, "refusal": no},
        ]
        return _counted(Frames(before, [], [*refused, _ending("completed", model, usage=_usage(6))]))
    texts = [{"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []} for piece in pieces]
    done = [
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _part(text)},
        {"type": "response.output_item.done", "output_index": 0, "item": _message([_part(text)], "completed")},
        _ending("completed", model, output=[_message([_part(text)], "completed")], usage=_usage(len(pieces))),
    ]
    return _counted(Frames(before, texts, _after_response(fault, done, model)))


def _after_response(fault: str | None, done: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    match fault:
        case "incomplete":
            reason = {"reason": "max_output_tokens"}
            return [_ending("incomplete", model, incomplete_details=reason, usage=_usage(16_000))]
        case "filtered":
            return [_ending("incomplete", model, incomplete_details={"reason": "content_filter"})]
        case "failed":
            return [_ending("failed", model, error={"code": "server_error", "message": "The server had an error."})]
        case "error_event":
            return [{"type": "error", "code": "rate_limit_exceeded", "message": "Slow down.", "param": None}]
        case None | "truncated_json":
            return done
    return []


def _counted(frames: Frames) -> Frames:
    for number, frame in enumerate([*frames.before, *frames.texts, *frames.after]):
        frame["sequence_number"] = number
    return frames


def _ending(status: str, model: str, **known: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": _response(status, model, **known)}


def _response(status: str, model: str, **known: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_795_356_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    } | known


def _message(content: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(output: int) -> dict[str, Any]:
    return {
        "input_tokens": 2000,
        "input_tokens_details": {"cached_tokens": 1536, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 2000 + output,
    }


# ---------------------------------------------------------------- Chat Completions


def chat_frames(pieces: list[str], fault: str | None, model: str, azure: bool) -> Frames:
    before = [_chunk(model, [_choice({"role": "assistant", "content": "", "refusal": None})])]
    if azure:
        first = _chunk("", []) | {
            "id": "",
            "object": "chat.completion.chunk",
            "created": 0,
            "prompt_filter_results": [],
        }
        before.insert(0, first)
    texts = [_chunk(model, [_choice({"content": piece})]) for piece in pieces]
    usage = _chunk(model, []) | {"usage": _chat_usage(len(pieces))}
    match fault:
        case None | "truncated_json":
            after = [_chunk(model, [_choice({}, "stop")]), usage]
        case "refusal":
            texts = []
            usage = _chunk(model, []) | {"usage": _chat_usage(6)}
            after = [_chunk(model, [_choice({"refusal": "I cannot."})]), _chunk(model, [_choice({}, "stop")]), usage]
        case "incomplete":
            usage = _chunk(model, []) | {"usage": _chat_usage(16_000)}
            after = [_chunk(model, [_choice({}, "length")]), usage]
        case "filtered":
            after = [_chunk(model, [_choice({}, "content_filter")]), usage]
        case "failed":
            after = [{"error": _error("server_error")}]
        case "error_event":
            after = [{"error": _error("rate_limit_exceeded")}]
        case _:
            after = []
    return Frames(before, texts, after)


def _chunk(model: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_795_356_000,
        "model": model,
        "choices": choices,
    }


def _choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _error(code: str) -> dict[str, Any]:
    return {"message": "Words that nobody is to see.", "type": "error", "code": code, "param": None}


def _chat_usage(output: int) -> dict[str, Any]:
    return {
        "prompt_tokens": 2000,
        "completion_tokens": output,
        "total_tokens": 2000 + output,
        "prompt_tokens_details": {"cached_tokens": 1536},
    }
