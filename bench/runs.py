"""What a whole run costs, from the click to the end: `python -m bench.runs [--readers 10]`.

So many readers, each with one run after another over SSE; the scripted model answers 250 tokens as fast as the wire
takes them, so that what is measured is our work and no waiting.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.load import Plan, cpu_seconds, model, read
from bench.streams import ours

TOKENS = 250
WINDOW_SECONDS = 10.0


def measure(readers: int, kind: str = "uvicorn") -> dict[str, Any]:
    cpu: dict[str, float] = {}
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        asked = held.enter_context(model(folder, TOKENS, 100_000))
        server = held.enter_context(ours(folder, asked.url, kind))
        speech = server.speech("sse")
        read(folder, server.port, speech, Plan(1, 0.1, 0.5, 1, TOKENS), [], lambda moment: None)

        def at(moment: str) -> None:
            cpu[moment] = sum(map(cpu_seconds, server.pids))

        plan = Plan(readers, 0.1, 0.1, 0.1 + WINDOW_SECONDS, TOKENS, repeat=True)
        found = read(folder, server.port, speech, plan, [], at)
    found["cpu_ms_per_run"] = round((cpu["to"] - cpu["from"]) / max(found["finished"], 1) * 1000, 1)
    found["runs_per_second"] = round(found["finished"] / WINDOW_SECONDS, 1)
    found["failed"] = found["refused"] + found["cut"] + found["short"] + found["unfinished"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(given.readers)
    at_once = f"{given.readers} at once: {found['runs_per_second']} runs/s, {found['cpu_ms_per_run']} ms CPU each"
    print(f"{at_once}, first event {found['first_event_ms']['p50']:.0f} ms (p50), failed {found['failed']}")
    if given.json:
        given.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
