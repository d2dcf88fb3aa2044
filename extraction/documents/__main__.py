"""Reads one document from standard input under hard limits. A crash is an answer too: the parent calls it damaged."""

import json
import os
import resource
import sys
from contextlib import suppress
from importlib import import_module

from extraction.documents import Refused

MEMORY = 768 * 1024 * 1024  # address space; PDFium and Python alone take a third of it


def main(kind: str, seconds: int) -> None:
    document = import_module(f"extraction.documents.{kind}")
    content = sys.stdin.buffer.read()
    _confine(seconds)
    try:
        answer = document.read(content)._asdict()
    except Refused as refusal:
        answer = {"fault": refusal.fault}
    json.dump(answer, sys.stdout)


def _confine(seconds: int) -> None:
    """From here on: no file, no socket, no process, a bounded time and memory. The parser's code is not trusted to
    stay itself."""
    os.nice(5)  # the first fields of the next mail come first
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    for limit, most in limits.items():
        with suppress(ValueError, OSError):  # macOS knows these limits, but does not take all of them
            resource.setrlimit(limit, (most, most + 1 if limit == resource.RLIMIT_CPU else most))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
