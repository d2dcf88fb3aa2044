"""A server that speaks OpenAI's protocol from a script: paced, faulty on demand, and it remembers what it saw.

In a test: `async with ScriptedOpenAi.serving(Script(answer_for([...]))) as server: … server.url`.
As a process: `python -m extraction.tests.scripted_openai --port 0 --answer FILE [--fault NAME]` prints its URL;
`GET /scripted` then tells what it saw, `POST /scripted` changes the script: `{"fault": null}` heals it.
"""

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from extraction.prompt import SCHEMA
from extraction.tests.scripted_frames import FAULTS, REFUSALS, Frames, chat_frames, pieces_of, responses_frames

KEY = "scripted-key"
DANA = {"full_name": "Marisol Tregenza", "email": "marisol.tregenza@harborwealth.example", "city": "Fort Wayne"}


def answer_for(people: Iterable[dict[str, Any]] = (DANA,), intent: str = "candidate", line: int = 1) -> str:
    """A whole answer by the schema: of each person what is given, null or an empty list for the rest."""
    return json.dumps({"intent": intent, "people": [_whole(person, line) for person in people]}, separators=(",", ":"))


def _whole(person: dict[str, Any], line: int) -> dict[str, Any]:
    def shown(key: str, kind: dict[str, Any]) -> Any:
        if key == "role":
            return person.get(key, "candidate")
        if kind.get("type") == "array":
            return [{"value": value, "line": line} for value in person.get(key, ())]
        return {"value": person[key], "line": line} if person.get(key) else None

    return {key: shown(key, kind) for key, kind in SCHEMA["$defs"]["person"]["properties"].items()}


@dataclass
class Script:
    """How one request is answered. `tokens_per_second` None: as fast as the wire takes them; `failures`: how many
    requests meet the fault before all is well, None for all of them."""

    answer: str = field(default_factory=answer_for)
    tokens_per_second: float | None = None
    delay: float = 0.0
    fault: str | None = None
    failures: int | None = None
    retry_after: float | None = 0.01
    azure: bool = False

    def for_this_request(self) -> "Script":
        if self.fault is None or self.failures is None:
            return self
        met = replace(self, fault=self.fault if self.failures else None)
        self.failures = max(0, self.failures - 1)
        return met


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ScriptedOpenAi:
    """Requests are answered by `scripts` in turn, and by `script` when these are used up."""

    def __init__(self, script: Script | None = None, stamped: bool = False) -> None:
        self.script = script or Script()
        self.scripts: deque[Script] = deque()
        self.requests: list[Seen] = []
        self.connections = 0
        self.disconnects = 0  # while an answer was under way
        self.disconnected = asyncio.Event()
        self.sent: list[tuple[int, int, float]] = []  # request, characters of text sent so far, time.monotonic()
        self.stamped = stamped
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def serving(
        cls, script: Script | None = None, port: int = 0, stamped: bool = False
    ) -> AsyncIterator["ScriptedOpenAi"]:
        scripted = cls(script, stamped)
        server = await asyncio.start_server(scripted._accept, "127.0.0.1", port)
        scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield scripted
        finally:
            server.close()
            for task in scripted._serving:
                task.cancel()
            await asyncio.gather(*scripted._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        self.connections += 1
        ahead: bytes | None = b""
        # Python 3.11's streams report a cancelled connection as an unhandled error: it ends here instead.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while ahead is not None:
                ahead = await self._serve(ahead, reader, writer)
        writer.close()

    async def _serve(self, ahead: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Answer one request. What of the next one was read ahead, or None when the connection is done."""
        head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if path == "/scripted":
            if method == "POST":
                self.script = replace(self.script, **json.loads(body))
            return await _reply(writer, 200, self.seen())
        if headers.get("authorization") != f"Bearer {KEY}":
            return await _reply(writer, 401, _error("invalid_api_key"))
        if path not in ("/v1/responses", "/v1/chat/completions"):
            return await _reply(writer, 404, _error("unknown_url"))
        self.requests.append(Seen(path, headers, json.loads(body)))
        return await self._answer(len(self.requests), self.requests[-1], reader, writer)

    async def _answer(
        self, number: int, request: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        script = (self.scripts.popleft() if self.scripts else self.script).for_this_request()
        if script.fault in REFUSALS:
            status, code = REFUSALS[script.fault]
            told = {"Retry-After": str(script.retry_after)} if status == 429 and script.retry_after is not None else {}
            return await _reply(writer, status, _error(code), told)
        telling = asyncio.create_task(self._tell(number, request, script, writer))
        hearing = asyncio.create_task(reader.read(1))
        await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
        gone = not telling.done() or isinstance(telling.exception(), ConnectionError)
        if gone:
            self.disconnects += 1
            self.disconnected.set()
        for task in (telling, hearing):
            task.cancel()
        await asyncio.gather(telling, hearing, return_exceptions=True)
        if gone or not telling.result():
            return None
        return b"" if hearing.cancelled() else hearing.result() or None

    async def _tell(self, number: int, request: Seen, script: Script, writer: asyncio.StreamWriter) -> bool:
        if script.fault == "silent":
            await asyncio.Event().wait()
        chat = request.path.endswith("completions")
        pieces = pieces_of(script.answer, script.fault)
        model = request.body["model"]
        frames = (
            chat_frames(pieces, script.fault, model, script.azure)
            if chat
            else responses_frames(pieces, script.fault, model)
        )
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await self._send(number, frames, pieces, script, writer, chat)
        return await _end(script, writer, chat)

    async def _send(
        self, number: int, frames: Frames, pieces: list[str], script: Script, writer: asyncio.StreamWriter, chat: bool
    ) -> None:
        for frame in frames.before:
            writer.write(_framed(frame, chat))
        await asyncio.sleep(script.delay)
        began, length = time.monotonic(), 0
        for count, (frame, piece) in enumerate(zip(frames.texts, pieces, strict=False)):
            if script.tokens_per_second:
                await asyncio.sleep(began + count / script.tokens_per_second - time.monotonic())
            writer.write(_framed(frame, chat))
            length += len(piece)
            if self.stamped:
                self.sent.append((number, length, time.monotonic()))
            await writer.drain()
        for frame in frames.after:
            writer.write(_framed(frame, chat))

    def seen(self) -> dict[str, Any]:
        return {"requests": len(self.requests), "disconnects": self.disconnects, "sent": self.sent}


async def _end(script: Script, writer: asyncio.StreamWriter, chat: bool) -> bool:
    match script.fault:
        case "stall":
            await asyncio.Event().wait()
        case "cut":
            await writer.drain()
            writer.transport.abort()
            return False
        case "bad_frame":
            writer.write(_chunked(b"data: {oops\n\n"))
    if chat and script.fault not in ("clean_end", "failed", "error_event"):
        writer.write(_chunked(b"data: [DONE]\n\n"))
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def _framed(frame: dict[str, Any], chat: bool) -> bytes:
    payload = f"data: {json.dumps(frame)}\n\n"
    return _chunked((payload if chat else f"event: {frame['type']}\n{payload}").encode())


def _chunked(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def _error(code: str) -> dict[str, Any]:
    return {
        "error": {"message": "Text of the library that nobody is to see.", "type": "error", "code": code, "param": None}
    }


async def _reply(
    writer: asyncio.StreamWriter, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> bytes:
    payload = json.dumps(body).encode()
    known = {"Content-Type": "application/json", "Content-Length": str(len(payload))} | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in known.items())
    writer.write(f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + payload)
    await writer.drain()
    return b""


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A scripted server that speaks OpenAI's protocol.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tokens-per-second", type=float)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the first token")
    parser.add_argument("--answer", type=Path, help="file with the answer's JSON")
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--failures", type=int, help="how many requests meet the fault; all unless given")
    parser.add_argument("--retry-after", type=float, default=0.01, help="what a 429 says")
    parser.add_argument("--azure", action="store_true", help="first chat chunk without choices")
    parser.add_argument("--stamps", action="store_true", help="keep the time of every chunk for GET /scripted")
    given = parser.parse_args()
    script = Script(tokens_per_second=given.tokens_per_second, delay=given.delay, fault=given.fault, azure=given.azure)
    script.failures, script.retry_after = given.failures, given.retry_after
    if given.answer:
        script.answer = given.answer.read_text("utf-8")
    async with ScriptedOpenAi.serving(script, given.port, given.stamps) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
