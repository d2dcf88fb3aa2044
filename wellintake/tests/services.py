"""A real PostgreSQL and a real Redis for one command: `python -m wellintake.tests.services -- pytest`.

Both listen on loopback ports of their own, keep their data in a temporary folder, and end with the command. The command
finds them in DATABASE_URL and REDIS_URL.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

REDIS_DATABASES = 4096  # one for each server of the tests
START_SECONDS = 30.0
# Nothing of it outlives the command, so nothing needs to survive a power cut.
FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "400", "listen_addresses": "127.0.0.1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of a fresh cluster. Root starts it as the user that the package made: it refuses root itself."""
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
    find = (lambda name: str(programs / name)) if programs else shutil.which
    assert find("initdb"), "The tests need PostgreSQL; `make test` installs it where it may."
    whose = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    if whose:
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()
    subprocess.run(
        [find("initdb"), "-D", data, "-U", "wellintake", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        **whose,
    )
    settings = [part for name, value in {**FAST, "port": str(port)}.items() for part in ("-c", f"{name}={value}")]
    server = [find("postgres"), "-D", data, "-k", "", *settings]
    url = f"postgresql://wellintake@127.0.0.1:{port}/postgres"
    with running(server, folder / "log", whose, lambda: psycopg.connect(url).close()):
        yield url


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    assert shutil.which("redis-server"), "The tests need Redis; `make test` installs it where it may."
    server = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server += ["--databases", str(REDIS_DATABASES)]
    with running(server, folder / "log", {}, lambda: socket.create_connection(("127.0.0.1", port)).close()):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def running(command, log: Path, whose, reach) -> Iterator[subprocess.Popen]:
    """A process that `reach` gets through to."""
    with log.open("wb") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output, **whose)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                reach()
                break
            except (OSError, psycopg.OperationalError):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def main(command: list[str]) -> int:
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        environment = {
            "DATABASE_URL": stack.enter_context(postgresql(folders[0])),
            "REDIS_URL": stack.enter_context(redis(folders[1])),
        }
        return subprocess.run(command, env={**os.environ, **environment}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
