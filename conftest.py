"""What all tests share: servers as processes, the scripted model, a mail."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import pytest
from playwright.async_api import async_playwright

from wellintake.tests.server import DISTRIBUTED, ROOT, Server

MAIL = {
    "sender_email": "jane.roe@acmewealth.example",
    "sender_name": "Jane Roe",
    "subject": "Interested in a new role",
    "body": (
        "Hello,\n\nmy name is Jane Roe, I am a Senior Financial Advisor at Acme Wealth in Fort Wayne, Indiana.\n"
        "I manage $120M AUM. You can reach me at (260) 555-0144.\n\nBest regards,\nJane Roe\n"
    ),
}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A migrated, empty database to copy."""
    server = Server(tmp_path_factory.mktemp("template"))
    server.create_database()
    return server.database


# Many hosts run uvicorn (docs/operations.md); Daphne's ways are tested in the embedded half.
@pytest.fixture(scope="session", params=["uvicorn"] if DISTRIBUTED else ["daphne", "uvicorn"])
def server(request, tmp_path_factory, migrated):
    """A server that many tests share, under both ASGI servers."""
    server = Server(tmp_path_factory.mktemp(request.param), request.param, MAX_CONNECTIONS_PER_USER="60")
    server.copy_database_from(migrated)
    yield server.start()
    server.stop()


@pytest.fixture
def own_server(tmp_path, migrated):
    """A server of one's own, to kill and to configure: `own_server("uvicorn", OPENAI_BASE_URL=…)`."""
    servers = []

    def start(kind="daphne", **environment):
        server = Server(tmp_path, kind, **environment)
        server.copy_database_from(migrated)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def scripted_model(tmp_path):
    """An OpenAI-compatible server as a process of its own: `scripted_model(answer, "--fault", "stall")`."""
    with scripted_models(tmp_path) as start:
        yield start


@contextmanager
def scripted_models(folder):
    """The same for a fixture of a wider scope."""
    processes = []

    def start(answer=None, *flags):
        command = [sys.executable, "-m", "extraction.tests.scripted_openai", "--port", "0", *map(str, flags)]
        if answer:
            (folder / "answer.json").write_text(answer)
            command += ["--answer", str(folder / "answer.json")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return ScriptedModel(process.stdout.readline().strip())

    try:
        yield start
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture(scope="session")
def small_model():
    """A real model as a process of its own: `small_model(tokens=64)` cuts its answers there. One process a length."""
    processes = {}

    def start(tokens):
        if tokens not in processes:
            command = [sys.executable, "-m", "extraction.tests.small_model", "--tokens", str(tokens)]
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            url = process.stdout.readline().strip()
            assert url, "The small model did not start; `make test` installs it."
            processes[tokens] = (process, SmallModel(url))
        return processes[tokens][1]

    yield start
    for process, _ in processes.values():
        process.communicate()


@dataclass(frozen=True)
class SmallModel:
    """Where the small model listens."""

    url: str

    @property
    def settings(self):
        return {"OPENAI_BASE_URL": self.url, "OPENAI_API": "chat", "OPENAI_MODEL": "smollm2", "OPENAI_TIMEOUT": "120"}

    def is_writing(self):
        """Whether it is busy with somebody's answer."""
        (slot,) = httpx2.get(f"{self.url.removesuffix('/v1')}/slots", timeout=30).json()
        return slot["is_processing"]


@dataclass(frozen=True)
class ScriptedModel:
    """Where the scripted server listens, and the settings that lead to it."""

    url: str

    @property
    def settings(self):
        return {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": "scripted-key", "OPENAI_TIMEOUT": "10"}

    def seen(self):
        return httpx2.get(f"{self.url.removesuffix('/v1')}/scripted").json()


@pytest.fixture
async def browser():
    """A real Chromium, the machine's own."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert path, "The tests need Chromium; `make test` installs it where it may."
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        await browser.close()
