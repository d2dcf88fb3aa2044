"""`/intake/email` over the real server, as older clients call it."""

import asyncio
import base64
import json
import subprocess
import sys
import time
from itertools import count

import httpx2
import pytest
from jsonschema import Draft202012Validator

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from wellintake.tests.server import KEY

pytestmark = pytest.mark.server

NUMBERS = count(1)
QUESTION = {
    "sender_email": "john.doe@gmail.com",
    "sender_name": "John Doe",
    "subject": "A question",
    "body": "Hello,\n\nmy name is John Doe and I am looking for a new position.\n\nBest regards,\nJohn Doe",
}


def candidate(**given):
    """A mail of somebody whom no other test knows."""
    name = f"Ann Lee{'abcdefghij'[(number := next(NUMBERS)) % 10] * (number // 10 + 1)}"
    body = MAIL["body"].replace("Jane Roe", name)
    email = f"{name.lower().replace(' ', '.')}@acmewealth.example"
    message = f"<{number}.{time.time_ns()}@acmewealth.example>"
    return (
        MAIL
        | {
            "sender_name": name,
            "sender_email": email,
            "body": body,
            "internet_message_id": message,
        }
        | given
    )


async def posted(http, mail, **headers):
    answer = await http.post("/intake/email", json=mail, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(server, table="deal"):
    """How many records the embedded CRM holds, read past the server."""
    return server.database.rows(f"SELECT COUNT(*) FROM zoho_{table}")[0][0]


def everything(server):
    return [rows(server, table) for table in ("account", "contact", "deal", "note", "attachment")]


# ---------------------------------------------------------------- what becomes of a mail


async def test_a_new_candidate_is_saved_and_every_id_is_a_record(server):
    async with server.client() as http:
        answer = await posted(http, candidate())
        run = (await http.get(f"/stream/runs/{answer['run_id']}")).json()
        pages = [await http.get(record["url"]) for record in answer["records"]]

    assert (answer["status"], answer["saved_to_db"], answer["saved_to_zoho"]) == ("success", True, False)
    assert [record["action"] for record in answer["records"] if record["module"] in ("contact", "deal")] == [
        "created",
        "created",
    ]
    assert {f"{record['module']}_id": record["id"] for record in answer["records"]} | {
        name: answer[name] for name in ("account_id", "contact_id", "deal_id")
    } == {f"{record['module']}_id": record["id"] for record in answer["records"]}
    assert answer["deal_name"] == "Senior Financial Advisor (Fort Wayne, IN) - Acme Wealth"
    assert answer["primary_email"] == answer["extracted"]["contact_record"]["email"]
    assert [page.status_code for page in pages] == [302] * len(pages)  # to the admin's log-in
    assert (run["state"], run["mode"], run["status"]) == ("complete", "auto", "saved")


async def test_the_same_mail_again_gives_the_first_run_and_writes_nothing(server):
    mail = candidate()
    async with server.client() as http:
        first = await posted(http, mail)
        before = everything(server)
        again = await http.post("/intake/email", json=mail | {"user_corrections": {"job_title": "Something else"}})

    assert again.headers["x-idempotent-replay"] == "true"
    assert {name: value for name, value in again.json().items() if name != "message"} == {
        name: value for name, value in first.items() if name != "message"
    }
    assert "saved before" in again.json()["message"]
    assert everything(server) == before


async def test_the_same_mail_at_the_same_time_is_one_set_of_records(server):
    mail, before = candidate(), rows(server)

    async with server.client() as http:
        answers = await asyncio.gather(*(posted(http, mail) for _ in range(8)))

    assert {(answer["status"], answer["run_id"], answer["deal_id"]) for answer in answers} == {
        ("success", answers[0]["run_id"], answers[0]["deal_id"])
    }
    assert rows(server) == before + 1


async def test_a_deal_that_the_crm_holds_blocks_until_the_call_says_to_save_all_the_same(server):
    mail = candidate()
    other = mail | {"internet_message_id": f"<other{mail['internet_message_id'][1:]}"}
    async with server.client() as http:
        first = await posted(http, mail)
        before = everything(server)
        blocked = await posted(http, other)
        assert everything(server) == before
        allowed = await posted(http, other | {"allow_duplicate": True})

    assert (blocked["status"], blocked["deal_id"], blocked["records"]) == ("duplicate_blocked", None, [])
    found = {match["module"]: match for match in blocked["duplicate_info"]["matches"]}
    assert (found["deal"]["id"], found["contact"]["id"]) == (first["deal_id"], first["contact_id"])
    assert found["deal"]["url"].startswith(server.url)
    assert (allowed["status"], allowed["run_id"]) == ("duplicate", blocked["run_id"])
    assert allowed["contact_id"] == first["contact_id"]
    assert allowed["deal_id"] not in (None, first["deal_id"])


@pytest.mark.parametrize("asked", [{"dry_run": True}, {"mode": "preview"}])
async def test_a_dry_run_writes_nothing_anywhere_in_the_crm(server, asked):
    before = everything(server)

    async with server.client() as http:
        answer = await posted(http, candidate(**asked))

    assert (answer["status"], answer["saved_to_db"], answer["saved_to_zoho"]) == ("preview", False, False)
    assert (answer["deal_id"], answer["records"]) == (None, [])
    assert answer["extracted"]["job_title"] == "Senior Financial Advisor"
    assert everything(server) == before


async def test_a_dry_run_says_what_a_save_would_lack(server):
    async with server.client() as http:
        answer = await posted(http, QUESTION | {"dry_run": True})

    assert (answer["status"], answer["missing_fields"]) == ("preview", ["job_title", "location", "company_name"])


async def test_what_is_missing_is_asked_for_and_the_next_call_brings_it(server):
    mail = QUESTION | {"internet_message_id": f"<question.{server.port}@mail.example>"}
    async with server.client() as http:
        before = everything(server)
        first, unchanged = await posted(http, mail), await posted(http, mail)
        assert everything(server) == before
        too_little = await posted(http, mail | {"user_corrections": {"location": "Austin, TX"}})
        enough = await posted(http, mail | {"user_corrections": {"job_title": "Advisor", "company_name": "Hill & Co."}})

    assert first == unchanged
    assert (first["status"], first["missing_fields"]) == (
        "requires_input",
        ["job_title", "location", "company_name"],
    )
    assert (too_little["status"], too_little["missing_fields"]) == ("requires_input", ["job_title", "company_name"])
    assert too_little["extracted"]["location"] == "Austin, TX"
    assert (enough["status"], enough["run_id"]) == ("success", first["run_id"])
    assert enough["deal_name"] == "Advisor - Hill & Co."


async def test_nobody_to_file_is_told_why(server):
    mail = {"sender_email": "a@b.example", "subject": "Automatic reply: Hello", "body": "I am out of office."}
    async with server.client() as http:
        answer = await posted(http, mail)

    assert (answer["status"], answer["records"], answer["missing_fields"]) == ("nothing_to_file", [], [])
    assert "automatic reply" in answer["message"].lower()


@pytest.mark.parametrize(
    "shape",
    [
        {"candidate_name": "Dr. Mary O'Brien", "job_title": "Partner", "email": None, "shoe_size": 9},
        {"contact_record": {"first_name": "Mary", "last_name": "O'Brien"}, "deal_record": {"job_title": "Partner"}},
        {"people": [{"index": 0, "contact": {"full_name": "Mary O'Brien"}, "deal": {"job_title": "Partner"}, "x": 1}]},
        {"candidate_name": "Nobody", "contact_record": {"full_name": "Mary O'Brien"}, "job_title": "Partner"},
    ],
    ids=["flat", "records", "people", "the record wins"],
)
async def test_corrections_of_every_shape_are_final(server, shape):
    mail = candidate(user_corrections=shape)
    async with server.client() as http:
        answer = await posted(http, mail)
        run = (await http.get(f"/stream/runs/{answer['run_id']}")).json()

    assert answer["status"] == "success"
    assert answer["extracted"]["contact_record"]["last_name"] == "O'Brien"
    assert answer["deal_name"] == "Partner (Fort Wayne, IN) - Acme Wealth"
    assert answer["primary_email"] == mail["sender_email"]
    assert run["people"][0]["contact"]["first_name"] == "Mary"


async def test_what_was_extracted_may_be_sent_back_whole_with_one_field_edited(server):
    async with server.client() as http:
        preview = await posted(http, (mail := candidate()) | {"dry_run": True})
        extracted = preview["extracted"]
        extracted["contact_record"]["phone"] = ""
        extracted["deal_record"]["description_of_reqs"] = "Wants to move by June."
        answer = await posted(http, mail | {"user_corrections": extracted})

    assert answer["status"] == "success"
    assert answer["deal_name"] == preview["deal_name"]
    saved = answer["extracted"]
    assert (saved["phone"], saved["notes"], saved["aum"]) == (None, "Wants to move by June.", "$120M")


async def test_attachments_are_filed_as_files_and_inline_images_are_not(server):
    files = [
        {"filename": "cv.txt", "content_type": "text/plain", "content_base64": base64.b64encode(b"CV").decode()},
        {"filename": "logo.png", "content_base64": base64.b64encode(b"PNG").decode(), "is_inline": True, "url": "x"},
    ]
    async with server.client() as http:
        answer = await posted(http, candidate(attachments=files))

    attached = [record for record in answer["records"] if record["module"] == "attachment"]
    assert [record["action"] for record in attached] == ["created"]
    kept = server.database.rows("SELECT id, filename, content FROM zoho_attachment")
    files = {str(key): (name, bytes(content)) for key, name, content in kept}
    assert files[attached[0]["id"]] == ("cv.txt", b"CV")


async def test_unknown_keys_and_nulls_of_older_clients_are_ignored(server):
    more = {
        "attachments": None,
        "to": None,
        "dry_run": None,
        "mode": None,
        "raw_email": None,
        "ai_extraction": {"a": 1},
    }
    async with server.client() as http:
        answer = await posted(http, candidate(**more, user_context={"name": "Bob", "id": 7}, graph=[]))

    assert answer["status"] == "success"
    assert answer["extracted"]["company_record"]["detail"] == "Bob"


async def test_a_mode_that_asks_for_review_waits_for_it_and_a_later_call_saves(server):
    mail = candidate()
    async with server.client() as http:
        waiting = await posted(http, mail | {"mode": "review"})
        saved = await posted(http, mail)

    assert (waiting["status"], waiting["missing_fields"]) == ("requires_input", [])
    assert "approve" in waiting["message"]
    assert (saved["status"], saved["run_id"]) == ("success", waiting["run_id"])


# ---------------------------------------------------------------- now or later


async def test_respond_async_answers_at_once_with_the_place_to_ask_at(server):
    async with server.client() as http:
        accepted = await http.post("/intake/email", json=candidate(), headers={"Prefer": "respond-async"})
        while (status := await http.get(accepted.headers["location"])).status_code == 202:
            await asyncio.sleep(0.05)

    assert (accepted.status_code, accepted.json()["status"]) == (202, "accepted")
    assert accepted.headers["location"] == f"{server.url}/intake/email/status/{accepted.json()['run_id']}"
    assert accepted.headers["preference-applied"] == "respond-async"
    assert (status.status_code, status.json()["status"]) == (200, "success")
    assert status.json()["correlation_id"] == accepted.json()["correlation_id"]


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async, wait=1", 'Wait="1"; x=y, handling=strict'])
async def test_a_run_that_takes_longer_than_the_caller_waits_is_answered_with_its_place(
    own_server, scripted_model, prefer
):
    server = own_server(**scripted_model(None, "--fault", "stall").settings)
    async with server.client() as http:
        began = time.monotonic()
        answer = await http.post("/intake/email", json=candidate(), headers={"Prefer": prefer})
        took = time.monotonic() - began
        asked = await http.get(answer.headers["location"])

    assert (answer.status_code, asked.status_code) == (202, 202)
    assert took < 5
    assert int(asked.headers["retry-after"]) > 0


async def test_a_call_that_waits_while_the_server_stops_is_told_where_to_ask(own_server, scripted_model):
    server = own_server("uvicorn", **scripted_model(None, "--fault", "stall").settings)
    async with server.client() as http:
        waiting = asyncio.create_task(http.post("/intake/email", json=candidate()))
        await asyncio.sleep(1.5)
        server.terminate()
        answer = await waiting

    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")


async def test_with_the_model_down_the_mail_is_filed_by_the_rules(own_server, scripted_model):
    server = own_server(**scripted_model(None, "--fault", "server_error").settings)

    async with server.client() as http:
        answer = await posted(http, candidate())

    assert answer["status"] == "success"


async def test_with_a_model_its_values_are_in_the_answer(own_server, scripted_model):
    mail = candidate()
    model = scripted_model(answer_for([{"full_name": mail["sender_name"], "email": mail["sender_email"]}]))
    server = own_server(**model.settings)

    async with server.client() as http:
        answer = await posted(http, mail)

    assert (answer["status"], answer["extracted"]["candidate_name"]) == ("success", mail["sender_name"])
    assert model.seen()["requests"] == 1


# ---------------------------------------------------------------- what is refused

REFUSED = {
    "no JSON": (b"{", 400, "malformed_json", []),
    "nothing": (b"", 400, "malformed_json", []),
    "a list": (b"[]", 422, "fields_at_fault", [""]),
    "no mail": (b"{}", 422, "fields_at_fault", ["sender_email", "subject", "body"]),
    "null for what is needed": (MAIL | {"subject": None}, 422, "fields_at_fault", ["subject"]),
    "wrong types": (MAIL | {"to": "x", "dry_run": "yes"}, 422, "fields_at_fault", ["to", "dry_run"]),
    "attachment that is no Base64": (
        MAIL | {"attachments": [{"filename": "a", "content_base64": "?"}]},
        422,
        "fields_at_fault",
        ["attachments.0.content_base64"],
    ),
    "attachment without content": (
        MAIL | {"attachments": [{"filename": "a", "url": "https://files.example/a"}]},
        422,
        "fields_at_fault",
        ["attachments.0.content_base64"],
    ),
    "attachments over 15 MB": (
        MAIL | {"attachments": [{"filename": "a", "content_base64": "AAAA" * 2_000_000}] * 3},
        413,
        None,
        None,
    ),
    "a body over 1 MB": (MAIL | {"body": "x" * 1_000_001}, 413, "body_too_large", ["body"]),
    "corrections of no known type": (
        MAIL | {"user_corrections": {"job_title": 7, "contact_record": [], "deal_record": "x"}},
        422,
        "fields_at_fault",
        ["user_corrections.contact_record", "user_corrections.deal_record"],
    ),
    "a correction that is no text": (
        MAIL | {"user_corrections": {"job_title": 7, "contact_record": {"email": {}}}},
        422,
        "fields_at_fault",
        ["user_corrections.job_title", "user_corrections.contact_record.email"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_at_fault_is_refused_by_name(server, name):
    body, status, code, fields = REFUSED[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async with server.client() as http:
        answer = await http.post("/intake/email", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert code in (None, answer.json()["code"])
    if fields is not None:
        assert [error["field"] for error in answer.json()["errors"]] == fields
    assert "Roe" not in answer.text


async def test_a_request_over_20_mb_is_too_large(server):
    content = b'{"body": "' + b"x" * 20_100_000 + b'"}'
    async with server.client() as http:
        answer = await http.post("/intake/email", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


async def test_strangers_wrong_types_wrong_methods_and_strange_ids_are_told_so(server):
    async with server.client() as http:
        answers = {
            "form": await http.post("/intake/email", data=MAIL),
            "get": await http.get("/intake/email"),
            "options": await http.options("/intake/email"),
            "post to the status": await http.post("/intake/email/status/x", json={}),
            "no such id": await http.get("/intake/email/status/x"),
            "html": await http.get("/intake/email/status/x", headers={"Accept": "text/html"}),
            "key in the address": await http.post(f"/intake/email?api_key={KEY}", json=MAIL),
        }
    async with httpx2.AsyncClient(base_url=server.url, headers={"X-API-Key": "wrong"}) as http:
        answers |= {
            "stranger": await http.post("/intake/email", json=MAIL),
            "stranger's status": await http.get("/intake/email/status/x"),
        }

    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in answers.items()} == {
        "form": (415, "unsupported_media_type"),
        "get": (405, "method_not_allowed"),
        "options": (405, "method_not_allowed"),
        "post to the status": (405, "method_not_allowed"),
        "no such id": (404, "no_such_run"),
        "html": (406, "not_acceptable"),
        "key in the address": (400, "key_in_query"),
        "stranger": (401, "not_signed_in"),
        "stranger's status": (401, "not_signed_in"),
    }
    assert answers["get"].headers["allow"] == "POST"
    assert answers["post to the status"].headers["allow"] == "GET"


async def test_another_body_under_the_same_key_is_refused(server):
    key = {"Idempotency-Key": f"intake-{server.port}"}
    async with server.client() as http:
        first = await posted(http, mail := candidate(internet_message_id=None), **key)
        again = await posted(http, mail, **key)
        other = await http.post("/intake/email", json=mail | {"subject": "Another"}, headers=key)

    assert first["run_id"] == again["run_id"]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


async def test_too_many_at_once_are_told_when_to_come_back(own_server, scripted_model):
    server = own_server(MAX_RUNS_PER_USER="1", **scripted_model(None, "--fault", "stall").settings)
    async with server.client() as http:
        await http.post("/intake/email", json=candidate(), headers={"Prefer": "respond-async"})
        answer = await http.post("/intake/email", json=candidate())

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_runs")
    assert answer.headers["retry-after"] == "5"


async def test_a_mail_that_cannot_be_read_is_a_refusal_with_the_runs_own_correlation_id(server):
    junk = base64.b64encode(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"junk" * 400).decode()
    async with server.client() as http:
        answer = await http.post("/intake/email", json={"raw_base64": junk})
        status = await http.get(f"/intake/email/status/{answer.headers['x-run-id']}")

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_mail")
    assert (status.status_code, status.json()["correlation_id"]) == (422, answer.json()["correlation_id"])


async def test_a_run_that_was_cancelled_is_a_conflict(server):
    async with server.client() as http:
        waiting = await posted(http, candidate(mode="review"))
        await http.post(f"/stream/runs/{waiting['run_id']}/cancel")
        answer = await http.get(f"/intake/email/status/{waiting['run_id']}")

    assert (answer.status_code, answer.json()["code"]) == (409, "cancelled")


# ---------------------------------------------------------------- the document


async def test_the_examples_of_the_document_are_what_happens(own_server):
    server = own_server(PUBLIC_URL="https://intake.example")
    async with server.client() as http:
        document = (await http.get("/api/schema/", headers={"Accept": "application/json"})).json()
        call = document["paths"]["/intake/email"]["post"]
        sent = call["requestBody"]["content"]["application/json"]["examples"]
        shown = call["responses"]["200"]["content"]["application/json"]["examples"]
        answers = {name: await posted(http, example["value"]) for name, example in sent.items()}

    schema = {"$ref": "#/components/schemas/IntakeAnswer", "components": document["components"]}
    assert set(answers) == set(shown)
    assert {answer["status"] for answer in answers.values()} == {
        "success",
        "preview",
        "requires_input",
        "duplicate_blocked",
        "duplicate",
        "nothing_to_file",
    }
    for name, answer in answers.items():
        Draft202012Validator(schema).validate(answer)
        Draft202012Validator(schema).validate(shown[name]["value"])
        assert _told(answer) == _told(shown[name]["value"]), name


def _told(answer):
    """Without what every run, every day has of its own, and without the details of what the CRM holds."""
    told = answer | {"correlation_id": "", "run_id": ""}
    told["extracted"] = told["extracted"] | {
        "deal_record": told["extracted"]["deal_record"] | {"closing_date": None},
    }
    if told["duplicate_info"]:
        told["duplicate_info"] = [match | {"record": {}} for match in told["duplicate_info"]["matches"]]
    return told


@pytest.mark.embedded
def test_schemathesis_finds_nothing(own_server):
    """It reads our document and tries thousands of requests, good and bad, always the same ones."""
    server = own_server("uvicorn")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/schema/?format=json"),
        *("--include-path-regex", "^/intake/", "--header", f"X-API-Key: {KEY}"),
        *("--checks", "all", "--max-examples", "10", "--generation-deterministic", "--no-color"),
    ]

    found = subprocess.run(command, cwd=server.folder, capture_output=True, text=True, timeout=100)

    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert "2 selected" in found.stdout
    assert "Tested: 2" in found.stdout
    assert "Traceback" not in server.log.read_text()
