"""Newline-delimited JSON: one envelope a line."""

from collections.abc import Sequence

from streaming.wire import Item

CONTENT_TYPE = "application/x-ndjson"


def encode(items: Sequence[Item]) -> str:
    return "".join(f"{item.envelope}\n" for item in items) if items else '{"type":"keepalive"}\n'


def opening(connection_frame: str) -> str:
    return f"{connection_frame}\n"


def refusal(error_frame: str) -> str:
    """Why the stream ends without a settling event."""
    return f"{error_frame}\n"
