"""The fake is itself held to Zoho's document, and sees what does not keep it."""

import httpx2
import pytest

from zoho.tests.fake_zoho import API, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, FakeZoho
from zoho.tests.zoho_openapi import DOCUMENT


async def signed_in(zoho, http):
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
    answer = await http.post("/oauth/v2/token", data=form | {"grant_type": "refresh_token"})
    http.headers["Authorization"] = f"Zoho-oauthtoken {answer.json()['access_token']}"


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="Zoho's OpenAPI document does not stand beside this checkout")
async def test_what_does_not_keep_zohos_document_is_noticed():
    async with FakeZoho.serving() as zoho, httpx2.AsyncClient(base_url=zoho.url + API) as http:
        http.base_url = zoho.url
        await signed_in(zoho, http)
        await http.post(f"{API}/Deals", json={"data": [{"Deal_Name": "A", "Stage": "Lead"}]})
        assert zoho.strays == []

        await http.post(f"{API}/Deals", json={"data": [{"Deal_Name": "A", "Stage": "Lead"}], "colour": 1})

        assert len(zoho.strays) == 1 and zoho.strays[0].startswith("POST /crm/v8/Deals sent: $")


async def test_a_cut_after_the_write_leaves_the_record_there_and_gives_no_answer():
    async with FakeZoho.serving() as zoho, httpx2.AsyncClient(base_url=zoho.url) as http:
        await signed_in(zoho, http)
        zoho.fail("cut_after", on="POST /Accounts")

        with pytest.raises(httpx2.TransportError):
            await http.post(f"{API}/Accounts", json={"data": [{"Account_Name": "Acme Wealth"}]})

        assert [row["Account_Name"] for row in zoho.rows("Accounts")] == ["Acme Wealth"]


async def test_a_search_sees_what_was_written_only_after_a_while():
    async with FakeZoho.serving() as zoho, httpx2.AsyncClient(base_url=zoho.url) as http:
        await signed_in(zoho, http)
        zoho.search_lag = 60
        await http.post(f"{API}/Accounts", json={"data": [{"Account_Name": "Acme Wealth"}]})
        asked = f"{API}/Accounts/search?criteria=(Account_Name:equals:Acme Wealth)"

        assert (await http.get(asked)).status_code == 204
        zoho.search_lag = 0
        assert (await http.get(asked)).json()["data"][0]["Account_Name"] == "Acme Wealth"
