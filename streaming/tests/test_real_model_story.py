"""Whole runs with a real, very small model behind OpenAI's protocol: what is told, never what it says."""

import asyncio

import pytest

from streaming.tests.reading import by_ndjson, by_polling
from streaming.tests.test_model_story import held_by_the_promises, posted

pytestmark = [pytest.mark.server, pytest.mark.real_model, pytest.mark.timeout(300)]


async def test_a_run_whose_answer_is_cut_tells_its_story_in_order_and_keeps_the_rules_fields(own_server, small_model):
    server = own_server("uvicorn", **small_model(tokens=6).settings)  # too few for any whole answer

    events = await by_ndjson(server, await posted(server, mode="preview"))

    held_by_the_promises(events)
    types = [event["type"] for event in events]
    assert (types[0], types[-2:]) == ("extraction_start", ["validation_result", "complete"])
    assert types.index("extraction_field") < types.index("extraction_token") < types.index("validation_start")
    assert "extraction_token" not in types[types.index("validation_start") :]
    result = events[-1]["data"]["result"]
    assert (result["engine"], [issue["code"] for issue in result["issues"]]) == ("patterns", ["model_incomplete"])
    assert result["people"][0]["contact"]["email"] == "jane.roe@acmewealth.example"


async def test_a_cancelled_run_stops_the_models_work(own_server, small_model):
    model = small_model(tokens=-1)
    server = own_server("uvicorn", **model.settings)
    run_id = await posted(server)
    seen = await by_ndjson(server, run_id, stop_after=40)
    assert "extraction_token" in [event["type"] for event in seen]

    async with server.client() as http:
        assert (await http.post(f"/stream/runs/{run_id}/cancel")).status_code == 202

    async with asyncio.timeout(30):
        while model.is_writing():
            await asyncio.sleep(0.05)
    assert (await by_polling(server, run_id))[-1]["type"] == "cancelled"
