"""This process's figures for Prometheus.

Each web server and each worker is scraped for itself; what the database knows (runs by state, the queue) is the same
wherever it is asked. Names and units: https://prometheus.io/docs/practices/naming/
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from streaming.measures import KINDS
from wellintake import __version__
from wellintake.wiring import Parts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HELP = {
    "first_field_ms": "From the acceptance of a mail to its first field.",
    "first_token_ms": "From the acceptance of a mail to the model's first token.",
    "field_ms": "From a field being told to its being stored.",
    "total_ms": "From the acceptance of a mail to all of its fields.",
    "ws_latency_ms": "From an event being told to its being sent over a socket.",
}


class Exposition(Collector):
    """`facts` come from the database: `{"runs": {state: n}, "queue": {…}, "checks": {name: word}}`."""

    def __init__(self, parts: Parts, facts: dict[str, Any]) -> None:
        self._parts = parts
        self._facts = facts

    def text(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        measures, live = self._parts.log.measures, self._parts.live
        yield InfoMetricFamily("wellintake_build", "What runs.", value={"version": __version__})
        by_transport = Counter(one.transport for one in live.connections())
        yield _gauges("wellintake_connections", "Open connections.", "transport", by_transport)
        yield CounterMetricFamily("wellintake_events", "Events written to logs.", value=measures.events)
        yield GaugeMetricFamily(
            "wellintake_unwritten_runs", "Runs with events to write.", value=self._parts.log.queued()
        )
        for kind in KINDS:
            buckets, total = measures.histogram(kind)
            name = f"wellintake_{kind.removesuffix('_ms')}_seconds"
            yield HistogramMetricFamily(name, HELP[kind], buckets=buckets, sum_value=total)
        calls = self._parts.zoho.calls.view()
        family = CounterMetricFamily("wellintake_crm_calls", "Calls to the CRM by outcome.", labels=["status"])
        for status, count in calls["by_status"].items():
            family.add_metric([status], count)
        yield family
        yield CounterMetricFamily(
            "wellintake_crm_retries", "Calls to the CRM that were begun again.", value=calls["retries"]
        )
        yield _gauges("wellintake_open_runs", "Runs not at their end.", "state", self._facts["runs"])
        queue = self._facts["queue"]
        yield GaugeMetricFamily("wellintake_queue_depth", "Runs that wait for a worker.", value=queue["depth"])
        age = queue["oldest_seconds"]
        yield GaugeMetricFamily("wellintake_queue_oldest_seconds", "How long the oldest of them waits.", value=age)
        well = {name: int(word in ("ok", "off", "configured")) for name, word in self._facts["checks"].items()}
        yield _gauges("wellintake_check_ok", "1 while a check of /stream/health is well.", "check", well)


def _gauges(name: str, text: str, label: str, values: dict[str, int] | Counter[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([str(value)], count)
    return family
