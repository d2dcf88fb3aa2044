"""The real server as a process of its own, on a port of its own, with a database of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-for-tests-0123456789"
START_SECONDS = 60.0

COMMANDS = {
    "daphne": ["manage.py", "runserver", "--noreload"],
    "uvicorn": ["-m", "uvicorn", "wellintake.asgi:application", "--ws", "websockets-sansio", "--no-access-log"],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`Server(folder, "daphne").start()`; `folder` keeps its database over restarts, `log` what it printed."""

    def __init__(self, folder: Path, kind: str = "daphne", **environment: str) -> None:
        self.folder = folder
        self.kind = kind
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")},
            "DATABASE_URL": f"sqlite:///{folder / 'server.sqlite3'}",
            "API_KEY": KEY,
            "RESEARCH": "off",
            "DEBUG": "true",
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough-0123456789",
            "OWN_DOMAINS": "wellrecruiting.example",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> "Server":
        if not (self.folder / "server.sqlite3").exists():
            self.manage("migrate", "--verbosity", "0")
        address = ["--port", str(self.port)] if self.kind == "uvicorn" else [f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *COMMANDS[self.kind], *address],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_healthy()
        return self

    def manage(self, *command: str, **given) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            check=given.pop("check", True),
            capture_output=True,
            timeout=120,
            **given,
        )

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process
            if self._process.poll() is not None:
                break
            try:
                if httpx2.get(f"{self.url}/stream/health", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """As when the machine goes away."""
        assert self._process
        self._process.kill()
        self._process.wait(10)

    def terminate(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 20) -> int:
        assert self._process
        return self._process.wait(seconds)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()

    def client(self, **given) -> httpx2.AsyncClient:
        headers = {"X-API-Key": KEY} | given.pop("headers", {})
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30, **given)

    def copy_database_from(self, template: Path) -> None:
        shutil.copy(template, self.folder / "server.sqlite3")
