"""Calls to Zoho on real sockets: paced, repeated only where that cannot write twice, answered in our own words."""

import asyncio

import pytest

from zoho.client import Limits, ZohoClient
from zoho.errors import ZohoConflict, ZohoNotConnected, ZohoRateLimited, ZohoRefused, ZohoUnavailable
from zoho.tests.fake_zoho import FakeZoho
from zoho.tests.filed import JANE, filed, person
from zoho.tests.held import AskedTokens, crm_behind, with_key_field

ACME = {"Account_Name": "Acme Wealth"}


class Meter:
    def __init__(self):
        self.outcomes, self.retries = [], 0

    def called(self, outcome, milliseconds, credits_left):
        self.outcomes.append(outcome)

    def retried(self):
        self.retries += 1


@pytest.fixture
async def zoho():
    async with FakeZoho.serving() as zoho:
        yield zoho


@pytest.fixture
async def client(zoho):
    client = ZohoClient(AskedTokens(zoho), Limits(per_second=1000, timeout=2, patience=3), Meter())
    client.meter = client._meter
    yield client
    await client.close()


def api_calls(zoho):
    return [call for call in zoho.calls if "oauth" not in call]


async def test_an_answer_without_content_is_none(client):
    assert await client.call("GET", "/Accounts") is None


async def test_every_call_is_counted_with_what_it_came_to(client, zoho):
    zoho.fail("429", on="GET /Accounts", retry_after=0.01)
    await client.call("GET", "/Accounts")

    assert (client.meter.outcomes, client.meter.retries) == (["429", "204"], 1)


async def test_a_refusal_for_rate_is_repeated_for_writes_too_since_nothing_was_written(client, zoho):
    zoho.fail("429", on="POST /Accounts", times=2, retry_after=0.01)

    (result,) = await client.records("POST", "/Accounts", [ACME])

    assert result.status == "success" and [row["id"] for row in zoho.rows("Accounts")] == [result.id]


async def test_a_time_that_is_too_far_away_is_not_waited_for(client, zoho):
    zoho.fail("429", on="GET /Accounts", times=None, retry_after=600)

    with pytest.raises(ZohoRateLimited) as error:
        await client.call("GET", "/Accounts")

    assert error.value.retry_after == 600 and len(api_calls(zoho)) == 1


async def test_a_write_whose_answer_was_lost_is_not_repeated_blindly(client, zoho):
    zoho.fail("cut_after", on="POST /Accounts")

    with pytest.raises(ZohoUnavailable) as error:
        await client.records("POST", "/Accounts", [ACME])

    assert error.value.sent and len(zoho.rows("Accounts")) == 1


async def test_a_read_and_an_idempotent_write_are_repeated_until_they_are_answered(client, zoho):
    zoho.fail("cut_after", on="POST /Accounts/upsert")
    zoho.fail("500", on="GET /Accounts", times=2)

    await client.records("POST", "/Accounts/upsert", [ACME], duplicate_check_fields=["Account_Name"], idempotent=True)
    told = await client.call("GET", "/Accounts", params={"fields": "Account_Name"})

    assert [row["Account_Name"] for row in told["data"]] == ["Acme Wealth"]


async def test_a_storm_that_does_not_end_is_given_up_when_patience_is(client, zoho):
    zoho.fail("503", on="GET /Accounts", times=None)

    with pytest.raises(ZohoUnavailable):
        await client.call("GET", "/Accounts")

    assert len(api_calls(zoho)) > 1


async def test_of_several_records_each_is_answered_for_itself(client, zoho):
    results = await client.records("POST", "/Accounts", [ACME, {"Phone": "1"}])

    assert [result.status for result in results] == ["success", "error"]
    assert results[1].refusal.api_name == "Account_Name" and "Account_Name" in results[1].refusal.message


async def test_a_record_that_was_changed_since_is_a_conflict(client, zoho):
    (stored,) = await client.records("POST", "/Accounts", [ACME])
    zoho.change("Accounts", stored.id, Phone="+12605550144")

    with pytest.raises(ZohoConflict):
        header = {"If-Unmodified-Since": stored.modified_time}
        await client.records("PUT", f"/Accounts/{stored.id}", [{"Phone": "+12605550199"}], headers=header)

    assert zoho.rows("Accounts")[0]["Phone"] == "+12605550144"


async def test_what_does_not_exist_is_refused_in_our_own_words(client):
    with pytest.raises(ZohoRefused) as error:
        await client.call("GET", "/Unicorns")

    assert error.value.reason == "INVALID_MODULE"


async def test_a_token_that_has_died_is_renewed_once(client, zoho):
    await client.call("GET", "/Accounts")
    zoho.spend_tokens()

    assert await client.call("GET", "/Accounts") is None
    assert zoho.tokens_given == 2


async def test_a_token_that_is_never_taken_ends_in_words_that_say_what_to_do(client, zoho):
    zoho.fail("spent", on="GET /Accounts", times=None)

    with pytest.raises(ZohoNotConnected) as error:
        await client.call("GET", "/Accounts")

    assert "administrator" in error.value.message


async def test_fifty_saves_at_once_keep_the_limit_and_none_is_lost_in_a_storm_of_refusals(zoho):
    async with crm_behind(zoho, with_key_field(zoho), patience=30) as crm:
        await crm.find(person(**JANE))
        zoho.latency = 0.01
        zoho.fail("429", on="POST /Contacts", times=60, retry_after=0.05)

        await asyncio.gather(*(filed(crm, f"mail.{number}", f"jane{number}@acme.example") for number in range(50)))

    modules = ("Accounts", "Contacts", "Deals", "Notes", "Attachments")
    assert [len(zoho.rows(module)) for module in modules] == [1, 50, 50, 50, 50]
    assert zoho.peak == Limits().concurrency
