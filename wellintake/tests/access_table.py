"""Who may call what: one row for every address, one for every message of a socket.

A new address without a row fails `test_access_table.py`, a new message `test_access_sockets.py`; so does a row whose
address is gone. To add one:

- an HTTP address: its route, as `urlpatterns` spells it, into `HTTP`, with what each method needs: a scope, `SIGNED_IN`
  (any good credential) or `NOBODY` (open to everybody). Routes with a `run_id` are also tried on somebody else's run.
- an address with a proof of its own (a signed callback): into `OTHERWISE`, with the test that holds it.
- a page of the admin: nothing; every address under `admin/` is tried without a session, and by staff without
  permissions. Only what such staff may see all the same stands in `ADMIN_FOR_ALL_STAFF`.
- a WebSocket route into `SOCKETS`, a message into `MESSAGES`, a hub method into `INVOCATIONS`.
"""

from collections.abc import Iterator

from django.urls import URLResolver, get_resolver

SIGNED_IN = "any scope"
NOBODY = "open"

_RUN = "stream/runs/<run:run_id>"
HTTP: dict[str, dict[str, str]] = {
    "": {"GET": NOBODY},
    "addin/manifest.xml": {"GET": NOBODY},
    "addin/manifest.json": {"GET": NOBODY},
    "addin/es.json": {"GET": NOBODY},
    "addin/taskpane.html": {"GET": NOBODY},
    "addin/commands.html": {"GET": NOBODY},
    "addin/simulator/": {"GET": NOBODY},
    "addin/simulator/taskpane.html": {"GET": NOBODY},
    "addin/simulator/commands.html": {"GET": NOBODY},
    "api/schema/": {"GET": NOBODY},
    "api/docs/": {"GET": NOBODY},
    "api/events/": {"GET": NOBODY},
    "api/events/asyncapi.json": {"GET": NOBODY},
    "stream/health": {"GET": NOBODY},
    "stream/metrics": {"GET": "metrics"},
    "metrics": {"GET": "metrics"},
    "stream/negotiate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "stream/sse/process-email": {"POST": "intake"},
    "stream/batch/process-email": {"POST": "intake"},
    "stream/runs": {"POST": "intake"},
    _RUN: {"GET": "read"},
    f"{_RUN}/events": {"GET": "read"},
    f"{_RUN}/mail": {"GET": "read"},
    f"{_RUN}/subscribe": {"POST": "read"},
    f"{_RUN}/save": {"POST": "intake"},
    f"{_RUN}/cancel": {"POST": "intake"},
    f"{_RUN}/retry": {"POST": "intake"},
    f"{_RUN}/undo": {"POST": "intake"},
    f"{_RUN}/followup": {"GET": "read", "POST": "intake"},
    f"{_RUN}/rerun": {"POST": "intake"},
    "intake/email": {"POST": "intake"},
    "intake/email/status/<str:run_id>": {"GET": "read"},
}
# `stream/signalr/upstream` is there only where Azure SignalR is set up: streaming/tests/test_azure.py holds it.
OTHERWISE: dict[str, str] = {}
ADMIN_FOR_ALL_STAFF = {
    "admin/",
    "admin/login/",
    "admin/logout/",
    "admin/password_change/",
    "admin/password_change/done/",
    "admin/jsi18n/",
}

# What proves who it is: a ticket, spent by being shown, or the admin's session.
SOCKETS = {"stream/ws/email-processing": "ticket", "stream": "ticket", "admin/live/socket": "session"}
# By type: the scope that it needs, and what it says of somebody else's run; None: it is about no run of another.
MESSAGES: dict[str, tuple[str, dict | None]] = {
    "process_email": ("intake", None),
    "subscribe": ("read", {}),
    "save": ("intake", {}),
    "cancel": ("intake", {}),
    "unsubscribe": (SIGNED_IN, None),
    "ack": (SIGNED_IN, None),
    "ping": (SIGNED_IN, None),
    "close": (SIGNED_IN, None),
}
# By method: the scope that it needs, and the arguments after somebody else's run.
INVOCATIONS: dict[str, tuple[str, list | None]] = {
    "ProcessEmail": ("intake", None),
    "Subscribe": ("read", [None]),
    "Save": ("intake", [None]),
    "Cancel": ("intake", []),
    "Unsubscribe": (SIGNED_IN, None),
    "Ack": (SIGNED_IN, None),
}


def routes(patterns=None, before="") -> Iterator[str]:
    """Every route of the URL configuration, in full."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def private() -> list[tuple[str, str, str]]:
    """(method, route, scope) of all that needs a credential."""
    return [(method, route, scope) for route, row in HTTP.items() for method, scope in row.items() if scope != NOBODY]
