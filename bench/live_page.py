"""What the live page costs its server: `python -m bench.live_page [--connections N] [--seconds S]`.

Starts the server (uvicorn) as a process of its own with so many idle sockets, and compares the CPU time it takes in so
many seconds without and with one watcher of the live page, three times each; the medians count. CPU time is the
process's own, user and system, in hundredths of a second: other load on the machine does not go into it. Linux only
(`/proc`).
"""

import argparse
import asyncio
import os
import re
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import websockets

from streaming.tests.reading import connected
from wellintake.tests.server import Server

TIMES = 3
MAKE_WATCHER = """
from django.contrib.auth.models import User
User.objects.create_superuser("watcher", password="watches")
"""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), "uvicorn", MAX_CONNECTIONS_PER_USER=str(given.connections + 10)).start()
        try:
            server.manage("shell", "-c", MAKE_WATCHER)
            cookies = await _signed_in(server)
            async with AsyncExitStack() as stack:
                for _ in range(given.connections):
                    await stack.enter_async_context(connected(server))  # type: ignore[no-untyped-call]
                alone, watched = await _compared(server, cookies, given.seconds)
        finally:
            server.stop()
    print(f"{given.connections} connections, {TIMES} × {given.seconds:g} s each")
    print(f"without a watcher  {alone:6.2%} of a core")
    print(f"with one watcher   {watched:6.2%} of a core")
    print(f"the live page      {watched - alone:6.2%} of a core")


async def _compared(server: Server, cookies: str, seconds: float) -> tuple[float, float]:
    """Shares of a core: without, and then with a watcher."""
    alone = [await _share(server.pid, seconds) for _ in range(TIMES)]
    address = f"ws{server.url.removeprefix('http')}/admin/live/socket"
    async with websockets.connect(address, additional_headers={"Cookie": cookies}) as socket:
        await socket.recv()  # the first snapshot is not like the others: it looks everything up
        reading = asyncio.create_task(_read(socket))
        watched = [await _share(server.pid, seconds) for _ in range(TIMES)]
        assert not reading.done(), "The live page was cut off."
        reading.cancel()
    return statistics.median(alone), statistics.median(watched)


async def _read(socket: websockets.ClientConnection) -> None:
    while True:
        await socket.recv()


async def _share(pid: int, seconds: float) -> float:
    """CPU time of the process and its threads, of so many seconds."""
    began, used = time.monotonic(), _cpu_seconds(pid)
    await asyncio.sleep(seconds)
    return (_cpu_seconds(pid) - used) / (time.monotonic() - began)


def _cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def _signed_in(server: Server) -> str:
    """The cookies of an admin's session."""
    async with httpx2.AsyncClient(base_url=server.url) as http:
        page = await http.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"username": "watcher", "password": "watches", "csrfmiddlewaretoken": token[1]}
        await http.post("/admin/login/", data=form)
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


if __name__ == "__main__":
    asyncio.run(main())
