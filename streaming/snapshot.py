"""The state of a run, folded from its log: what a client that saw every event would know."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from streaming.models import Run
from streaming.wire import Cursor, Entry


def snapshot_from(run: Run, entries: Sequence[Entry], first_token_at: float | None) -> dict[str, Any]:
    """The snapshot of contract §9.11 without `links`, which depend on who asks. `entries` without the tokens."""
    state: dict[str, Any] = {
        "run_id": str(run.id),
        "state": run.state,
        "mode": run.mode,
        "cursor": str(Cursor(run.epoch, run.last_sequence)),
        "created_at": datetime.fromtimestamp(run.created_at, UTC).isoformat(),
        "saved_by": run.saved_by or None,
        "engine": None,
        "model": None,
        "prompt_version": None,
        "language": None,
        "intent": None,
        "people": [],
        "research": None,
        "duplicates": [],
        "draft": None,
        "expires_at": None,
        "records": [],
        "undone": [],
        "issues": [],
        "usage": None,
        "error": None,
        "status": None,
        "reason": None,
        "target": None,
    }
    for entry in entries:
        _tell(state, entry.type, orjson.loads(entry.data))
    return state | {"timings": timings_from(run, entries, first_token_at)}


def _tell(state: dict[str, Any], kind: str, data: dict[str, Any]) -> None:
    match kind:
        case "extraction_start":
            told = ("engine", "model", "prompt_version", "language")
            state.update({key: data.get(key) for key in told}, error=None)
        case "extraction_field":
            _put_field(state["people"], data)
        case "research_result":
            state["research"] = data
        case "duplicate_found":
            state["duplicates"].append(data)
        case "validation_result":
            state.update(_result(data))
        case "review_ready":
            state.update(draft=data["draft"], expires_at=data["expires_at"])
        case "zoho_start":
            state.update(error=None, target=data["target"], undone=[])
        case "zoho_progress":
            state["records"].append(
                {"module": data["step"]} | {key: data[key] for key in ("id", "url", "action", "person")}
            )
        case "undo_start":
            state.update(error=None, status=None)
        case "undo_complete":
            state.update(records=[], undone=data["records"])
        case "complete":
            state.update(status=data["status"], usage=data["usage"], records=data["records"], **_result(data["result"]))
        case "error":
            state["error"] = data
        case _:
            pass  # starts say nothing about the state


def _result(result: dict[str, Any]) -> dict[str, Any]:
    known = ("people", "intent", "issues", "engine", "model", "prompt_version", "usage", "reason")
    return {key: result[key] for key in known if key in result}


def _put_field(people: list[dict[str, Any]], data: dict[str, Any]) -> None:
    while len(people) <= data["person"]:
        people.append({"index": len(people), "role": None, "company": {}, "contact": {}, "deal": {}, "fields": []})
    person = people[data["person"]]
    value = {key: data[key] for key in ("record", "field", "value", "confidence", "origin", "evidence")}
    person["fields"] = [
        given for given in person["fields"] if (given["record"], given["field"]) != (value["record"], value["field"])
    ] + [value | {"alternatives": []}]
    person.setdefault(value["record"], {})[value["field"]] = value["value"]


def timings_from(run: Run, entries: Sequence[Entry], first_token_at: float | None) -> dict[str, float]:
    """Milliseconds from acceptance to each milestone that was reached; `research` and `saving` from their own start."""
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for entry in entries:
        first.setdefault(entry.type, entry.timestamp)
        last[entry.type] = entry.timestamp
    marks = {
        "first_field": first.get("extraction_field"),
        "first_token": first_token_at,
        "extraction": first.get("validation_start"),
        "validation": first.get("validation_result"),
        "total": max(
            (last[kind] for kind in ("review_ready", "complete", "error", "cancelled") if kind in last), default=None
        ),
    }
    spans = {
        "research": (first.get("research_start"), last.get("research_result")),
        "saving": (run.saving_at or first.get("zoho_start"), last.get("zoho_complete")),
    }
    found = {name: at - run.created_at for name, at in marks.items() if at}
    found |= {name: end - start for name, (start, end) in spans.items() if start and end}
    return {name: round(max(seconds, 0.0) * 1000, 1) for name, seconds in found.items()}
