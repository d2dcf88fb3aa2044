"""One story over every transport, whole and resumed at every cut, on real sockets, under both servers."""

import asyncio
import contextlib
import json

import httpx2
import pytest
import websockets

from conftest import MAIL
from streaming.tests.reading import TRANSPORTS, by_sse, connected, received, ticket
from streaming.transports.socket import PROTOCOL
from wellintake.tests.server import KEY

pytestmark = pytest.mark.server


async def started(server, **mail):
    async with server.client() as http:
        answer = await http.post("/stream/runs", json=MAIL | mail)
    assert answer.status_code == 202, answer.text
    return answer.json()["run_id"]


async def settled(server, run_id):
    """The whole log, read page by page."""
    return await TRANSPORTS["polling"](server, run_id)


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_every_transport_tells_the_same_log(server, over):
    run_id = await started(server, mode="preview")
    whole = await settled(server, run_id)

    found = await TRANSPORTS[over](server, run_id)

    assert found == whole
    assert [envelope["sequence"] for envelope in whole] == list(range(1, len(whole) + 1))
    assert whole[0]["type"] == "extraction_start"
    assert whole[-1]["type"] == "complete"
    assert [e["type"] for e in whole if e["type"] in ("complete", "error", "cancelled", "review_ready")] == ["complete"]


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_reader_who_is_cut_anywhere_comes_back_on_another_transport_to_the_rest(server, over):
    run_id = await started(server, mode="preview")
    whole = await settled(server, run_id)
    others = [name for name in TRANSPORTS if name != over]

    for cut in range(1, len(whole)):
        first = await TRANSPORTS[over](server, run_id, stop_after=cut)
        other = TRANSPORTS[others[cut % len(others)]]
        assert first + await other(server, run_id, after=first[-1]["cursor"]) == whole


async def test_a_run_goes_on_without_any_reader(server):
    run_id = await started(server)

    async with server.client() as http:
        for _ in range(100):
            state = (await http.get(f"/stream/runs/{run_id}")).json()
            if state["state"] == "review":
                break
            await asyncio.sleep(0.05)

    assert state["state"] == "review"
    assert state["people"][0]["contact"]["last_name"] == "Roe"


async def test_posting_a_mail_answers_with_its_stream(server):
    async with server.client() as http, http.stream("POST", "/stream/sse/process-email", json=MAIL) as response:
        text = (await response.aread()).decode()

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["content-encoding"] == "identity"
    assert response.headers["x-run-id"] in response.headers["location"]
    assert text.startswith("retry: ")
    assert "event: connection_established" in text
    assert text.rstrip().rpartition("event: ")[2].startswith("review_ready")


async def test_a_batch_interleaves_its_runs_and_counts_them_at_the_end(server):
    mails = [MAIL | {"subject": f"Mail {number}", "mode": "preview"} for number in range(5)]

    async with server.client() as http:
        answer = await http.post("/stream/batch/process-email", json={"emails": mails})
    lines = [json.loads(line) for line in answer.text.splitlines()]

    accepted = [line["data"] for line in lines if line["type"] == "accepted"]
    assert [one["index"] for one in accepted] == [0, 1, 2, 3, 4]
    assert lines[-1] == {"type": "batch_complete", "total": 5, "complete": 5}
    for one in accepted:
        own = [line["sequence"] for line in lines if line.get("run_id") == one["run_id"]]
        assert own == list(range(1, len(own) + 1))


async def test_without_chunks_the_answer_is_one_json(server):
    async with server.client() as http:
        answer = (
            await http.post("/stream/batch/process-email?stream_chunks=false", json=MAIL | {"mode": "preview"})
        ).json()

    assert answer["status"] == "preview"
    assert answer["data"]["people"][0]["contact"]["email"] == "jane.roe@acmewealth.example"
    assert 0 < answer["processing_time"] < 30


async def test_one_bad_mail_refuses_the_whole_batch_by_name(server):
    async with server.client() as http:
        answer = await http.post("/stream/batch/process-email", json={"emails": [MAIL, MAIL | {"colour": "red"}]})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["emails.1.colour"]


async def test_behind_the_end_of_a_closed_log_there_is_nothing(server):
    run_id = await started(server, mode="preview")
    end = (await settled(server, run_id))[-1]["cursor"]
    address = f"/stream/runs/{run_id}/events?after={end}"

    async with server.client() as http:
        sse = await http.get(address, headers={"Accept": "text/event-stream"})
        ndjson = await http.get(address, headers={"Accept": "application/x-ndjson"})
        page = (await http.get(address)).json()

    assert sse.status_code == 204
    assert (ndjson.status_code, ndjson.text) == (200, "")
    assert (page["events"], page["closed"]) == ([], True)


async def test_a_stream_of_a_run_in_review_waits_for_the_save_and_tells_it(server):
    run_id = await started(server, subject="A stream that waits")
    review = await settled(server, run_id)
    assert review[-1]["type"] == "review_ready"

    waiting = asyncio.create_task(by_sse(server, run_id, after=review[-1]["cursor"]))
    await asyncio.sleep(0.3)
    async with server.client() as http:
        corrections = {"people": [{"index": 0, "contact": {"first_name": "Janet"}}], "allow_duplicate": True}
        answer = await http.post(f"/stream/runs/{run_id}/save", json={"corrections": corrections})
        assert answer.status_code == 202, answer.text
        again = await http.post(f"/stream/runs/{run_id}/save", json={"corrections": {}})
        assert again.status_code == 202
    rest = await waiting

    types = [envelope["type"] for envelope in rest]
    assert types[0] == "zoho_start"
    assert types[-2:] == ["zoho_complete", "complete"]
    assert [e["data"]["step"] for e in rest if e["type"] == "zoho_progress"] == ["account", "contact", "deal", "note"]
    assert rest[-1]["data"]["result"]["people"][0]["contact"]["first_name"] == "Janet"


async def test_last_event_id_wins_over_after(server):
    run_id = await started(server, mode="preview")
    whole = await settled(server, run_id)
    headers = {"Accept": "application/x-ndjson", "Last-Event-ID": whole[-2]["cursor"]}

    async with server.client() as http:
        answer = await http.get(f"/stream/runs/{run_id}/events?after=1.1", headers=headers)

    assert [json.loads(line)["sequence"] for line in answer.text.splitlines()][1:] == [len(whole)]


@pytest.mark.parametrize(("cursor", "status"), [("nonsense", 400), ("1.-1", 400), ("1", 400), ("1.1.1", 400)])
async def test_a_malformed_cursor_is_refused(server, cursor, status):
    run_id = await started(server, mode="preview")

    async with server.client() as http:
        answer = await http.get(f"/stream/runs/{run_id}/events", params={"after": cursor})

    assert (answer.status_code, answer.json()["code"]) == (status, "bad_cursor")


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_cursor_of_another_epoch_gets_the_state_and_its_place(server, over):
    run_id = await started(server, mode="preview")
    end = (await settled(server, run_id))[-1]

    found = await TRANSPORTS[over](server, run_id, after="9.3", stop_after=1)

    assert found[0]["type"] == "reset"
    assert (found[0]["cursor"], found[0]["sequence"]) == (end["cursor"], end["sequence"])
    state = found[0]["data"]["state"]
    assert state["state"] == "complete"
    assert state["people"][0]["contact"]["last_name"] == "Roe"
    assert state["links"]["self"].endswith(run_id)


# ---------------------------------------------------------------- the socket


async def test_a_socket_starts_a_run_and_tells_it(server):
    async with connected(server) as socket:
        hello = json.loads(await socket.recv())
        await socket.send(json.dumps({"type": "process_email", "request_id": "r1", "data": MAIL | {"mode": "preview"}}))
        accepted = json.loads(await socket.recv())
        told = []
        while not told or told[-1]["type"] != "complete":
            told.append(json.loads(await socket.recv()))

    assert (hello["type"], hello["sequence"], hello["data"]["protocol"]) == ("connection_established", 0, PROTOCOL)
    assert socket.subprotocol == PROTOCOL
    assert (accepted["type"], accepted["data"]["request_id"]) == ("accepted", "r1")
    assert {envelope["run_id"] for envelope in told} == {accepted["data"]["run_id"]}
    assert [envelope["sequence"] for envelope in told] == list(range(1, len(told) + 1))


async def test_several_runs_at_once_on_one_socket_do_not_mix(server):
    async with connected(server) as socket:
        for number in range(6):
            mail = MAIL | {"mode": "preview", "subject": f"Run {number}"}
            await socket.send(json.dumps({"type": "process_email", "request_id": number, "data": mail}))
        logs = {}
        while sum(log[-1] == "complete" for log in logs.values()) < 6:
            envelope = json.loads(await socket.recv())
            if envelope["sequence"]:
                log = logs.setdefault(envelope["run_id"], [])
                log.append(envelope["type"])
                assert len(log) == envelope["sequence"]


async def test_review_save_and_ping_over_the_socket(server):
    async with connected(server) as socket:
        await socket.send(json.dumps({"type": "process_email", "data": MAIL | {"subject": "Socket save"}}))
        run_id = (await received(socket, "accepted"))["run_id"]
        draft = (await received(socket, "review_ready"))["draft"]
        await socket.send(json.dumps({"type": "ping"}))
        await received(socket, "pong")
        save = {"type": "save", "run_id": run_id, "request_id": "s", "corrections": {"allow_duplicate": True}}
        await socket.send(json.dumps(save))
        complete = await received(socket, "complete")

    assert draft[0]["deal"]["deal_name"].startswith("Senior Financial Advisor (Fort Wayne, IN)")
    assert complete["status"] == "saved"
    assert {record["module"] for record in complete["records"]} == {"account", "contact", "deal", "note"}


async def test_cancel_over_the_socket_closes_the_log(server):
    async with connected(server) as socket:
        await socket.send(json.dumps({"type": "process_email", "data": MAIL}))
        run_id = (await received(socket, "accepted"))["run_id"]
        await received(socket, "review_ready")
        await socket.send(json.dumps({"type": "cancel", "run_id": run_id}))
        cancelled = await received(socket, "cancelled")

    assert cancelled == {"by": "API_KEY"}
    assert (await settled(server, run_id))[-1]["type"] == "cancelled"


async def test_subscribing_twice_is_one_subscription(server):
    run_id = await started(server)
    whole = await settled(server, run_id)

    async with connected(server) as socket:
        for after in (None, None, "1.1"):
            await socket.send(json.dumps({"type": "subscribe", "run_id": run_id, "after": after}))
        seen = []
        while not seen or seen[-1] < len(whole):
            envelope = json.loads(await socket.recv())
            if envelope["sequence"]:
                seen.append(envelope["sequence"])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await socket.recv()

    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{nonsense", "malformed_json"),
        ('{"type": "dance"}', "fields_at_fault"),
        ('{"type": "subscribe"}', "fields_at_fault"),
        ('{"type": "process_email", "data": {"sender_email": 1}}', "fields_at_fault"),
        ('{"type": "subscribe", "run_id": "00000000-0000-7000-8000-000000000000"}', "no_such_run"),
        ('{"type": "subscribe", "run_id": "not-a-run"}', "no_such_run"),
    ],
)
async def test_what_cannot_be_understood_is_answered_and_the_socket_stays_open(server, said, code):
    async with connected(server) as socket:
        await socket.send(said)
        error = await received(socket, "error")
        await socket.send(json.dumps({"type": "ping"}))
        await received(socket, "pong")

    assert error["code"] == code


async def test_ten_bad_messages_in_a_row_close_the_socket(server):
    async with connected(server) as socket:
        for _ in range(10):
            await socket.send("nonsense")
        bye = await received(socket, "bye")
        await socket.wait_closed()

    assert bye["code"] == socket.close_code == 4400


async def test_a_bad_cursor_on_the_socket_is_an_error_frame(server):
    run_id = await started(server, mode="preview")

    async with connected(server) as socket:
        await socket.send(json.dumps({"type": "subscribe", "run_id": run_id, "after": "x"}))
        assert (await received(socket, "error"))["code"] == "bad_cursor"


async def test_a_ticket_works_once(server):
    protocols = [PROTOCOL, f"ticket.{ticket(server)}"]

    async with connected(server, subprotocols=protocols) as first:
        assert json.loads(await first.recv())["type"] == "connection_established"
    async with connected(server, subprotocols=protocols) as second:
        bye = json.loads(await second.recv())
        await second.wait_closed()

    assert (bye["type"], bye["data"]["code"], second.close_code) == ("bye", 4401, 4401)


async def test_no_ticket_is_told_so_and_closed(server):
    async with connected(server, subprotocols=[PROTOCOL]) as socket:
        assert (await received(socket, "bye"))["code"] == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_strange_origin_is_refused_before_the_handshake(server, origin):
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connected(server, origin=origin):
            pass

    assert refused.value.response.status_code == 403


async def test_our_own_origin_is_welcome(server):
    async with connected(server, origin=server.url) as socket:
        assert json.loads(await socket.recv())["type"] == "connection_established"


async def test_a_client_that_acknowledges_nothing_after_promising_to_is_paused(server):
    """Its log is paused at 256 KB; it goes on as soon as it acknowledges."""
    body = "My name is Jane Roe. " + "word " * 100
    run_ids = [await started(server, mode="preview", subject=f"Large {n}", body=body) for n in range(40)]
    for run_id in run_ids:
        await settled(server, run_id)

    async with connected(server) as socket:
        for run_id in run_ids:
            await socket.send(json.dumps({"type": "subscribe", "run_id": run_id, "acks": True}))
        told, size = [], 0
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(20 if size < 200_000 else 1.5):
                    text = await socket.recv()
                size += len(text)
                told.append(json.loads(text))
        paused_at = size
        unread = [envelope for envelope in told if envelope["sequence"]]
        ended = sum(envelope["type"] == "complete" for envelope in told)
        while ended < len(run_ids):
            while unread:
                envelope = unread.pop(0)
                await socket.send(
                    json.dumps({"type": "ack"} | {name: envelope[name] for name in ("run_id", "sequence")})
                )
            async with asyncio.timeout(10):
                envelope = json.loads(await socket.recv())
            unread.append(envelope)
            ended += envelope["type"] == "complete"

    assert 200_000 < paused_at < 300_000


async def test_who_unsubscribes_without_acknowledging_may_go_on_with_other_runs(server):
    body = "My name is Jane Roe. " + "word " * 100
    run_ids = [await started(server, mode="preview", subject=f"Left {n}", body=body) for n in range(50)]
    logs = [await settled(server, run_id) for run_id in run_ids]
    assert sum(len(json.dumps(log)) for log in logs) > 300_000

    async with connected(server) as socket:
        for run_id in run_ids:
            await socket.send(json.dumps({"type": "subscribe", "run_id": run_id, "acks": True}))
            async with asyncio.timeout(10):
                await received(socket, "complete")
            await socket.send(json.dumps({"type": "unsubscribe", "run_id": run_id}))


async def test_a_run_token_reads_its_one_run_and_nothing_else(server):
    """A plain EventSource can send no header, so this one token may stand in an address."""
    async with server.client() as http:
        links = (await http.post("/stream/runs", json=MAIL | {"mode": "preview"})).json()["links"]
    other = await started(server, mode="preview")
    token = links["events"].partition("access_token=")[2]

    async with httpx2.AsyncClient(base_url=server.url) as http:
        own = await http.get(links["events"], headers={"Accept": "text/event-stream"})
        foreign = await http.get(f"/stream/runs/{other}/events", params={"access_token": token})
        elsewhere = await http.get(f"/stream/runs/{other}", params={"access_token": token})
        as_bearer = await http.get(f"/stream/runs/{other}", headers={"Authorization": f"Bearer {token}"})

    assert own.status_code == 200
    assert [foreign.status_code, elsewhere.status_code, as_bearer.status_code] == [404, 401, 401]


async def test_readers_on_all_transports_at_once_see_the_same(server):
    run_id = await started(server, mode="preview")

    logs = await asyncio.gather(*(TRANSPORTS[name](server, run_id) for name in TRANSPORTS for _ in range(3)))

    assert all(log == logs[0] for log in logs)
    assert KEY not in json.dumps(logs[0])
