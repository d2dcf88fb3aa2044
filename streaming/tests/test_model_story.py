"""A run with a model on a socket: the order of what happens, every fault, every crash."""

import asyncio
import json
import signal

import pytest

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import by_ndjson, by_polling, connected, received

pytestmark = pytest.mark.server

JANE = {
    "full_name": "Jane Roe",
    "email": "jane.roe@acmewealth.example",
    "phone": "(260) 555-0144",
    "title": "Senior Financial Advisor",
    "company_name": "Acme Wealth",
    "city": "Fort Wayne",
    "state": "IN",
    "aum": "$120M",
    "availability": "next spring",
}
SETTLING = ("complete", "error", "cancelled", "review_ready")


async def posted(server, **mail):
    async with server.client() as http:
        answer = await http.post("/stream/runs", json=MAIL | mail)
        assert answer.status_code == 202, answer.text
        return answer.json()["run_id"]


def held_by_the_promises(events):
    """A log 1…n without a gap that ends in its one settling event, each field's value told once."""
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] for event in events if event["type"] in SETTLING] == [events[-1]["type"]]
    told = [
        (*(event["data"][name] for name in ("person", "record", "field")), str(event["data"]["value"]))
        for event in events
        if event["type"] == "extraction_field"
    ]
    assert len(told) == len(set(told))


async def test_first_come_the_patterns_then_tokens_with_fields_then_validation(own_server, scripted_model):
    server = own_server("uvicorn", **scripted_model(answer_for([JANE]), "--tokens-per-second", 300).settings)

    events = await by_ndjson(server, await posted(server, mode="preview"))

    held_by_the_promises(events)
    types = [event["type"] for event in events]
    first_token = types.index("extraction_token")
    assert types[0] == "extraction_start"
    assert "extraction_field" in types[:first_token]
    assert types[-3:] == ["validation_start", "validation_result", "complete"]
    text = "".join(event["data"]["token"] for event in events if event["type"] == "extraction_token")
    assert json.loads(text) == json.loads(answer_for([JANE]))
    complete = events[-1]["data"]
    assert complete["result"]["engine"] == "model"
    assert complete["usage"]["output_tokens"] > 0
    assert complete["timings"]["first_field"] < complete["timings"]["first_token"] < complete["timings"]["total"]


async def test_a_field_of_the_model_is_told_before_its_answer_ends(own_server, scripted_model):
    doe = JANE | {"title": "Branch Manager"}
    mail = {"mode": "preview", "body": MAIL["body"] + "\nMy team calls me Branch Manager, too.\n"}
    server = own_server(**scripted_model(answer_for([doe]), "--tokens-per-second", 200).settings)

    events = await by_ndjson(server, await posted(server, **mail))

    types = [event["type"] for event in events]
    by_model = [i for i, event in enumerate(events) if event["data"].get("origin") == "model"]
    last_token = len(types) - 1 - types[::-1].index("extraction_token")
    assert by_model
    assert by_model[0] < last_token


async def test_what_the_mail_does_not_say_is_unsupported_and_not_believed(own_server, scripted_model):
    server = own_server(**scripted_model(answer_for([JANE])).settings)

    events = await by_polling(server, await posted(server, mode="preview"))

    (made_up,) = [event["data"] for event in events if event["data"].get("field") == "availability"]
    assert (made_up["value"], made_up["evidence"]) == ("next spring", None)
    assert made_up["confidence"] <= 0.3


@pytest.mark.parametrize(("fault", "code"), [("rate_limited", "model_rate_limited"), ("cut", "model_unavailable")])
async def test_a_model_that_fails_leaves_the_patterns_and_says_so(own_server, scripted_model, fault, code):
    server = own_server(**scripted_model(answer_for([JANE]), "--fault", fault, "--failures", 9).settings)

    events = await by_polling(server, await posted(server))

    held_by_the_promises(events)
    result = next(event["data"] for event in events if event["type"] == "validation_result")
    assert events[-1]["type"] == "review_ready"
    assert code in [issue["code"] for issue in result["issues"]]
    assert result["people"][0]["contact"]["email"] == "jane.roe@acmewealth.example"


async def test_a_rerun_of_a_degraded_run_asks_the_model_again_as_a_preview(own_server, scripted_model):
    server = own_server(**scripted_model(answer_for([JANE]), "--fault", "rate_limited", "--failures", 3).settings)
    run_id = await posted(server)
    assert (await by_polling(server, run_id))[0]["data"]["engine"] == "model"

    async with server.client() as http:
        again = (await http.post(f"/stream/runs/{run_id}/rerun", json={})).json()["run_id"]
        by_rules = (await http.post(f"/stream/runs/{run_id}/rerun", json={"engine": "patterns"})).json()["run_id"]

    assert (await by_polling(server, again))[-1]["data"]["status"] == "preview"
    rules = await by_polling(server, by_rules)
    assert rules[0]["data"]["engine"] == "patterns"
    assert "extraction_token" not in [event["type"] for event in rules]


async def test_cancel_in_the_middle_stops_the_model_and_closes_the_log(own_server, scripted_model):
    model = scripted_model(answer_for([JANE]), "--tokens-per-second", 20)
    server = own_server(**model.settings)
    run_id = await posted(server)
    await by_ndjson(server, run_id, stop_after=30)

    async with server.client() as http:
        answers = [await http.post(f"/stream/runs/{run_id}/cancel") for _ in range(2)]

    events = await by_polling(server, run_id)
    held_by_the_promises(events)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert events[-1]["type"] == "cancelled"
    async with asyncio.timeout(5):
        while not model.seen()["disconnects"]:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_kill_9_in_the_middle_of_a_run_and_it_goes_on(own_server, scripted_model, kind):
    server = own_server(kind, **scripted_model(answer_for([JANE]), "--tokens-per-second", 100).settings)
    run_id = await posted(server, mode="auto")
    before = await by_ndjson(server, run_id, stop_after=30)

    server.kill()
    server.start()
    async with asyncio.timeout(30):
        rest = await by_ndjson(server, run_id, after=before[-1]["cursor"])

    events = before + rest
    held_by_the_promises(events)
    assert events == await by_polling(server, run_id)
    assert events[-1]["data"]["status"] == "saved"
    starts = [event["data"]["attempt"] for event in events if event["type"] == "extraction_start"]
    # The queue's redelivery and the sweep may both hand it out again: then the second taking fences the first.
    assert starts[0] == 1
    assert starts == sorted(set(starts))
    assert len(starts) >= 2
    records = server.manage(
        "shell", "-c", "from zoho.models import *; print([m.objects.count() for m in (Account, Contact, Deal, Note)])"
    )
    assert b"[1, 1, 1, 1]" in records.stdout


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_at_shutdown_sockets_hear_goodbye_and_streams_end_whole(own_server, scripted_model, kind):
    server = own_server(kind, **scripted_model(answer_for([JANE]), "--tokens-per-second", 60).settings)
    run_id = await posted(server)
    begun = []
    stream = asyncio.create_task(by_ndjson(server, run_id, found=begun))
    while not begun:
        await asyncio.sleep(0.01)

    async with connected(server) as socket:
        await socket.send(json.dumps({"type": "subscribe", "run_id": run_id}))
        await received(socket, "extraction_token")
        server.terminate()
        bye = await received(socket, "bye")
        await socket.wait_closed()
    streamed = await stream

    assert (bye["code"], bye["reconnect"], socket.close_code) == (4012, True, 4012)
    assert bye["cursors"][run_id].startswith("1.")
    assert [event["sequence"] for event in streamed] == list(range(1, len(streamed) + 1))
    assert server.wait() in (0, -signal.SIGTERM, 130)
    server.start()
    rest = await by_ndjson(server, run_id, after=streamed[-1]["cursor"])
    held_by_the_promises(streamed + rest)
