"""Drives `load.c`: a scripted model, and a crowd of readers that time what they hear by the stamps in its words."""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from extraction.tests.scripted_frames import pieces_of, responses_frames
from extraction.tests.scripted_openai import answer_for
from wellintake.tests.server import ROOT

MAIL = (ROOT / "addin" / "samples" / "1-direct-introduction.eml").read_text("utf-8")
STAMP = "@" * 16
PERSON = {
    "full_name": "Maya Lindqvist",
    "email": "maya.lindqvist@harborandpine.example",
    "company_name": "Harbor & Pine Wealth",
    "city": "Portland",
    "aum": "$212M",
}
# What the patterns do not find in this mail, so that the model's values have events of their own.
LATE_FIELDS = (
    '"compensation":{"value":"$310K","line":7}',
    '"specializations":[{"value":"succession in small practices","line":5}]',
)
FIELD_MARK = '"origin":"model"'


@cache
def program() -> str:
    """`load.c`, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise SystemExit("The load generator needs a C compiler: apt-get install gcc libc6-dev")
    built = Path(tempfile.mkdtemp(prefix="bench-")) / "load"
    subprocess.run([compiler, "-O2", "-o", built, ROOT / "bench" / "load.c"], check=True)
    return str(built)


def _written(path: Path, parts: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(b"%d\n%b" % (len(part), part) for part in parts))
    return path


# ---------------------------------------------------------------- the model


def answer_pieces(tokens: int) -> list[str]:
    """The chunks of an answer with so many stamped tokens. They stand in strings that the schema does not know, around
    fields that it does: those are closed after a third and two thirds of the stream."""
    whole = answer_for([PERSON])
    head = whole[: whole.index(',"meeting_link"')]
    pieces = [*pieces_of(head, None), ',"words0":"']
    share = tokens // (len(LATE_FIELDS) + 1)
    for number, late in enumerate(LATE_FIELDS, 1):
        pieces += [f"~{STAMP}"] * (share - (number > 1))
        pieces.append(f'",{late},"words{number}":"^{STAMP}')
    pieces += [f"~{STAMP}"] * (tokens - len(LATE_FIELDS) - sum(piece[0] == "~" for piece in pieces))
    return [*pieces, '"}]}']


@dataclass
class Model:
    """A model at `url` that gives every caller the same answer."""

    process: subprocess.Popen[str]
    url: str
    report: dict[str, Any] = field(default_factory=dict)


@contextmanager
def model(folder: Path, tokens: int, tokens_per_second: float = 100, delay: float = 0.0) -> Iterator[Model]:
    frames = responses_frames(answer_pieces(tokens), None, "scripted")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [
        head + b"".join(map(_chunk, frames.before)),
        *map(_chunk, frames.texts),
        b"".join(map(_chunk, frames.after)) + b"0\r\n\r\n",
    ]
    script = _written(folder / "model.script", parts)
    process = subprocess.Popen(
        [program(), "model", str(script), str(tokens_per_second), str(delay)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    running = Model(process, f"http://127.0.0.1:{int(process.stdout.readline())}/v1")
    try:
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        running.report = json.loads(process.communicate(timeout=10)[0])


def _chunk(frame: dict[str, Any]) -> bytes:
    payload = f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(payload), payload)


# ---------------------------------------------------------------- the readers


@dataclass(frozen=True)
class Speech:
    """What a reader says and looks for. `request` may hold `{ticket}`; `then` follows the answer's head."""

    request: bytes
    then: bytes = b""
    first: bytes = b'"sequence":1,'
    end: bytes = b'"type":"complete"'
    field: bytes = FIELD_MARK.encode()


def upgrade(path: str, port: int, extra: str = "") -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    ).encode()


def text_frame(text: str) -> bytes:
    """A client's text frame (RFC 6455 §5.2), masked with zeros."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((0x81, 0x80 | size))
    elif size < 65_536:
        head = b"\x81\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def post(path: str, port: int, body: Any, headers: str) -> bytes:
    payload = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload


@dataclass(frozen=True)
class Plan:
    """How many read, and when it is measured; seconds from the start."""

    connections: int
    ramp: float
    start: float
    end: float
    tokens: int = 0
    repeat: bool = False


def read(
    folder: Path, port: int, speech: Speech, plan: Plan, tickets: Sequence[str], at: Callable[[str], None]
) -> dict[str, Any]:
    """What the readers measured. `at("from")` and `at("to")` are called as the window begins and ends."""
    script = _written(folder / "readers.script", [speech.request, speech.then, speech.first, speech.end, speech.field])
    (folder / "tickets").write_text("\n".join(tickets))
    given = (plan.connections, plan.ramp, plan.start, plan.end, plan.tokens, int(plan.repeat))
    command = [program(), "readers", str(port), str(script), str(folder / "tickets"), *map(str, given)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
            at(line.strip())
        raise SystemExit("The load generator failed.")
    finally:
        process.wait(30)


# ---------------------------------------------------------------- what a process costs


def cpu_seconds(pid: int) -> float:
    """User and system time so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident_bytes(pid: int) -> int:
    """Memory that is really there (Linux)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def wait_until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not start.")
        time.sleep(0.05)
