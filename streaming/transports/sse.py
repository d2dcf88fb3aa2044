"""Server-sent events (WHATWG HTML §9.2)."""

from collections.abc import Sequence

from streaming.wire import Item

CONTENT_TYPE = "text/event-stream; charset=utf-8"
# `error` is `EventSource`'s own event: ours must not look like a broken connection.
_NAMES = {"error": "run_error"}
RETRY = "retry: 1000\n\n"


def encode(items: Sequence[Item]) -> str:
    """Events with their cursor as id, so that a cut in the middle of one loses nothing; silence is a comment."""
    if not items:
        return ": keepalive\n\n"
    return "".join(
        f"id: {item.cursor}\nevent: {_NAMES.get(item.type, item.type)}\ndata: {item.envelope}\n\n" for item in items
    )


def opening(connection_frame: str) -> str:
    return f"{RETRY}event: connection_established\ndata: {connection_frame}\n\n"


def refusal(error_frame: str) -> str:
    """Why the stream ends without a settling event."""
    return f"event: {_NAMES['error']}\ndata: {error_frame}\n\n"
