"""What a WebSocket costs that says nothing: `python -m bench.idle [--sockets 5000]`.

Opens them one after another at one server (uvicorn), waits, and says how much memory each holds, how much of a core
all of them take together, and how long a ping on one of them takes then. Needs so many file descriptors.
"""

import argparse
import resource
import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.load import cpu_seconds, resident_bytes, text_frame, upgrade
from bench.streams import UNLIMITED, tickets_of
from wellintake.tests.server import Server

REST_SECONDS = 5.0
PINGS = 50


def opened(port: int, ticket: str) -> socket.socket:
    """A socket that the server has greeted."""
    one = socket.create_connection(("127.0.0.1", port), timeout=30)
    request = upgrade("/stream/ws/email-processing?access_token={ticket}", port)
    one.sendall(request.replace(b"{ticket}", ticket.encode()))
    _hear(one, b"connection_established")
    return one


def _hear(one: socket.socket, words: bytes) -> None:
    heard = b""
    while words not in heard:
        if not (chunk := one.recv(65_536)):
            raise SystemExit("The server closed a socket.")
        heard += chunk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=5000)
    count = parser.parse_args().sockets
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 500, most), most))  # the server inherits it
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        server = Server(Path(folder), "uvicorn", None, DEBUG="false", **UNLIMITED).start()
        held.callback(server.stop)
        tickets = tickets_of(server)
        warm = [opened(server.port, ticket) for ticket in tickets(20)]
        before, began = resident_bytes(server.pid), time.monotonic()
        sockets = [opened(server.port, ticket) for ticket in tickets(count)]
        opening = time.monotonic() - began
        time.sleep(1)
        memory, cpu = resident_bytes(server.pid) - before, cpu_seconds(server.pid)
        time.sleep(REST_SECONDS)
        cpu = (cpu_seconds(server.pid) - cpu) / REST_SECONDS
        pings = []
        for one in sockets[:: max(count // PINGS, 1)]:
            began = time.monotonic()
            one.sendall(text_frame('{"type":"ping"}'))
            _hear(one, b"pong")
            pings.append((time.monotonic() - began) * 1000)
        print(f"{len(sockets)} idle sockets, opened in {opening:.1f} s ({opening / count * 1000:.1f} ms each)")
        print(f"{memory / count / 1024:.1f} KiB each; {cpu:.3f} of a core for all")
        print(f"ping: median {statistics.median(pings):.1f} ms, most {max(pings):.1f} ms")
        for one in (*warm, *sockets):
            one.close()


if __name__ == "__main__":
    main()
