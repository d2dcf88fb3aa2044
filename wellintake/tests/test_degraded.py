"""The model away, slow, over its limit, refusing, talking rubbish: over the real server, as a recruiter meets it."""

import asyncio

import httpx2
import pytest

from conftest import MAIL
from extraction.prompt import PROMPT_VERSION
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import by_polling
from wellintake.tests.test_page import SAMPLE

pytestmark = pytest.mark.server

JANE = {"full_name": "Jane Roe", "email": "jane.roe@acmewealth.example", "city": "Piney Hollow"}
BODY = MAIL["body"] + "\nPS: Piney Hollow would be fine, too.\n"
PRICES = {"OPENAI_PRICES": "gpt-5-mini=1/0.5/4", "OPENAI_CURRENCY": "EUR"}


async def posted(http, **mail):
    answer = await http.post("/stream/runs", json=MAIL | {"body": BODY} | mail)
    assert answer.status_code == 202, answer.text
    return answer.json()["run_id"]


async def snapshot_of(http, run_id):
    return (await http.get(f"/stream/runs/{run_id}")).json()


async def settled(server, http, **mail):
    run_id = await posted(http, **mail)
    await by_polling(server, run_id)
    return await snapshot_of(http, run_id)


def script(model, **changes):
    httpx2.post(f"{model.url.removesuffix('/v1')}/scripted", json=changes)


def codes(state):
    return [issue["code"] for issue in state["issues"]]


async def test_whatever_the_model_does_the_run_is_ready_for_review_and_says_so(own_server, scripted_model):
    """What concerns the service and what concerns one mail take turns, so that nothing is too much in a row."""
    model = scripted_model(answer_for([JANE]))
    server = own_server(**model.settings | {"OPENAI_TIMEOUT": "1", "OPENAI_DEADLINE": "3"})
    faults = {
        "server_error": "model_unavailable",
        "refusal": "model_refused",
        "bad_key": "model_rejected",
        "truncated_json": "model_malformed",
        "silent": "model_unavailable",
        "incomplete": "model_incomplete",
        "stall": "model_unavailable",
        "too_long": "model_overfilled",
    }
    async with server.client() as http:
        for fault, code in faults.items():
            script(model, fault=fault)
            state = await settled(server, http)
            assert (fault, state["state"], state["engine"], codes(state)) == (fault, "review", "patterns", [code])
            assert state["people"][0]["contact"]["email"] == JANE["email"]
            assert ("Piney Hollow" in cities(state)) == (fault in ("truncated_json", "incomplete", "stall"))

            await http.post(f"/stream/runs/{state['run_id']}/save", json={"corrections": {"allow_duplicate": True}})
            (*_, complete) = await by_polling(server, state["run_id"], after=state["cursor"])
            assert complete["data"]["status"] == "saved"
            assert complete["data"]["result"]["engine"] == "patterns"


def cities(state):
    (city,) = [
        field for field in state["people"][0]["fields"] if (field["record"], field["field"]) == ("contact", "city")
    ]
    return [one["value"] for one in (city, *city["alternatives"]) if one["origin"] == "model"]


async def test_an_answer_that_drips_ends_at_the_deadline(own_server, scripted_model):
    model = scripted_model(answer_for([JANE]), "--tokens-per-second", "5")
    server = own_server(**model.settings | {"OPENAI_DEADLINE": "1.5"})

    async with server.client() as http:
        state = await settled(server, http)

    assert (state["engine"], codes(state)) == ("patterns", ["model_unavailable"])
    assert "took too long" in state["issues"][0]["message"]
    assert state["timings"]["total"] < 8000


# Instead of waiting for ten minutes.
THE_LIMIT_IS_OVER = "from wellintake.models import Circuit; Circuit.objects.update(until=0)"


async def test_a_limit_is_respected_by_every_process_and_forgotten_when_it_is_over(own_server, scripted_model):
    model = scripted_model(answer_for([JANE]), "--fault", "rate_limited", "--retry-after", "600")
    server = own_server("uvicorn", **model.settings | PRICES)
    async with server.client() as http:
        first = await settled(server, http)
        second = await settled(server, http)
        assert (codes(first), codes(second)) == (["model_rate_limited"], ["model_unavailable"])
        assert "over its limit since" in second["issues"][0]["message"]
        assert "600" not in second["issues"][0]["message"].partition("since")[0]
        assert second["timings"]["total"] < 2000
        health = await health_says(http, "rate_limited since ")
        assert health["status"] == "degraded"

        command = await asyncio.to_thread(server.manage, "intake", str(SAMPLE), "--json")
        assert b"over its limit since" in command.stdout
        assert model.seen()["requests"] == 1

        metrics = (await http.get("/stream/metrics")).json()["model"]
        assert (metrics["calls"], metrics["failures"], metrics["not_asked"]) == (1, {"model_rate_limited": 1}, 2)
        assert metrics["breakers"]["gpt-5-mini"]["state"] == "open"
        assert metrics["cost"] is None

        script(model, fault=None)
        await asyncio.to_thread(server.manage, "shell", "-c", THE_LIMIT_IS_OVER)
        async with asyncio.timeout(10):  # a process looks once a second
            while (await http.get("/stream/metrics")).json()["model"]["breakers"]["gpt-5-mini"]["until"]:
                await asyncio.sleep(0.1)
        healed = await settled(server, http, mode="preview")

        assert (healed["engine"], healed["model"], codes(healed)) == ("model", "gpt-5-mini", [])
        await health_says(http, "configured")
        metrics = (await http.get("/stream/metrics")).json()["model"]
    assert metrics["breakers"]["gpt-5-mini"]["state"] == "closed"
    usage = healed["usage"]
    assert metrics["tokens"] == {kind: usage[f"{kind}_tokens"] for kind in ("input", "cached", "output")}
    assert usage["cost"] == pytest.approx((464 * 1 + 1536 * 0.5 + usage["output_tokens"] * 4) / 1_000_000)
    assert (metrics["cost"], metrics["currency"], usage["currency"]) == (usage["cost"], "EUR", "EUR")


async def health_says(http, word):
    """A breaker that another process has changed is seen within a second."""
    async with asyncio.timeout(5):
        while not (health := (await http.get("/stream/health")).json())["checks"]["model"].startswith(word):
            await asyncio.sleep(0.1)
    return health


async def test_a_storm_of_errors_reaches_the_first_runs_and_no_others(own_server, scripted_model):
    model = scripted_model(answer_for([JANE]), "--fault", "server_error")
    server = own_server(**model.settings)

    async with server.client() as http:
        storm = await asyncio.gather(*(settled(server, http, subject=f"Mail {n}") for n in range(30)))
        asked = model.seen()["requests"]
        after = [await settled(server, http, subject=f"Later {n}") for n in range(5)]

    assert {state["engine"] for state in (*storm, *after)} == {"patterns"}
    assert {tuple(codes(state)) for state in (*storm, *after)} == {("model_unavailable",)}
    assert model.seen()["requests"] == asked
    assert all("out of reach since" in state["issues"][0]["message"] for state in after)
    assert max(state["timings"]["total"] for state in after) < 2000


async def test_a_wrong_key_is_told_apart_from_a_model_that_is_away_and_mended_with_the_next_start(
    own_server, scripted_model
):
    model = scripted_model(answer_for([JANE]))
    server = own_server(**model.settings | {"OPENAI_API_KEY": "a-mistyped-key"})
    async with server.client() as http:
        for n in range(3):
            assert codes(await settled(server, http, subject=f"Mail {n}")) == ["model_rejected"]
        await health_says(http, "rejected since ")
        met = await settled(server, http)
    assert "not accepted our requests since" in met["issues"][0]["message"]

    server.stop()
    server.environment |= model.settings
    server.start()
    async with server.client() as http:
        assert (await http.get("/stream/health")).json()["checks"]["model"] == "configured"
        assert (await settled(server, http, mode="preview"))["engine"] == "model"


async def test_a_rerun_asks_another_model_that_the_settings_name(own_server, scripted_model):
    model = scripted_model(answer_for([JANE]))
    prices = "gpt-5-mini=1/1/1, gpt-5=2/2/2"
    server = own_server(**model.settings | {"OPENAI_MODELS": "gpt-5", "OPENAI_PRICES": prices})
    async with server.client() as http:
        run_id = await posted(http)
        start, *_ = await by_polling(server, run_id)
        again = (await http.post(f"/stream/runs/{run_id}/rerun", json={"model": "gpt-5"})).json()["run_id"]
        *_, complete = await by_polling(server, again)
        state = await snapshot_of(http, again)
        refused = [
            await http.post(f"/stream/runs/{run_id}/rerun", json=asked)
            for asked in ({"model": "gpt-6"}, {"model": "gpt-5", "engine": "patterns"})
        ]

    assert start["data"]["prompt_version"] == state["prompt_version"] == PROMPT_VERSION
    assert (complete["data"]["status"], complete["data"]["result"]["model"]) == ("preview", "gpt-5")
    assert complete["data"]["result"]["prompt_version"] == PROMPT_VERSION
    assert (state["model"], state["usage"]) == ("gpt-5", complete["data"]["usage"])
    assert state["usage"]["cost"] == pytest.approx((2000 + state["usage"]["output_tokens"]) * 2 / 1_000_000)
    assert [answer.status_code for answer in refused] == [422, 422]
    assert [answer.json()["errors"][0]["field"] for answer in refused] == ["model", "model"]
    row = (
        "from streaming.models import Run; print([(r.model_used, r.prompt_version, r.cost) for r in Run.objects.all()])"
    )
    stored = server.manage("shell", "-c", row).stdout.decode()
    assert f"('gpt-5', '{PROMPT_VERSION}', {state['usage']['cost']})" in stored


async def test_where_no_model_is_configured_a_rerun_by_one_is_refused(server):
    async with server.client() as http:
        run_id = await posted(http, mode="preview")
        answer = await http.post(f"/stream/runs/{run_id}/rerun", json={"engine": "model"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "engine")
