"""The documents are held to the code."""

import json
import re
from typing import get_args

import httpx2
import pytest
from jsonschema import Draft202012Validator

from extraction.events import Event
from wellintake.documents import asyncapi
from wellintake.environment import NOT_YET, Environment
from wellintake.tests.server import ROOT

pytestmark = pytest.mark.embedded

DOCS = ROOT / "docs"


def test_every_setting_stands_in_the_table_with_its_default_and_none_else():
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.+?) \| (.+) \|$", (DOCS / "settings.md").read_text(), re.MULTILINE)

    assert [name for name, _, _ in rows] == [name.upper() for name in Environment.model_fields]
    for name, default, words in rows:
        field = Environment.model_fields[name.lower()]
        shown = default.strip("`")
        given = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        assert shown == (str(given).lower() if isinstance(given, bool) else str(given)) or (shown == "–" and not given)
        assert (field.description or "").replace("|", "\\|") in words
        assert ("refused by this version" in words) == (name.lower() in NOT_YET)


def test_every_event_stands_in_the_docs_with_its_fields():
    text = (DOCS / "events.md").read_text()
    sections = {part.partition("`")[0]: part for part in text.split("## `")[1:]}

    assert list(sections) == [event.type for event in get_args(Event)]
    for event in get_args(Event):
        told = re.findall(r"`(\w+)`", sections[event.type].rpartition("data: ")[2])
        assert told == list(event.model_fields)


def test_every_file_that_the_documents_name_exists():
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")):
        text = document.read_text()
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
        files = re.findall(r"`((?:extraction|streaming|wellintake|zoho|addin)/[\w/.]+)`", text)
        assert all((document.parent / link).exists() for link in links), document.name
        assert all((ROOT / file).exists() for file in files), document.name


def test_no_document_names_a_machine():
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")):
        text = document.read_text()
        assert str(ROOT) not in text
        assert not re.search(r"(?<![\w.:/])/(?:root|home|Users)/", text)


def test_the_asyncapi_document_knows_every_event_and_its_schemas_are_schemas():
    document = asyncapi()

    messages = document["channels"]["emailProcessing"]["messages"]
    assert {event.type for event in get_args(Event)} <= set(messages)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
    assert set(references) <= set(document["components"]["schemas"])


@pytest.mark.server
async def test_what_is_told_has_the_form_that_asyncapi_promises(server):
    from conftest import MAIL

    document = asyncapi()
    async with server.client() as http:
        lines = (await http.post("/stream/batch/process-email", json=MAIL | {"mode": "preview"})).text.splitlines()[1:]

    for event in map(json.loads, lines):
        payload = document["channels"]["emailProcessing"]["messages"][event["type"]]["payload"]
        Draft202012Validator(payload | {"components": document["components"]}).validate(event)


@pytest.mark.server
async def test_the_openapi_document_names_every_address(server):
    from streaming.urls import routes
    from streaming.views import StreamingViews
    from wellintake.wiring import parts

    built = parts()
    async with httpx2.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/api/schema/", headers={"Accept": "application/json"})
        page = await http.get("/api/docs/")
        events = await http.get("/api/events/")

    paths = set(answer.json()["paths"])
    views = StreamingViews(built.runs, built.live, built.addresses)
    ours = {f"/stream/{route.pattern}".replace("<run:run_id>", "{run_id}") for route in routes(views)}
    assert ours | {"/stream/health", "/stream/metrics", "/intake/email", "/intake/email/status/{run_id}"} <= paths
    references = set(re.findall(r'"#/components/schemas/(\w+)"', answer.text))
    assert references <= set(answer.json()["components"]["schemas"])
    assert (page.status_code, events.status_code) == (200, 200)
    assert "extraction_field" in events.text
