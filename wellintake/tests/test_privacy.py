"""Mail text, personal data, keys and tokens never reach a log, a metric, an address or an error."""

import json

import pytest

from conftest import MAIL
from extraction.tests.scripted_openai import answer_for
from streaming.tests.reading import PROTOCOL, by_sse, by_websocket, connected, ticket
from wellintake.tests.server import KEY

pytestmark = pytest.mark.server

MARKED = MAIL | {
    "subject": "Zanzibar subject",
    "body": MAIL["body"] + "\nMy plan is called Operation Quicksilver.\n",
    "attachments": [{"filename": "Zanzibar.txt", "content_base64": "UXVpY2tzaWx2ZXI="}],
}
SECRETS = ["Zanzibar", "Quicksilver", "Roe", "jane.roe", "555-0144", "+12605550144", KEY]


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_the_whole_story_leaves_no_word_of_a_mail_in_logs_metrics_and_errors(own_server, scripted_model, kind):
    model = scripted_model(answer_for([{"full_name": "Jane Roe"}]), "--fault", "cut")
    server = own_server(kind, LOG_LEVEL="DEBUG", **model.settings)
    spent = ticket(server)

    async with server.client() as http:
        started = (await http.post("/stream/runs", json=MARKED)).json()
        await by_sse(server, started["run_id"])
        token = started["links"]["events"].partition("access_token=")[2]
        await http.get(f"/stream/runs/{started['run_id']}/events?access_token={token}")
        address = f"ws://127.0.0.1:{server.port}/stream/ws/email-processing?access_token={spent}"
        async with connected(server, subprotocols=[PROTOCOL], address=address) as socket:
            await socket.send(json.dumps({"type": "process_email", "data": MARKED | {"Zanzibar": 1}}))
            await socket.recv()
            refused_socket = str(await socket.recv())
        refused = await http.post("/stream/runs", json=MARKED | {"mode": "Quicksilver"})
        saved = await http.post(f"/stream/runs/{started['run_id']}/save", json={"corrections": {}})
        assert saved.status_code == 202
        events = await by_websocket(server, started["run_id"], after="1.1")
        metrics = await http.get("/stream/metrics")
    server.stop()
    log = server.log.read_text()

    assert events
    for name, text in {"log": log, "metrics": metrics.text, "refusal": refused.text}.items():
        assert [secret for secret in [*SECRETS, token, spent] if secret in text] == [], name
    assert "Roe" not in refused_socket
