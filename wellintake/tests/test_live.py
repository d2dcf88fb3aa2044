"""The live page, in a real Chromium against a real server: what it shows is what happened."""

import asyncio
import re

import httpx2
import pytest
import websockets
from playwright.async_api import expect
from prometheus_client.parser import text_string_to_metric_families

from conftest import MAIL
from streaming.measures import percentiles
from streaming.tests.reading import connected
from wellintake.tests.server import Server

pytestmark = [pytest.mark.server]
MAKE_USERS = """
from django.contrib.auth.models import Permission, User
User.objects.create_superuser("boss", password="pw")
User.objects.create_user("ann", password="pw", is_staff=True)
"""


@pytest.fixture
def watched(own_server):
    server = own_server(RESEARCH="off")
    server.manage("shell", "-c", MAKE_USERS)
    return server


async def three_runs(server) -> list[dict]:
    async with server.client() as http:
        ids = [
            (await http.post("/stream/runs", json={**MAIL, "subject": f"Role {n}", "mode": "preview"})).json()["run_id"]
            for n in range(3)
        ]
        for run_id in ids:
            await http.get(f"/stream/runs/{run_id}/events", headers={"Accept": "application/x-ndjson"})
        return [(await http.get(f"/stream/runs/{run_id}")).json() for run_id in ids]


async def sign_in(browser, server, name="boss", **given):
    page = await browser.new_page(**given)
    await page.goto(f"{server.url}/admin/login/?next=/admin/live/")
    await page.fill("#id_username", name)
    await page.fill("#id_password", "pw")
    await page.click("[type=submit]")
    return page


async def says(page, test_id, text, seconds=15):
    await expect(page.get_by_test_id(test_id)).to_contain_text(text, timeout=seconds * 1000)


@pytest.mark.browser
async def test_the_page_shows_what_the_log_says(browser, watched):
    runs = await three_runs(watched)
    async with connected(watched):
        page = await sign_in(browser, watched)
        await says(page, "state", "Everything works")
        await says(page, "tile-connections", "1 websocket")
        await says(page, "tile-this-hour", "3 runs")

        firsts = percentiles(run["timings"]["first_field"] for run in runs)
        cells = page.get_by_test_id("performance").locator("tr").first.locator("td")
        shown = [float(text) for text in await cells.all_inner_texts()]
        assert shown[:3] == pytest.approx([firsts["p50"], firsts["p95"], firsts["p99"]], abs=0.6)
        assert shown[4] == 3
        await expect(page.locator(".u-wrap")).to_have_count(4)
    await expect(page.get_by_test_id("tile-connections")).to_have_text("0", timeout=15_000)


@pytest.mark.browser
async def test_where_sockets_are_cut_off_the_page_lives_by_events(browser, watched):
    page = await browser.new_page()
    await page.route_web_socket("**/admin/live/socket", lambda socket: socket.close())
    await page.goto(f"{watched.url}/admin/login/?next=/admin/live/")
    await page.fill("#id_username", "boss")
    await page.fill("#id_password", "pw")
    await page.click("[type=submit]")
    await says(page, "state", "Everything works")


@pytest.mark.browser
async def test_a_connection_is_ended_from_the_page_and_its_client_is_told_to_come_back(browser, watched):
    page = await sign_in(browser, watched)
    async with connected(watched) as socket:
        await page.get_by_role("button", name=re.compile("End the connection")).click(timeout=15_000)
        async with asyncio.timeout(10):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    await socket.recv()
    assert closed.value.rcvd.code == 4012


@pytest.mark.browser
async def test_a_server_that_is_gone_makes_the_page_say_so(browser, watched):
    page = await sign_in(browser, watched)
    await says(page, "state", "Everything works")
    watched.kill()
    await says(page, "state", "No news for")


async def test_only_staff_with_the_permission_sees_it(watched):
    async with httpx2.AsyncClient(base_url=watched.url) as http:
        answers = [await http.get(f"/admin/live/{path}") for path in ("", "events")]
        assert [answer.status_code for answer in answers] == [302, 403]

        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', (await http.get("/admin/login/")).text)[1]
        form = {"username": "ann", "password": "pw", "csrfmiddlewaretoken": token}
        assert (await http.post("/admin/login/", data=form)).status_code == 302
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', (await http.get("/admin/password_change/")).text)
        end = {"connection": "x", "csrfmiddlewaretoken": token[1]}
        answers = [await http.get(f"/admin/live/{path}") for path in ("", "events")]
        answers.append(await http.post("/admin/live/end", data=end))
        assert [answer.status_code for answer in answers] == [403, 403, 403]
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())

    address = f"ws{watched.url.removeprefix('http')}/admin/live/socket"
    for headers in ({}, {"Cookie": cookies}):
        async with websockets.connect(address, additional_headers=headers) as socket:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd.code == 4403
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(address, origin="https://evil.example")


@pytest.mark.embedded
async def test_prometheus_is_told_what_happened(watched):
    await three_runs(watched)
    async with watched.client() as http:
        answer = await http.get("/metrics")
        figures = (await http.get("/stream/metrics")).json()

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert samples["wellintake_total_seconds_bucket", "+Inf"] == figures["performance"]["total_ms"]["count"] == 3
    assert samples["wellintake_first_field_seconds_count",] == 3
    assert samples["wellintake_events_total",] > 30
    assert samples["wellintake_queue_depth",] == 0
    assert samples["wellintake_check_ok", "database"] == 1


@pytest.mark.distributed
@pytest.mark.browser
async def test_one_page_adds_up_all_processes_and_shows_one_that_was_killed(browser, watched, tmp_path):
    replica = Server(tmp_path, "uvicorn", beside=watched).start()
    worker = Server(tmp_path, "worker", beside=watched).start()
    try:
        async with connected(watched), connected(replica):
            page = await sign_in(browser, replica)
            await says(page, "tile-connections", "2 websocket")
            await expect(page.get_by_test_id("processes").locator("tr")).to_have_count(4, timeout=15_000)
            worker.kill()
            await says(page, "processes", "no sign of life", 8)
    finally:
        replica.stop()
        worker.stop()
