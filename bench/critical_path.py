"""The whole way of one mail, when everything it waits for takes its usual time: `python -m bench.critical_path`.

The model says its first word after 0.8 s and then 100 tokens a second, the firm's web page takes 1.5 s, each call of
Zoho 150 ms: a scripted model and the tests' Zoho on sockets, research by the clock. The run is in mode `auto`, its log
in SQLite. For each event of the median run: when it was told. `--runs 5 --json FILE --svg FILE`.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command

from bench.latency import PERSON
from extraction.tests.scripted_openai import KEY, Script, ScriptedOpenAi, answer_for
from zoho.tests.fake_zoho import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, FakeZoho

FIRST_TOKEN_SECONDS = 0.8
TOKENS_PER_SECOND = 100.0
RESEARCH_SECONDS = 1.5
ZOHO_SECONDS = 0.15
LONG_TEXT = "An advisor of long standing whose clients stay with her from one firm to the next. " * 11
BODY = """Hello,

my name is {name}. I am a Senior Wealth Advisor at {firm} in Portland, Oregon, with $212M under management and 96
client families. I hold the Series 7 and 66 and am a CFP. I would like to be a Lead Advisor and could start in early
February. Please call 503-555-01{number:02}.

{name}
{firm} | {domain}
"""


class ScheduledResearch:
    async def find(self, domain: str) -> dict[str, Any]:
        await asyncio.sleep(RESEARCH_SECONDS)
        return {"name": domain, "city": "Portland", "state": "OR", "source_url": f"https://{domain}/"}

    async def close(self) -> None:
        pass


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Any]:
    """All parts of a process, at work, and when the model ended its last answer."""
    script = Script(tokens_per_second=TOKENS_PER_SECOND, delay=FIRST_TOKEN_SECONDS)
    async with ScriptedOpenAi.serving(script, stamped=True) as model, FakeZoho.serving() as zoho:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "wellintake.settings",
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "SECRET_KEY": "a-secret-for-the-bench-that-is-long-enough-0123456789",
            "API_KEY": "a-key-for-the-bench-that-is-long-enough-0123456789",
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": KEY,
            "ZOHO_CLIENT_ID": CLIENT_ID,
            "ZOHO_CLIENT_SECRET": CLIENT_SECRET,
            "ZOHO_REFRESH_TOKEN": REFRESH_TOKEN,
            "ZOHO_API_URL": zoho.url,
            "ZOHO_ACCOUNTS_URL": zoho.url,
        }
        import django

        django.setup()
        from wellintake import wiring

        await asyncio.to_thread(call_command, "migrate", verbosity=0)
        wiring._research = lambda env: ScheduledResearch()
        parts = await asyncio.to_thread(wiring.parts)
        await parts.start()
        try:
            yield parts, model, zoho
        finally:
            await parts.stop()


async def run(parts: Any, model: ScriptedOpenAi, number: int) -> dict[str, Any]:
    """One mail: seconds from its acceptance to each kind of event, the first of it and the last."""
    from extraction.types import Email
    from streaming.callers import Caller

    name, firm, domain = f"Maya Lind{'abcdefghij'[number]}vist", f"Harbor {number} Wealth", f"harbor{number}.example"
    person = PERSON | {
        "full_name": name,
        "email": f"maya@{domain}",
        "company_name": firm,
        "specializations": [LONG_TEXT],
    }
    model.script.answer = answer_for([person])
    email = Email(
        sender_email=f"maya@{domain}",
        sender_name=name,
        subject="A move",
        body=BODY.format(name=name, firm=firm, domain=domain, number=number),
    )
    asked = len(model.requests)
    started = await parts.runs.start(email, Caller(subject="bench", tenant="bench"), "auto")
    row, _ = await parts.log.snapshot(started.run_id)
    times: list[tuple[float, str]] = []
    async for items in parts.log.follow(started.run_id):
        times += [(item.timestamp - row.created_at, _named(item)) for item in items]
    assert times[-1][1] == "complete", times[-1]
    assert len(model.requests) == asked + 1
    text = [at for at, kind in times if kind == "extraction_token"]
    return {
        "first_field": next(at for at, kind in times if kind == "extraction_field"),
        "first_token": text[0],
        "model": text[-1],
        "total": times[-1][0],
        "events": times,
    }


def _named(item: Any) -> str:
    return f"zoho {json.loads(item.data)['step']}" if item.type == "zoho_progress" else str(item.type)


def lanes(events: Sequence[tuple[float, str]]) -> dict[str, list[float]]:
    """When each kind of event was told."""
    found: dict[str, list[float]] = {}
    for at, kind in events:
        found.setdefault(kind, []).append(at)
    return found


def picture(found: dict[str, list[float]], total: float) -> str:
    """The time line as SVG: a row for each kind, a tick for each event."""
    scale, left, row = 640 / total, 150, 22
    parts = []
    for number, (kind, times) in enumerate(found.items()):
        y = 20 + number * row
        parts.append(f'<text x="{left - 8}" y="{y + 10}" text-anchor="end">{kind.replace("_", " ")}</text>')
        parts += [f'<rect x="{left + at * scale:.1f}" y="{y}" width="2" height="12"/>' for at in times]
    bottom = 20 + len(found) * row
    for second in range(int(total) + 1):
        x = left + second * scale
        parts.append(f'<path d="M{x:.1f} 14V{bottom}" stroke="#8888" fill="none"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{second} s</text>')
    style = "text{font:12px sans-serif;fill:#667}rect{fill:#2a78d6}"
    body = "".join(parts)
    size = f'width="820" height="{bottom + 24}" viewBox="0 0 820 {bottom + 24}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{style}</style>{body}</svg>\n'


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with office(Path(folder)) as (parts, model, zoho):
            zoho.latency = ZOHO_SECONDS
            await run(parts, model, 0)  # tables, connections, Zoho's token
            runs = [await run(parts, model, number) for number in range(1, given.runs + 1)]
    median = sorted(runs, key=lambda one: one["total"] - one["model"])[len(runs) // 2]
    for kind, times in lanes(median["events"]).items():
        last = f" … {times[-1]:6.3f} s  ({len(times)})" if len(times) > 1 else ""
        print(f"{kind:<20}{times[0]:7.3f} s{last}")
    for name in ("first_field", "first_token", "model", "total"):
        print(f"{name}: median {statistics.median(one[name] for one in runs):.3f} s")
    print(f"total - model: median {statistics.median(one['total'] - one['model'] for one in runs):.3f} s")
    if given.json:
        given.json.write_text(json.dumps(runs))
    if given.svg:
        given.svg.write_text(picture(lanes(median["events"]), median["total"]))


if __name__ == "__main__":
    asyncio.run(main())
