"""How soon a reader sees things, on real sockets: `python -m bench.latency [--runs N]`.

Starts the server (uvicorn) and a scripted model at 100 tokens/s as processes of their own. `first field` is from the
acceptance of a mail to its first field in the log, with the patterns engine. `chunk → reader` is from the moment in
which the model sent a chunk to the moment in which a WebSocket reader holds the event with its text; `chunk → field`
the same for the event of the field that the chunk closed. All clocks are this machine's monotonic one.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx2

from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import connected
from wellintake.tests.server import ROOT, Server

SAMPLES = sorted((ROOT / "addin" / "samples").glob("*.eml"))[:5]
PERSON = {
    "full_name": "Maya Lindqvist",
    "email": "maya.lindqvist@harborandpine.example",
    "title": "Senior Wealth Advisor",
    "target_title": "Lead Advisor",
    "company_name": "Harbor & Pine Wealth",
    "city": "Portland",
    "aum": "$212M",
    # What the patterns do not find in this mail, so that the model's values have events of their own.
    "compensation": "$310K",
    "availability": "early February",
    "specializations": ["succession in small practices"],
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        patterns = await _first_fields(Server(_folder(folder, "patterns"), "uvicorn"), runs)
        _show("first field (patterns)", patterns)
        chunks, fields = await _model_latencies(_folder(folder, "model"), max(runs // 8, 3))
        _show("chunk → reader", chunks)
        _show("chunk → field", fields)


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    return folder


async def _first_fields(server: Server, runs: int) -> list[float]:
    """Milliseconds, as the server's own log tells them."""
    server.start()
    try:
        async with server.client() as http:
            found = []
            for number in range(runs):
                mail = {"raw_email": SAMPLES[number % len(SAMPLES)].read_text("utf-8"), "mode": "preview"}
                answer = await http.post("/stream/batch/process-email?stream_chunks=false", json=mail)
                found.append(answer.json()["data"]["timings"]["first_field"])
            return found
    finally:
        server.stop()


async def _model_latencies(folder: Path, runs: int) -> tuple[list[float], list[float]]:
    (folder / "answer.json").write_text(answer_for([PERSON]))
    command = ["-m", "extraction.tests.scripted_openai", "--stamps", "--tokens-per-second", "100", "--answer"]
    model = subprocess.Popen(  # noqa: ASYNC220  (before anything is measured)
        [sys.executable, *command, str(folder / "answer.json")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert model.stdout
    url = model.stdout.readline().strip()
    server = Server(folder, "uvicorn", OPENAI_BASE_URL=url, OPENAI_API_KEY="scripted-key").start()
    try:
        told = [await _read_run(server) for _ in range(runs)]
        sent = httpx2.get(f"{url.removesuffix('/v1')}/scripted").json()["sent"]
    finally:
        server.stop()
        model.kill()
    chunks: list[float] = []
    fields: list[float] = []
    for number, events in enumerate(told, 1):
        stamps = {length: at for request, length, at in sent if request == number}
        length = 0
        for at, event in events:
            if event["type"] == "extraction_token":
                length += len(event["data"]["token"])
                chunks.append((at - stamps[length]) * 1000)
            elif event["data"].get("origin") == "model" and length in stamps:
                fields.append((at - stamps[length]) * 1000)
    return chunks, fields


async def _read_run(server: Server) -> list[tuple[float, dict[str, Any]]]:
    """One run over a WebSocket: (moment of receipt, event)."""
    mail = {"raw_email": SAMPLES[0].read_text("utf-8"), "mode": "preview"}
    found = []
    async with connected(server) as socket:  # type: ignore[no-untyped-call]
        await socket.send(json.dumps({"type": "process_email", "data": mail}))
        async for text in socket:
            event = json.loads(text)
            if event["sequence"]:
                found.append((time.monotonic(), event))
            if event["type"] in ("complete", "error"):
                break
    return found


def _show(name: str, milliseconds: Iterable[float]) -> None:
    ordered = sorted(milliseconds)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)] if ordered else []
    figures = "   ".join(f"{label} {value:6.1f} ms" for label, value in zip(("p50", "p95", "p99"), at, strict=False))
    print(f"{name:<24} n {len(ordered):<5} {figures}")


if __name__ == "__main__":
    asyncio.run(main())
