"""Whether honest streams feel a hostile client: `python -m bench.abuse [--seconds N] [--only NAME …]`.

Twenty honest streams hand in mails, one after the other, and read them to their end: first alone, then beside an
attacker of another key (a process of its own), then alone again; all in one run, against one server (uvicorn, patterns,
limits as they are by default). Told are the milliseconds from the call to the first field, and their p99 beside the
attacker as a ratio to the quiet one. The attacker takes CPU of the same machine, which is part of the ratio.

The attacks: sockets that never read what they have subscribed to; sockets that ping as fast as they can; sockets
without a ticket, by the hundred; messages that are too large, and large ones that are no mail; requests that never end;
keys that are wrong.
"""

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import websockets

from wellintake.tests.server import Server

SAMPLES = sorted((Path(__file__).parents[1] / "addin" / "samples").glob("*.eml"))[:5]
STREAMS = 20
PAUSE_SECONDS = 1.0  # as people do; without it the machine's throughput would be measured
SLOW, FLOODING, STRANGERS, SLOWLORIS = 8, 4, 300, 300
TOO_LARGE, LARGE = 22_000_000, 8_000_000


async def main(seconds: float, only: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), "uvicorn")
        server.start()
        try:
            honest, hostile = (_key(server, name) for name in ("honest", "hostile"))
            await _phase(server, honest, 2.0)  # whatever is loaded at the first use
            quiet = await _phase(server, honest, seconds)
            _show("alone", quiet, server)
            attack = [
                sys.executable,
                "-m",
                "bench.abuse",
                "--attack",
                server.url,
                hostile,
                *(["--only", *only] if only else []),
            ]
            attacker = subprocess.Popen([*attack, "--seconds", str(seconds)], stdout=subprocess.PIPE)  # noqa: ASYNC220
            await asyncio.to_thread(attacker.stdout.readline)  # type: ignore[union-attr]  # it has begun
            beside = await _phase(server, honest, seconds)
            told, _ = await asyncio.to_thread(attacker.communicate)
            _show("beside the attacker", beside, server)
            after = await _phase(server, honest, seconds / 2)
            _show("afterwards", after, server)
            print(f"{'p99 beside / alone':<22} {_at(beside, 0.99) / _at(quiet, 0.99):.2f}")
            print(f"{'p99 after / alone':<22} {_at(after, 0.99) / _at(quiet, 0.99):.2f}")
            for name, outcomes in json.loads(told).items():
                print(f"{name:<22} {', '.join(f'{count} × {what}' for what, count in sorted(outcomes.items()))}")
            print(f"{'health':<22} {httpx2.get(f'{server.url}/stream/health').json()['status']}")
        finally:
            server.stop()


def _key(server: Server, name: str) -> str:
    return str(server.manage("create_api_key", name).stdout.decode().split()[0])


# ---------------------------------------------------------------- honest


async def _phase(server: Server, key: str, seconds: float) -> list[float]:
    """Milliseconds to the first field of every mail."""
    ends_at = time.monotonic() + seconds
    limits = httpx2.Limits(max_connections=STREAMS)
    async with httpx2.AsyncClient(
        base_url=server.url, headers={"X-API-Key": key}, timeout=60, limits=limits, trust_env=False
    ) as http:
        found = await asyncio.gather(*(_honest(http, number, ends_at) for number in range(STREAMS)))
    return [one for some in found for one in some]


async def _honest(http: httpx2.AsyncClient, number: int, ends_at: float) -> list[float]:
    found = []
    for turn in itertools.count(number):
        if time.monotonic() >= ends_at:
            break
        mail = {"raw_email": SAMPLES[turn % len(SAMPLES)].read_text("utf-8"), "mode": "preview"}
        began = time.monotonic()
        first: float | None = None
        async with http.stream("POST", "/stream/sse/process-email", json=mail) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if first is None and line == "event: extraction_field":
                    first = time.monotonic() - began
        if first is not None:
            found.append(first * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return found


def _at(milliseconds: list[float], share: float) -> float:
    ordered = sorted(milliseconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _show(name: str, found: list[float], server: Server) -> None:
    figures = "   ".join(f"p{round(share * 100)} {_at(found, share):7.1f} ms" for share in (0.5, 0.95, 0.99))
    resident = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * 4096 // 1_000_000
    print(f"{name:<22} n {len(found):<5} {figures}   server {resident} MB")


# ---------------------------------------------------------------- hostile


class Attacker:
    """What became of each attack is counted in `outcomes`."""

    def __init__(self, url: str, key: str, seconds: float, only: Sequence[str] = ()) -> None:
        self.only = only
        self.url = url
        self.key = key
        self.ends_at = time.monotonic() + seconds
        self.outcomes: dict[str, Counter[str]] = {}

    async def attack(self) -> None:
        attacks: dict[Callable[[], Awaitable[str]], int] = {
            self.slow_reader: SLOW,
            self.flood: FLOODING,
            self.stranger: STRANGERS,
            self.slowloris: SLOWLORIS,
            self.too_large: 1,
            self.large: 1,
            self.wrong_key: 4,
        }
        chosen = {attack: many for attack, many in attacks.items() if _name(attack) in self.only or not self.only}
        await asyncio.gather(*(self._over_and_over(attack) for attack, many in chosen.items() for _ in range(many)))

    async def _over_and_over(self, attack: Callable[[], Awaitable[str]]) -> None:
        counts = self.outcomes.setdefault(_name(attack), Counter())
        while self.left > 0:
            try:
                async with asyncio.timeout(self.left):
                    counts[await attack()] += 1
            except TimeoutError:
                counts["still open at the end"] += 1
            except websockets.ConnectionClosed as closed:
                counts[f"closed with {closed.rcvd.code if closed.rcvd else 'nothing'}"] += 1
            except websockets.InvalidStatus as refused:
                counts[f"refused with {refused.response.status_code}"] += 1
            except (OSError, httpx2.HTTPError, websockets.InvalidHandshake) as error:
                counts[type(error).__name__] += 1
            await asyncio.sleep(0.05)

    @property
    def left(self) -> float:
        return self.ends_at - time.monotonic()

    def _socket(self, ticket: str | None, **given: Any) -> Any:
        address = f"{self.url.replace('http', 'ws')}/stream/ws/email-processing"
        query = f"?access_token={ticket}" if ticket else ""
        return websockets.connect(address + query, proxy=None, **given)

    async def _ticket(self) -> str:
        async with httpx2.AsyncClient(headers={"X-API-Key": self.key}, timeout=30, trust_env=False) as http:
            answer = await http.get(f"{self.url}/stream/negotiate")
            return str(answer.raise_for_status().json()["accessToken"])

    async def slow_reader(self) -> str:
        """Fifty runs on a socket that is not read: the client's buffer is two frames."""
        async with self._socket(await self._ticket(), max_queue=2) as socket:
            for number in range(50):
                mail = {"sender_email": "a@b.example", "subject": str(number), "body": "x " * 20_000, "mode": "preview"}
                await socket.send(json.dumps({"type": "process_email", "acks": True, "data": mail}))
            await socket.wait_closed()
            return f"closed with {socket.close_code}"

    async def flood(self) -> str:
        async with self._socket(await self._ticket()) as socket:

            async def read() -> None:
                async for _ in socket:
                    pass

            reading = asyncio.create_task(read())
            try:
                while True:
                    await socket.send('{"type": "ping"}')
                    await asyncio.sleep(0)
            finally:
                reading.cancel()

    async def stranger(self) -> str:
        async with self._socket(None) as socket:
            await socket.wait_closed()
            return f"closed with {socket.close_code}"

    async def too_large(self) -> str:
        async with self._socket(await self._ticket()) as socket:
            await socket.send("x" * TOO_LARGE)
            await socket.wait_closed()
            return f"closed with {socket.close_code}"

    async def large(self) -> str:
        async with self._socket(await self._ticket()) as socket:
            while True:
                await socket.send('{"type": "process_email", "data": {"x": [' + "1," * (LARGE // 2) + "1]}}")
                while '"error"' not in await socket.recv():
                    pass
                await asyncio.sleep(0.5)

    async def slowloris(self) -> str:
        host, _, port = self.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(b"POST /stream/runs HTTP/1.1\r\nHost: x\r\n")
            for letter in itertools.cycle(b"X-Slow: y\r\n"):
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        return f"answered with {(await reader.read(64))[9:12].decode() or 'nothing'}"
                writer.write(bytes([letter]))
                await writer.drain()
            return "never"
        finally:
            writer.close()

    async def wrong_key(self) -> str:
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            answer = await http.get(f"{self.url}/stream/metrics", headers={"X-API-Key": f"wi_{time.time_ns()}_x"})
            return f"answered with {answer.status_code}"


def _name(attack: Callable[[], Awaitable[str]]) -> str:
    return str(getattr(attack, "__name__", "")).replace("_", " ")


async def _attack(url: str, key: str, seconds: float, only: Sequence[str]) -> None:
    print("begun", flush=True)
    attacker = Attacker(url, key, seconds, only)
    await attacker.attack()
    print(json.dumps(attacker.outcomes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each phase")
    parser.add_argument("--only", nargs="*", default=[], help="attacks by name, such as `flood` or `slow reader`")
    parser.add_argument("--attack", nargs=2, metavar=("URL", "KEY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.attack:
        url, key = given.attack
        asyncio.run(_attack(url, key, given.seconds, given.only))
    else:
        asyncio.run(main(given.seconds, given.only))
