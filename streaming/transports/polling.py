"""One JSON page of a log."""

from collections.abc import Sequence

import orjson

from streaming.models import Run
from streaming.wire import Cursor, Item

CONTENT_TYPE = "application/json"


def encode(run: Run, items: Sequence[Item], cursor: Cursor, closed: bool) -> bytes:
    """`{"run_id", "state", "events", "cursor", "closed"}`; `closed`: this page reaches the end of a closed log."""
    page = {
        "run_id": str(run.id),
        "state": run.state,
        "events": [orjson.Fragment(item.envelope) for item in items],
        "cursor": str(cursor),
        "closed": closed,
    }
    return orjson.dumps(page)
