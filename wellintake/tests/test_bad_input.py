"""Whatever is sent: a clear message that names the field, the documented status, nothing half-done."""

import base64
import json

import pytest

from conftest import MAIL
from wellintake.tests.server import KEY

pytestmark = [pytest.mark.server, pytest.mark.embedded]

REFUSED = {
    "no JSON": (b"{", 400, "malformed_json", []),
    "not an object": (b"[]", 422, "fields_at_fault", [""]),
    "empty": (b"", 400, "malformed_json", []),
    "unknown keys": ({**MAIL, "colour": 1, "shape": 2}, 422, "fields_at_fault", ["colour", "shape"]),
    "wrong types": ({**MAIL, "subject": 1, "to": "x"}, 422, "fields_at_fault", ["subject", "to"]),
    "nothing of a mail": ({"mode": "preview"}, 422, "fields_at_fault", ["sender_email", "subject", "body"]),
    "a mode that is none": ({**MAIL, "mode": "turbo"}, 422, "fields_at_fault", ["mode"]),
    "a body over 1 MB": ({**MAIL, "body": "x" * 1_000_001}, 413, "body_too_large", ["body"]),
    "200 attachments": (
        {**MAIL, "attachments": [{"filename": "a", "content_base64": ""}] * 200},
        422,
        "fields_at_fault",
        ["attachments"],
    ),
    "16 MB of attachments": (
        {**MAIL, "attachments": [{"filename": "a", "content_base64": base64.b64encode(b"x" * 8_000_000).decode()}] * 2},
        413,
        None,
        None,
    ),
    "attachment that is no Base64": (
        {**MAIL, "attachments": [{"filename": "a", "content_base64": "?"}]},
        422,
        "fields_at_fault",
        ["attachments.0.content_base64"],
    ),
    "raw mail that is no Base64": ({"raw_base64": "?"}, 422, "fields_at_fault", ["raw_base64"]),
    "a correction of an unknown field": (
        {**MAIL, "user_corrections": {"people": [{"index": 0, "contact": {"shoe_size": "9"}}]}},
        422,
        "fields_at_fault",
        ["user_corrections.people.0.contact.shoe_size"],
    ),
    "a lone surrogate": (json.dumps({**MAIL, "subject": "\ud800"}).encode(), 400, "malformed_json", []),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_at_fault_is_refused_by_name(server, name):
    body, status, code, fields = REFUSED[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async with server.client() as http:
        answer = await http.post("/stream/runs", content=content, headers={"Content-Type": "application/json"})

    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert problem["status"] == status
    assert code in (None, problem["code"])
    if fields is not None:
        assert [error["field"] for error in problem["errors"]] == fields
    assert "Traceback" not in answer.text
    assert "Roe" not in answer.text


async def test_a_request_over_20_mb_is_too_large(server):
    async with server.client() as http:
        content = b'{"body": "' + b"x" * 20_100_000 + b'"}'
        answer = await http.post("/stream/runs", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


async def test_another_content_type_is_not_read(server):
    async with server.client() as http:
        answer = await http.post("/stream/runs", data={"body": "x"})

    assert answer.status_code == 415


@pytest.mark.parametrize(
    "mail",
    [
        {"sender_email": "", "subject": "", "body": ""},
        {"sender_email": "", "subject": "Hello", "body": "I am Ann Lee."},
        {"raw_email": "no header at all"},
        {
            "raw_email": "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain"
            "\n\nHello\n--x\nContent-Disposition: attachment; filename*=utf-16-le''%00%d8a.pdf\n\nx\n--x--\n"
        },
        {"sender_email": "a@b.example", "subject": "emails", "body": "emails"},
        {"raw_base64": base64.b64encode(bytes(range(256)) * 20).decode()},
        {"raw_base64": base64.b64encode(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"junk" * 400).decode()},
        {"raw_email": "From: a@b.example\nContent-Type: text/plain; charset=klingon\n\nHello"},
        {"raw_email": "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n--y\nbroken"},
        {"raw_email": "Subject: " + "x" * 20_000 + "\n\nHello"},
        {"sender_email": "a@b.example", "subject": "NUL \x00", "body": "Hello\x00\x1b[31m there \ufffe"},
        {"sender_email": "a@b.example", "subject": "s", "body": "(" * 20_000},
        {"sender_email": "a@b.example", "subject": "s", "body": "<div>" * 20_000},
    ],
    ids=lambda mail: next(iter(mail)) + "-" + str(next(iter(mail.values())))[:12].replace("\x00", ""),
)
async def test_a_mail_of_any_shape_ends_in_one_settling_event(server, mail):
    async with server.client() as http:
        answer = await http.post("/stream/batch/process-email", json=mail | {"mode": "preview"})
    events = [json.loads(line) for line in answer.text.splitlines()][1:]

    assert answer.status_code == 200
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] in ("complete", "error")
    assert sum(event["type"] in ("complete", "error", "cancelled", "review_ready") for event in events) == 1
    if events[-1]["type"] == "error":
        assert events[-1]["data"]["code"] == "unreadable_mail"


async def test_the_same_key_gives_the_first_run_and_another_body_is_refused(server):
    headers = {"Idempotency-Key": f"click-{server.port}"}
    async with server.client(headers={"X-API-Key": KEY} | headers) as http:
        first = await http.post("/stream/runs", json=MAIL)
        again = await http.post("/stream/runs", json=MAIL)
        other = await http.post("/stream/runs", json=MAIL | {"subject": "Something else"})

    assert first.json()["run_id"] == again.json()["run_id"]
    assert "x-idempotent-replay" not in first.headers
    assert again.headers["x-idempotent-replay"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


async def test_a_batch_that_is_repeated_gives_its_first_runs_and_one_other_mail_refuses_it_whole(server):
    headers = {"Idempotency-Key": f"batch-{server.port}"}
    emails = [MAIL | {"subject": f"Of a batch {number}", "mode": "preview"} for number in range(3)]
    address = "/stream/batch/process-email?stream_chunks=false"
    async with server.client(headers={"X-API-Key": KEY} | headers) as http:
        first, again = [(await http.post(address, json={"emails": emails})).json()["results"] for _ in range(2)]
        other = await http.post(address, json={"emails": [*emails[:2], emails[2] | {"subject": "Another"}]})

    assert [one["run_id"] for one in first] == [one["run_id"] for one in again]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert [error["field"] for error in other.json()["errors"]] == ["emails.2"]


async def test_the_same_message_gives_the_first_run_unless_it_is_a_preview(server):
    mail = MAIL | {"internet_message_id": f"<one.{server.port}@acme.example>"}
    async with server.client() as http:
        first, again = [(await http.post("/stream/runs", json=mail)).json()["run_id"] for _ in range(2)]
        preview = (await http.post("/stream/runs", json=mail | {"mode": "preview"})).json()["run_id"]
        await http.post(f"/stream/runs/{first}/cancel")
        anew = (await http.post("/stream/runs", json=mail)).json()["run_id"]

    assert first == again
    assert len({first, preview, anew}) == 3


async def test_what_a_run_is_in_decides_what_may_be_done_with_it(server):
    async with server.client() as http:
        run_id = (await http.post("/stream/runs", json=MAIL | {"mode": "preview"})).json()["run_id"]
        await http.get(f"/stream/batch/{run_id}")
        while (await http.get(f"/stream/runs/{run_id}")).json()["state"] != "complete":
            pass
        answers = {name: await http.post(f"/stream/runs/{run_id}/{name}") for name in ("save", "cancel", "retry")}

    assert {name: answer.status_code for name, answer in answers.items()} == {"save": 409, "cancel": 409, "retry": 409}


async def test_a_save_that_the_crm_would_refuse_is_refused_by_field_before_anything_is_written(server):
    mail = {
        "sender_email": "info@gmail.com",
        "subject": "Question",
        "body": "Hello, I look for a new position as advisor.",
    }
    async with server.client() as http:
        run_id = (await http.post("/stream/runs", json=mail)).json()["run_id"]
        await http.get(f"/stream/runs/{run_id}/events", headers={"Accept": "text/event-stream"})  # ends in review
        empty = {
            "contact": {"last_name": None},
            "deal": {"deal_name": None, "job_title": None},
            "company": {"company_name": ""},
        }
        answer = await http.post(
            f"/stream/runs/{run_id}/save", json={"corrections": {"people": [{"index": 0, **empty}]}}
        )
        after = (await http.get(f"/stream/runs/{run_id}")).json()

    assert answer.status_code == 422
    assert "people.0.last_name" in [error["field"] for error in answer.json()["errors"]]
    assert after["state"] == "review"


async def test_a_list_is_no_value_of_a_field_that_holds_one_text(server):
    contact = {"full_name": ["Jane", "Roe"]}
    corrections = {"people": [{"index": 0, "contact": contact, "deal": {"licenses": ["Series 7"], "aum": "$1M"}}]}
    async with server.client() as http:
        answer = await http.post("/stream/runs", json=MAIL | {"user_corrections": corrections})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["user_corrections.people.0.contact.full_name"]
