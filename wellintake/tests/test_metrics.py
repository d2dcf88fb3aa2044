"""What Prometheus is told, and those who ask for it: the dashboard, the alerts."""

import json
import re
from dataclasses import replace

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from streaming.callers import Caller
from streaming.live import Live
from streaming.measures import BUCKETS_MS, KINDS
from streaming.models import Run
from wellintake.crm_calls import CrmCalls
from wellintake.overview import SENTENCES
from wellintake.prometheus import Exposition
from wellintake.tests.server import ROOT
from wellintake.wiring import parts

pytestmark = pytest.mark.embedded
TRANSPORTS = ("websocket", "signalr", "sse", "ndjson")
# All that a label may say. A user, a run or an address among them would be a series for each.
LABELS = {
    "version": r"[\w.+-]+",
    "transport": "|".join(TRANSPORTS),
    "state": "|".join(Run.State.values),
    "check": "|".join(SENTENCES),
    "status": r"\d{3}|timeout|network",
    "le": "|".join(re.escape(str(bound / 1000)) for bound in BUCKETS_MS) + r"|\+Inf",
}


@pytest.fixture
async def told():
    """Everything that is told, with a sample of each kind: metric → its samples' labels."""
    built, calls = parts(), CrmCalls()
    busy = replace(built, live=Live(100), zoho=replace(built.zoho, calls=calls))
    for status in ("200", "429", "timeout", "network"):
        calls.called(status, 10.0, None)
    states = dict.fromkeys(Run.State.values, 1)
    facts = {"runs": states, "queue": {"depth": 1, "oldest_seconds": 1.0}, "checks": dict.fromkeys(SENTENCES, "ok")}
    callers = [Caller(f"key:{number}", f"firm {number}", f"Jane Roe {number}") for number in range(3)]
    held = [await busy.live.connect(transport, caller) for transport in TRANSPORTS for caller in callers]
    labels = {}
    for family in text_string_to_metric_families(Exposition(busy, facts).text().decode()):
        for sample in family.samples:
            labels.setdefault(sample.name, []).append(sample.labels)
    assert len(held) == len(busy.live)
    return labels


def expressions():
    """Of both files: (where it stands, PromQL)."""
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text())["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])


def test_every_metric_and_label_that_is_asked_for_is_told(told):
    asked = list(expressions())

    assert len(asked) > 20
    for where, expression in asked:
        metrics = set(re.findall(r"wellintake_\w+", expression))
        assert metrics and metrics <= set(told), where
        known = {label for metric in metrics for labels in told[metric] for label in labels}
        groups = re.findall(r"\bby \(([^)]*)\)", expression) + re.findall(r"\{(\w+)[=!]", expression)
        assert {label.strip() for group in groups for label in group.split(",")} <= known, where


def test_the_dashboard_names_in_its_legends_only_what_it_groups_by():
    for panel in json.loads((ROOT / "deploy" / "grafana.json").read_text())["panels"]:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert f"by ({label})" in target["expr"], panel["title"]


def test_the_dashboard_leaves_nothing_out_that_is_told(told):
    everything = " ".join(expression for _, expression in expressions())

    families = {re.sub(r"_(bucket|count|sum)$", "", metric) for metric in told if not metric.endswith("_created")}
    assert {family for family in families if family not in everything} == set()
    assert {f"wellintake_{kind.removesuffix('_ms')}_seconds" for kind in KINDS} <= families


def test_labels_say_a_bounded_number_of_things_whoever_is_connected(told):
    for metric, samples in told.items():
        for labels in samples:
            for name, value in labels.items():
                assert re.fullmatch(LABELS[name], value), metric
        assert len({tuple(labels.items()) for labels in samples}) == len(samples)
    assert {labels["transport"] for labels in told["wellintake_connections"]} == set(TRANSPORTS)


async def test_the_checks_of_health_are_those_that_alerts_may_name():
    from wellintake.operations import Operations

    checks = await Operations(parts()).checks()

    assert set(checks) == set(SENTENCES)
