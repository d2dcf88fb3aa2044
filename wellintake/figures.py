"""The figures of several processes as one: what `streaming.pulse` has heard from each, added up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from streaming.measures import KINDS, Kind, percentiles
from streaming.pulse import Heard

# What the product promises, in milliseconds at the 95th percentile.
TARGETS: dict[Kind, float] = {
    "first_field_ms": 500,
    "first_token_ms": 200,
    "field_ms": 500,
    "total_ms": 3000,
    "ws_latency_ms": 50,
}


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def connections_of(living: Sequence[Heard]) -> list[dict[str, Any]]:
    """The newest first."""
    found = chain.from_iterable(one.last["connections"] for one in living)
    return sorted(found, key=lambda one: -one["connected_at"])


def performance_of(living: Sequence[Heard]) -> dict[str, dict[str, Any]]:
    """Percentiles over the newest samples of each process, in milliseconds; `count` is since each process started."""
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        samples = chain.from_iterable(one.last["samples"][kind] for one in living)
        found[kind] = percentiles(samples) | {"count": sum(one.last["counts"][kind] for one in living)}
    return found


def against_targets(performance: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same with each target and whether it is met: None where nothing was seen."""
    told: dict[str, dict[str, Any]] = {}
    for kind, target in TARGETS.items():
        p95 = performance[kind]["p95"]
        told[kind] = {**performance[kind], "target": target, "met": None if p95 is None else p95 <= target}
    return told


def crm_of(living: Sequence[Heard]) -> dict[str, Any]:
    """Calls to the CRM since each process started."""
    calls = [one.last["crm"] for one in living]
    left = [one["credits_left"] for one in calls if one["credits_left"] is not None]
    return {
        "calls": sum(one["calls"] for one in calls),
        "by_status": added(one["by_status"] for one in calls),
        "retries": sum(one["retries"] for one in calls),
        "ms": percentiles(chain.from_iterable(one["samples"] for one in calls)),
        "credits_left": min(left, default=None),
    }
