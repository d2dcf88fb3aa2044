"""Who gets in, and how much they may have at once. The table of all addresses is in `test_access_table.py`."""

import asyncio

import httpx2
import pytest

from conftest import MAIL

pytestmark = pytest.mark.server


async def test_a_stored_key_works_until_it_is_revoked_and_sees_only_its_tenants_runs(own_server):
    server = own_server()
    first, second = (server.manage("create_api_key", name).stdout.decode().strip() for name in ("one", "two"))
    colleagues = [
        server.manage("create_api_key", name, "--tenant", "firm").stdout.decode().strip() for name in ("three", "four")
    ]

    async with server.client() as http:
        mine = (await http.post("/stream/runs", json=MAIL, headers={"X-API-Key": first})).json()["run_id"]
        shared = (await http.post("/stream/runs", json=MAIL, headers={"X-API-Key": colleagues[0]})).json()["run_id"]
        answers = {
            "own": await http.get(f"/stream/runs/{mine}", headers={"X-API-Key": first}),
            "foreign": await http.get(f"/stream/runs/{mine}", headers={"X-API-Key": second}),
            "cancel": await http.post(f"/stream/runs/{mine}/cancel", headers={"X-API-Key": second}),
            "colleague": await http.get(f"/stream/runs/{shared}", headers={"X-API-Key": colleagues[1]}),
        }
        assert {name: answer.status_code for name, answer in answers.items()} == {
            "own": 200,
            "foreign": 404,
            "cancel": 404,
            "colleague": 200,
        }

        revoke = "from wellintake.models import ApiKey as K; from django.utils import timezone as t"
        server.manage("shell", "-c", f"{revoke}; K.objects.filter(name='one').update(revoked_at=t.now())")
        revoked = await http.get(f"/stream/runs/{mine}", headers={"X-API-Key": first})
    assert revoked.status_code == 401


async def test_only_a_hash_of_a_key_is_stored(own_server):
    server = own_server()
    key = server.manage("create_api_key", "one").stdout.decode().strip()

    _, _, secret = key.split("_", 2)  # the secret itself may hold underscores
    kept = server.database.rows("SELECT * FROM wellintake_apikey")
    assert len(kept) == 1
    assert secret not in str(kept)


async def test_negotiate_gives_a_bearer_that_works_and_a_ticket_that_does_not_work_as_one(server):
    async with server.client() as http:
        given = (await http.get("/stream/negotiate")).json()
    async with httpx2.AsyncClient(base_url=server.url) as http:
        bearer = await http.get("/stream/metrics", headers={"Authorization": f"Bearer {given['bearer']}"})
        ticket = await http.get("/stream/metrics", headers={"Authorization": f"Bearer {given['accessToken']}"})

    assert (bearer.status_code, ticket.status_code) == (200, 401)
    assert given["mode"] == "websocket"
    assert given["url"] == f"ws://127.0.0.1:{server.port}/stream/ws/email-processing"
    assert {one["transport"] for one in given["fallbacks"]} == {"sse", "ndjson", "polling"}
    assert all(one["url"].startswith(server.url) for one in given["fallbacks"])


async def test_the_page_may_start_runs_only_from_this_machine_under_debug(server, own_server):
    strict = own_server(DEBUG="false")
    async with httpx2.AsyncClient() as http:
        local = await http.get(f"{server.url}/")
        proxied = await http.get(f"{server.url}/", headers={"X-Forwarded-For": "203.0.113.9"})
        production = await http.get(f"{strict.url}/")

    assert '"bearer": "ey' in local.text
    assert '"bearer": null' in proxied.text
    assert '"bearer": null' in production.text


async def test_an_address_that_is_none_is_a_problem_document(own_server):
    server = own_server(DEBUG="false")
    async with server.client() as http:
        answers = [
            await http.get("/stream/nothing"),
            await http.get("/stream/health", headers={"Host": "evil.example"}),
        ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, "not_found"),
        (400, "bad_request"),
    ]


async def test_a_strange_host_is_refused(server):
    async with server.client() as http:
        answer = await http.get("/stream/health", headers={"Host": "evil.example"})

    assert answer.status_code == 400


async def test_too_many_runs_in_flight_are_told_when_to_come_back(own_server, scripted_model):
    server = own_server(MAX_RUNS_PER_USER="2", **scripted_model(None, "--fault", "stall").settings)

    async with server.client() as http:
        answers = [await http.post("/stream/runs", json=MAIL | {"subject": str(n)}) for n in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].headers["retry-after"] == "5"


async def test_a_batch_over_the_limit_starts_nothing_and_keeps_no_place(own_server, scripted_model):
    limits = {"MAX_RUNS_PER_USER": "2", "MAX_CONNECTIONS_PER_USER": "1"}
    server = own_server(**limits, **scripted_model(None, "--fault", "stall").settings)
    emails = [MAIL | {"subject": str(number), "mode": "preview"} for number in range(3)]

    async with server.client() as http:
        refused = [await http.post("/stream/batch/process-email", json={"emails": emails}) for _ in range(2)]
        figures = (await http.get("/stream/metrics")).json()

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(429, "too_many_runs")] * 2
    assert [error["field"] for error in refused[0].json()["errors"]] == ["emails.2"]
    assert (sum(figures["runs"].values()), figures["active_connections"]) == (0, 0)


async def test_too_many_connections_are_told_so(own_server):
    server = own_server(MAX_CONNECTIONS_PER_USER="2")
    async with server.client() as http:
        run_id = (await http.post("/stream/runs", json=MAIL)).json()["run_id"]
        while (state := (await http.get(f"/stream/runs/{run_id}")).json())["state"] != "review":
            await asyncio.sleep(0.05)
        end = state["cursor"]
        address = f"/stream/runs/{run_id}/events?after={end}"
        headers = {"Accept": "text/event-stream"}
        async with http.stream("GET", address, headers=headers), http.stream("GET", address, headers=headers):
            third = await http.get(address, headers=headers)
        freed = False
        while not freed:
            async with http.stream("GET", address, headers=headers) as again:
                freed = again.status_code == 200

    assert (third.status_code, third.json()["code"]) == (429, "too_many_connections")
