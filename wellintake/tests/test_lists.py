"""The admin's lists among 100,000 runs: what they ask goes through indexes and reads a bounded number of rows."""

import json
import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from streaming.lists import MOST_COUNTED, BigList
from streaming.models import Run
from streaming.tests.conftest import new_run

pytestmark = pytest.mark.django_db
PG = connection.vendor == "postgresql"
# SQLite plans without looking at what is there.
MANY = 100_000 if PG else 10_000
# What one list reads in all: a filter that one row in five passes meets five times what is counted. The same among a
# million; whatever reads a whole table is far above it.
MOST_ROWS_READ = 6 * MOST_COUNTED
LARGE = {"streaming_run", "streaming_reading", "streaming_auditentry"}
RUNS, AUDIT, OUTBOX = ("/admin/streaming/run/", "/admin/streaming/auditentry/", "/admin/streaming/savedrun/")
# Plain SQL of both databases, in the place of a hundred thousand objects.
FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {many})
INSERT INTO {table} ({columns}) SELECT {values} FROM numbers
"""
RUN_ID = "(lpad(to_hex(n), 32, '0'))::uuid" if PG else "printf('%032x', n)"


def fill(table: str, **values: str) -> None:
    with connection.cursor() as cursor:
        columns, given = ", ".join(values), ", ".join(values.values())
        cursor.execute(FILL.format(many=MANY, table=table, columns=columns, values=given))


def fill_everything() -> None:
    """Most runs are complete and quick; one in a thousand has failed; every user hands in a mail in turn."""
    one = new_run()
    fixed = {
        field.column: connection.ops.adapt_unknown_value(
            field.get_db_prep_save(getattr(one, field.attname), connection)
        )
        for field in Run._meta.concrete_fields
    }
    one.delete()
    literal = {
        name: "NULL" if value is None else str(value).upper() if isinstance(value, bool) else repr(value)
        for name, value in fixed.items()
    }
    fill(
        "streaming_run",
        **literal
        | {
            "id": RUN_ID,
            "tenant": "'firm' || (n % 5)",
            "owner": "'key:' || (n % 50)",
            "owner_name": "'user ' || (n % 50)",
            "correlation_id": "'c' || n",
            "message_id": "'<' || n || '@mail.example>'",
            "state": "CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'complete' END",
            "error_code": "CASE WHEN n % 1000 = 0 THEN 'crm_rejected' END",
            "closed": "TRUE",
            "model_used": "'gpt-' || (n % 4)",
            "prompt_version": "'v' || (n % 2)",
            "seconds": "CASE WHEN n % 500 = 0 THEN 20.5 ELSE n % 5 * 0.5 END",
            "created_at": "1790000000 + n",
            "saved_at": "CASE WHEN n % 2 = 0 THEN 1790000003 + n END",
            "saving_at": "CASE WHEN n % 2 = 0 THEN 1790000003 + n END",
        },
    )
    reading = {
        "run_id": RUN_ID,
        "at": "1790000001 + n",
        "reader": "'user ' || (n % 50)",
        "connection": "'c'",
        "after": "0",
    }
    fill("streaming_reading", **reading, transport="CASE WHEN n % 1000 = 7 THEN 'ndjson' ELSE 'websocket' END")
    deed = {
        "at": "1790000000 + n",
        "actor": "'key:' || (n % 50)",
        "actor_name": "'user ' || (n % 50)",
        "run_id": RUN_ID,
    }
    fill("streaming_auditentry", **deed, tenant="'firm' || (n % 5)", action="'start'", about="''")
    if PG:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does


class Plans:
    """Explains what is asked, before it is asked: which tables are read row by row, and how many rows are read."""

    def __init__(self):
        self.scanned, self.read = set(), 0

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith("SELECT") and "streaming_" in sql:
            with connection.cursor() as cursor:
                prefix = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " if PG else "EXPLAIN QUERY PLAN "
                cursor.cursor.execute(prefix + sql, params)
                rows = cursor.cursor.fetchall()
            self._postgresql(rows[0][0]) if PG else self._sqlite(rows)
        return execute(sql, params, many, context)

    def _sqlite(self, rows):
        for *_, detail in rows:
            self.scanned |= set(re.findall(r"^SCAN (streaming_\w+)(?! USING)(?!\w)", detail))

    def _postgresql(self, plans):
        nodes = [plan["Plan"] for plan in (json.loads(plans) if isinstance(plans, str) else plans)]
        while nodes:
            node = nodes.pop()
            nodes += node.get("Plans", [])
            if node["Node Type"] == "Seq Scan":
                self.scanned |= {node["Relation Name"]} & LARGE
            if "Scan" in node["Node Type"]:
                seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                self.read += seen * node["Actual Loops"]


@pytest.fixture
def admin():
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_no_list_filter_or_search_reads_the_whole_table(admin, monkeypatch):
    monkeypatch.setattr(BigList, "list_per_page", 20)  # drawing is not what is looked at
    fill_everything()
    run_id = Run.objects.values_list("pk", flat=True).get(correlation_id="c7777")
    asked = {
        # address, query, which share of all is found
        "runs": (RUNS, {}, 1),
        "by state": (RUNS, {"state__exact": "failed"}, 1 / 1000),
        "by user": (RUNS, {"owner_name": "user 7"}, 1 / 50),
        "by a rare transport": (RUNS, {"transport": "ndjson"}, 1 / 1000),
        "by the usual transport": (RUNS, {"transport": "websocket"}, 1),
        "by duration": (RUNS, {"duration": "very-slow"}, 1 / 500),
        "by error": (RUNS, {"error_code": "crm_rejected"}, 1 / 1000),
        "by model": (RUNS, {"model_used": "gpt-1"}, 1 / 4),
        "by prompt": (RUNS, {"prompt_version": "v1"}, 1 / 2),
        "by duration, slowest first": (RUNS, {"o": "-6"}, 1),
        "by user and transport": (RUNS, {"owner_name": "user 7", "transport": "ndjson"}, 1 / 1000),
        "a late page": (RUNS, {"p": "50"}, 1),
        "search by link": (RUNS, {"q": f"https://host.example/admin/runs/{run_id}/"}, 1 / MANY),
        "search by correlation id": (RUNS, {"q": "c7777"}, 1 / MANY),
        "search by Message-ID": (RUNS, {"q": "<7777@mail.example>"}, 1 / MANY),
        "search by user": (RUNS, {"q": "user 7"}, 1 / 50),
        "search for nothing that is there": (RUNS, {"q": "nobody"}, 0),
        "audit": (AUDIT, {}, 1),
        "audit by name": (AUDIT, {"actor_name": "user 7"}, 1 / 50),
        "audit by action": (AUDIT, {"action__exact": "erase"}, 0),
        "audit by tenant": (AUDIT, {"tenant": "firm1"}, 1 / 5),
        "audit of a run": (AUDIT, {"q": str(run_id)}, 1 / MANY),
        "saves": (OUTBOX, {}, 1 / 2),
        "saves that failed": (OUTBOX, {"outcome": "failed"}, 1 / 1000),
        "saves of a tenant": (OUTBOX, {"tenant": "firm1"}, 1 / 10),
    }

    found, scanned, read = {}, {}, {}
    for what, (address, query, _) in asked.items():
        plans = Plans()
        with connection.execute_wrapper(plans):
            page = admin.get(f"{address}?{urlencode(query)}")
        found[what] = int(page.context["cl"].result_count)
        scanned[what] = plans.scanned
        read[what] = plans.read

    assert found == {what: min(int(MANY * share), MOST_COUNTED) for what, (_, _, share) in asked.items()}
    assert {what: tables for what, tables in scanned.items() if tables} == {}
    assert {what: rows for what, rows in read.items() if rows > MOST_ROWS_READ} == {}


def test_a_list_says_that_there_are_more_than_it_has_counted(admin, monkeypatch):
    monkeypatch.setattr("streaming.lists.MOST_COUNTED", 2)
    for number in range(3):
        new_run(owner_name="ann", correlation_id=f"c{number}")

    page = admin.get(RUNS).content.decode()
    two = admin.get(RUNS, {"q": "c1"}).content.decode()

    assert "2+ runs" in page
    assert "1 run" in two and "1+ run" not in two


def test_a_filter_offers_what_is_there_and_keeps_what_was_chosen(admin):
    for name in ("ann", "bob", ""):
        new_run(owner_name=name)

    page = admin.get(RUNS, {"owner_name": "cid"})

    (user,) = (one for one in page.context["cl"].filter_specs if one.title == "user")
    assert [value for value, _ in user.lookup_choices] == ["ann", "bob", "cid"]
