"""How many streams are held, how late a token is, what it costs: `python -m bench.streams`.

A scripted model (100 tokens/s to each stream) stamps every chunk as it sends it; readers on real sockets say how late
the stamp is when they hold the words of it. In one run, on this machine: the usual design (`bench/usual.py`), the floor
(`bench/floor.py`) and ours with its log in a database. Model and readers are in C (`load.c`); how late the model itself
was is in the table, too: where that is not next to nothing, the machine is the limit and not the server.

Streams open over a ramp and go on to the end of the window that is measured, so a row tells what streams cost that run
beside each other, and not what it costs to begin and to end one. A row is held when its 99th percentile
is at most 50 ms, everybody got every token, and nobody was refused or cut.

`--streams 1,50,200 --designs usual,floor,ours --transports websocket,sse --json FILE`; `--server daphne`. Distributed:
`python -m wellintake.tests.services -- python -m bench.streams`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from bench.load import (
    MAIL,
    Plan,
    Speech,
    cpu_seconds,
    model,
    post,
    read,
    resident_bytes,
    text_frame,
    upgrade,
    wait_until,
)
from wellintake.tests.server import DISTRIBUTED, KEY, ROOT, Server
from wellintake.tests.services import free_port

TOKENS_PER_SECOND = 100
HELD_MS = 50.0
WINDOW_SECONDS = 6.0
STARTS_PER_SECOND = 20
UVICORN = ("--ws", "websockets-sansio", "--no-access-log", "--ws-ping-interval", "300")
# One address and one key open all of them.
UNLIMITED = dict.fromkeys(("MAX_RUNS_PER_USER", "MAX_CONNECTIONS_PER_USER", "MAX_CONCURRENT_RUNS"), "100000")


@dataclass
class Running:
    """A server under measurement."""

    port: int
    pids: list[int]
    speech: Callable[[str], Speech]
    tickets: Callable[[int], list[str]] = field(default=lambda count: [])


@contextmanager
def ours(folder: Path, model_url: str, kind: str) -> Iterator[Running]:
    environment = {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "scripted-key", "DEBUG": "false"}
    server = Server(folder, kind, None, **environment, **UNLIMITED).start()
    try:
        speech = partial(our_speech, port=server.port)
        yield Running(server.port, server.pids, speech, tickets_of(server))
    finally:
        server.stop()


def our_speech(transport: str, port: int) -> Speech:
    mail = {"raw_email": MAIL, "mode": "preview"}
    match transport:
        case "websocket":
            told = text_frame(json.dumps({"type": "process_email", "data": mail}))
            return Speech(upgrade("/stream/ws/email-processing?access_token={ticket}", port), told)
        case "hub":
            hello = text_frame('{"protocol":"json","version":1}\x1e')
            asked = {"type": 1, "target": "ProcessEmail", "invocationId": "1", "arguments": [mail]}
            return Speech(upgrade("/stream?id={ticket}", port), hello + text_frame(json.dumps(asked) + "\x1e"))
        case "sse":
            return Speech(post("/stream/sse/process-email", port, mail, f"X-API-Key: {KEY}\r\n"))
        case "ndjson":
            return Speech(post("/stream/batch/process-email", port, mail, f"X-API-Key: {KEY}\r\n"))
    raise ValueError(transport)


def tickets_of(server: Server) -> Callable[[int], list[str]]:
    def tickets(count: int) -> list[str]:
        with httpx2.Client(base_url=server.url, headers={"X-API-Key": KEY}) as http:
            return [http.get("/stream/negotiate").json()["accessToken"] for _ in range(count)]

    return tickets


def theirs(module: str) -> Callable[[Path, str, str], Any]:
    """A server of `bench`, which answers sockets and POST at any path."""

    @contextmanager
    def running(folder: Path, model_url: str, kind: str) -> Iterator[Running]:
        port = free_port()
        command = {
            "uvicorn": [sys.executable, "-m", "uvicorn", f"bench.{module}:application", "--port", str(port), *UVICORN],
            "daphne": [sys.executable, "-m", "daphne", "-p", str(port), f"bench.{module}:application"],
        }[kind]
        environment = {"OPENAI_BASE_URL": model_url, "PATH": os.environ["PATH"]}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: _listens(port), 30, module)
            yield Running(port, [process.pid], lambda transport: _their_speech(transport, port))
        finally:
            process.terminate()
            process.wait(20)

    return running


def _listens(port: int) -> bool:
    try:
        httpx2.post(f"http://127.0.0.1:{port}/", timeout=1)
    except httpx2.TransportError:
        return False
    return True


def _their_speech(transport: str, port: int) -> Speech:
    mail = {"raw_email": MAIL}
    if transport == "websocket":
        return Speech(upgrade("/socket", port), text_frame(json.dumps(mail)))
    return Speech(post("/events", port, mail, ""))


DESIGNS = {"usual": theirs("usual"), "floor": theirs("floor"), "ours": ours}
THEIR_TRANSPORTS = ("websocket", "sse")


def measure(design: str, transport: str, streams: int, kind: str = "uvicorn") -> dict[str, Any]:
    """One row: so many streams at once."""
    ramp = max(1.0, streams / STARTS_PER_SECOND)
    start, end = ramp + 2, ramp + 2 + WINDOW_SECONDS
    tokens = int((end + 2) * TOKENS_PER_SECOND)
    cpu: dict[str, float] = {}
    memory: dict[str, int] = {}
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        asked = held.enter_context(model(folder, tokens, TOKENS_PER_SECOND))
        server = held.enter_context(DESIGNS[design](folder, asked.url, kind))
        speech = server.speech(transport)
        # One run alone first: what a process does once is no stream's cost.
        read(folder, server.port, speech, Plan(1, 0.1, 0.5, 1, tokens), server.tickets(1), lambda moment: None)
        tickets = server.tickets(streams)
        before = sum(map(resident_bytes, server.pids))

        def at(moment: str) -> None:
            cpu[moment] = sum(map(cpu_seconds, server.pids))
            memory[moment] = sum(map(resident_bytes, server.pids))

        found = read(folder, server.port, speech, Plan(streams, ramp, start, end, tokens), tickets, at)
    heard = found["token_ms"]
    found |= {"design": design, "transport": transport, "streams": streams, "server": kind}
    found["failed"] = found["refused"] + found["cut"] + found["short"] + found["unfinished"]
    found["cpu"] = round((cpu["to"] - cpu["from"]) / found["seconds"], 3)
    found["cpu_us_per_token"] = round((cpu["to"] - cpu["from"]) / max(heard["count"], 1) * 1e6, 1)
    found["memory_kib_per_stream"] = round((memory["to"] - before) / streams / 1024, 1)
    found["due"] = streams * TOKENS_PER_SECOND * WINDOW_SECONDS
    found["held"] = not found["failed"] and heard["count"] > 0.97 * found["due"] and heard["p99"] <= HELD_MS
    found["model_late_ms"] = asked.report["late_ms"]
    found["generator_cpu_seconds"] = round(found.pop("cpu_seconds") + asked.report["cpu_seconds"], 2)
    return found


def most_held(design: str, transport: str, kind: str, told: Callable[[dict[str, Any]], None], most: int) -> int:
    """The most streams that are held: doubled until they are not, then halved between, to a tenth."""
    held, lost = 0, 0
    streams = 8
    while not lost and streams <= most:
        told(row := measure(design, transport, streams, kind))
        held, lost = (streams, 0) if row["held"] else (held, streams)
        streams *= 2
    while lost and lost - held > max(held // 10, 1):
        told(row := measure(design, transport, streams := (held + lost) // 2, kind))
        held, lost = (streams, lost) if row["held"] else (held, streams)
    return held


HEAD = (
    f"{'design':<7}{'transport':<10}{'streams':>8}{'token p50':>10}{'p99':>8}{'field p50':>10}{'p99':>8}"
    f"{'first event':>12}{'µs CPU/token':>13}{'cores':>6}{'KiB/stream':>11}{'failed':>7}{'model p99':>10}  held"
)


def line(row: dict[str, Any]) -> str:
    def at(name: str, share: str = "p50") -> str:
        value = row[name].get(share)
        return "–" if value is None else f"{value:.1f}"

    return (
        f"{row['design']:<7}{row['transport']:<10}{row['streams']:>8}{at('token_ms'):>10}{at('token_ms', 'p99'):>8}"
        f"{at('field_ms'):>10}{at('field_ms', 'p99'):>8}{at('first_event_ms'):>12}{row['cpu_us_per_token']:>13}"
        f"{row['cpu']:>6.2f}{row['memory_kib_per_stream']:>11}{row['failed']:>7}{at('model_late_ms', 'p99'):>10}  "
        f"{'yes' if row['held'] else 'no'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", default="1,50,200", help="how many at once; `held` looks for the most")
    parser.add_argument("--designs", default="usual,floor,ours")
    parser.add_argument("--transports", default="websocket,sse")
    parser.add_argument("--server", default="uvicorn", choices=("uvicorn", "daphne"))
    parser.add_argument("--most", type=int, default=1000, help="where the search ends")
    parser.add_argument("--json", type=Path, help="where to put all figures")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []

    def told(row: dict[str, Any]) -> None:
        rows.append(row)
        print(line(row), flush=True)

    print(f"{'distributed' if DISTRIBUTED else 'embedded'}, {given.server}, times in ms\n{HEAD}", flush=True)
    held = {}
    for transport in given.transports.split(","):
        for design in given.designs.split(","):
            if design != "ours" and transport not in THEIR_TRANSPORTS:
                continue
            if given.streams == "held":
                held[design, transport] = most_held(design, transport, given.server, told, given.most)
            else:
                for streams in map(int, given.streams.split(",")):
                    told(measure(design, transport, streams, given.server))
    for (design, transport), streams in held.items():
        ratios = [f"{streams / held[other, transport]:.2f} × {other}" for other in ("usual", "floor")
                  if design == "ours" and held.get((other, transport))]  # fmt: skip
        print(f"held: {design} {transport} {streams}  {'  '.join(ratios)}")
    if given.json:
        given.json.write_text(json.dumps({"rows": rows, "held": [[*key, count] for key, count in held.items()]}))


if __name__ == "__main__":
    main()
