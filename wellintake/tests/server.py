"""The real server as processes of its own, on a port of its own, with a database of its own.

Embedded: one process and a SQLite file. Distributed, when DATABASE_URL and REDIS_URL name real services
(`wellintake.tests.services`): a web server and a worker, a PostgreSQL database and a Redis database.
"""

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import httpx2
import psycopg

from wellintake.tests.services import REDIS_DATABASES, free_port

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-for-tests-0123456789"
START_SECONDS = 60.0
POSTGRESQL = os.environ.get("DATABASE_URL", "").rpartition("/")[0]
REDIS = os.environ.get("REDIS_URL", "").rpartition("/")[0]
DISTRIBUTED = bool(POSTGRESQL and REDIS)
_redis_databases = itertools.cycle(range(1, REDIS_DATABASES))

COMMANDS = {
    "daphne": ["manage.py", "runserver", "--noreload"],
    "worker": ["manage.py", "worker"],
    "uvicorn": [
        *("-m", "uvicorn", "wellintake.asgi:application", "--ws", "websockets-sansio", "--no-access-log"),
        *("--http", "wellintake.access.patience:PatientProtocol"),
    ],
}


class Database:
    """One server's database: a file in `folder`, or one of the real PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "server.sqlite3"
        self.name = f"server_{uuid.uuid4().hex}"
        self.url = f"{POSTGRESQL}/{self.name}" if DISTRIBUTED else f"sqlite:///{self.file}"
        self.exists = self.file.exists()

    def copy_from(self, template: "Database | None") -> None:
        """Of a migrated database; of nothing without one."""
        if not DISTRIBUTED:
            if template:
                shutil.copy(template.file, self.file)
        else:
            with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True) as database:
                source = f"TEMPLATE {template.name}" if template else ""
                database.execute(f"CREATE DATABASE {self.name} {source}")
        self.exists = True

    def rows(self, statement: str) -> list[tuple]:
        with closing(psycopg.connect(self.url) if DISTRIBUTED else sqlite3.connect(self.file)) as database:
            return database.execute(statement).fetchall()

    def change(self, statement: str) -> None:
        with closing(psycopg.connect(self.url) if DISTRIBUTED else sqlite3.connect(self.file)) as database:
            database.execute(statement)
            database.commit()


class Server:
    """`Server(folder, "daphne").start()`; its database outlives restarts, `log` holds what it printed. By default a
    distributed server has a worker beside it. `beside` is another server, to be a further host of the same database
    and queue: a replica, or a worker alone."""

    def __init__(self, folder: Path, kind: str = "daphne", beside: "Server | None" = None, **environment: str) -> None:
        self.folder = folder
        self.beside = beside
        self.kind = kind
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{kind}-{self.port}.log"
        self.database = beside.database if beside else Database(folder)
        self._processes: list[subprocess.Popen[bytes]] = []
        redis = {"REDIS_URL": f"{REDIS}/{next(_redis_databases)}"} if DISTRIBUTED else {}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")},
            "DATABASE_URL": self.database.url,
            **redis,
            "API_KEY": KEY,
            "RESEARCH": "off",
            # All tests come from one address, most of them with one key.
            **dict.fromkeys(("MAX_REQUESTS_PER_USER", "MAX_REQUESTS_PER_ADDRESS", "MAX_FAILED_LOGINS"), "1000000"),
            "DEBUG": "true",
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough-0123456789",
            "OWN_DOMAINS": "wellrecruiting.example",
            "PYTHONUNBUFFERED": "1",
            **(beside.environment if beside else {}),
            **environment,
        }

    @property
    def pid(self) -> int:
        return self._processes[0].pid

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def start(self) -> "Server":
        if not self.database.exists:
            self.create_database()
        address = ["--port", str(self.port)] if self.kind == "uvicorn" else [f"127.0.0.1:{self.port}"]
        if self.kind == "worker":
            address = ["--metrics-port", str(self.port)]
        commands = [[*COMMANDS[self.kind], *address]]
        if DISTRIBUTED and not self.beside and "JOBS" not in self.environment:
            commands.append(COMMANDS["worker"])
        with self.log.open("ab") as log:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
                )
                for command in commands
            ]
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
            if any(process.poll() is not None for process in self._processes):
                break
            if self._is_ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[-3000:]}")

    def _is_ready(self) -> bool:
        if self.kind == "worker":
            return "Working." in self.log.read_text()
        try:
            answer = httpx2.get(f"{self.url}/stream/health", timeout=5)
        except httpx2.TransportError:
            return False
        return answer.status_code == 200 and answer.json()["checks"]["engine"] == "ok"

    def kill(self) -> None:
        """As when the machine goes away."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(10)

    def terminate(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 20) -> int:
        """The web server's exit status."""
        statuses = [process.wait(seconds) for process in self._processes]
        return statuses[0]

    def stop(self) -> None:
        if any(process.poll() is None for process in self._processes):
            self.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()

    def client(self, **given) -> httpx2.AsyncClient:
        headers = {"X-API-Key": KEY} | given.pop("headers", {})
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30, **given)

    def create_database(self) -> None:
        self.database.copy_from(None)
        self.manage("migrate", "--verbosity", "0")

    def copy_database_from(self, template: Database) -> None:
        self.database.copy_from(template)
