"""The real nginx with `deploy/nginx.conf`, in front of servers of the tests."""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from wellintake.tests.server import KEY, ROOT
from wellintake.tests.services import free_port, running

FILE = ROOT / "deploy" / "nginx.conf"
SERVER = re.compile(r"^    server ([\d.]+:\d+)", re.MULTILINE)  # of the upstream
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx:
    """Used like a `Server` by those who read: `url`, `port`, `client()`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "nginx.log"

    def client(self, **given) -> httpx2.AsyncClient:
        headers = {"X-API-Key": KEY} | given.pop("headers", {})
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30, **given)

    @classmethod
    @contextmanager
    def before(cls, folder: Path, *servers) -> Iterator["Nginx"]:
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "The tests need nginx; `make test` installs it where it may."
        nginx = cls(folder)
        (folder / "nginx.conf").write_text(_placed(FILE.read_text(), folder, nginx, servers))
        # Folders of pytest are open to their owner only.
        own = f"daemon off; pid {folder}/nginx.pid;" + (" user root;" if os.getuid() == 0 else "")
        command = [program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr", "-g", own]
        with running(command, nginx.log, {}, lambda: socket.create_connection(("127.0.0.1", nginx.port)).close()):
            yield nginx


def _placed(text: str, folder: Path, nginx: Nginx, servers) -> str:
    """The file as it is, but for where things are on this machine."""
    for address, server in zip(SERVER.findall(text), servers, strict=True):
        text = text.replace(address, f"127.0.0.1:{server.port}")
    places = "".join(f"\n  {name}_temp_path {folder}/{name};" for name in TEMPORARY)
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{nginx.port};").replace("http {", f"http {{{places}", 1)
    return text.replace("worker_processes auto;", "worker_processes 1;")
