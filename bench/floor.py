"""The floor: a bare ASGI forwarder with nothing but the model's stream and the reader's, no log, no fields, no door.

The model is asked over plain asyncio streams, its lines are parsed by hand, and whatever came in together goes out as
one frame. `uvicorn bench.floor:application`
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import orjson

MODEL = urlsplit(os.environ["OPENAI_BASE_URL"])


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await _socket(receive, send)
    else:
        await _sse(receive, send)


async def _socket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    sequence = 0
    async for text in answer():
        sequence += 1
        await send({"type": "websocket.send", "text": envelope("extraction_token", sequence, text)})
    await send({"type": "websocket.send", "text": envelope("complete", sequence + 1, "")})
    await send({"type": "websocket.close", "code": 1000})


async def _sse(receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    sequence = 0
    async for text in answer():
        sequence += 1
        body = f"data: {envelope('extraction_token', sequence, text)}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
    last = f"data: {envelope('complete', sequence + 1, '')}\n\n".encode()
    await send({"type": "http.response.body", "body": last})


def envelope(kind: str, sequence: int, token: str) -> str:
    return f'{{"type":"{kind}","sequence":{sequence},"data":{{"token":{json.dumps(token)}}}}}'


async def answer() -> AsyncIterator[str]:
    """The text of one answer, as it comes."""
    reader, writer = await asyncio.open_connection(MODEL.hostname, MODEL.port)
    body = json.dumps({"model": "scripted", "input": "", "stream": True}).encode()
    head = f"POST {MODEL.path}/responses HTTP/1.1\r\nHost: model\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    rest = b""
    while chunk := await reader.read(65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        texts = []
        for line in lines:
            if line.startswith(b"data:"):
                event = orjson.loads(line[5:])
                if event["type"] == "response.output_text.delta":
                    texts.append(event["delta"])
                elif event["type"] == "response.completed":
                    writer.close()
                    yield "".join(texts)
                    return
        if texts:
            yield "".join(texts)
