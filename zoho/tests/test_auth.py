"""One token for all who ask, renewed once, sealed at rest: on a real accounts server and a real database."""

import asyncio
import time

import pytest
from cryptography.fernet import Fernet

from wellintake.database import DatabaseThreads
from zoho.accounts import Accounts, OAuthClient
from zoho.auth import StoredTokens
from zoho.data_centres import Whereabouts
from zoho.errors import ZohoNotConnected, ZohoRateLimited
from zoho.grants import Grants
from zoho.models import Connection
from zoho.tests.fake_zoho import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, FakeZoho
from zoho.vault import Vault

SECRET = "an installation's secret"


@pytest.fixture
async def zoho():
    async with FakeZoho.serving() as zoho:
        yield zoho


@pytest.fixture
def database(transactional_db):
    threads = DatabaseThreads("test")
    yield threads
    threads.close()


@pytest.fixture
def process(zoho, database):
    """As another process of the same installation has it."""

    def start(keys=(), refresh_token=REFRESH_TOKEN, secret=CLIENT_SECRET):
        whereabouts = Whereabouts(accounts_url=zoho.url, api_url=zoho.url)
        grants = Grants(Vault(keys, SECRET), whereabouts, refresh_token)
        return StoredTokens(Accounts(OAuthClient(CLIENT_ID, secret), whereabouts), grants, database, database)

    return start


async def change(database, **columns):
    await database(lambda: Connection.objects.filter(pk="zoho").update(**columns))


async def row_of(database):
    return await database(lambda: Connection.objects.get(pk="zoho"))


async def test_all_processes_share_one_token(process, zoho):
    tokens = [await process().token() for _ in range(3)]

    assert len({token.value for token in tokens}) == 1
    assert zoho.tokens_given == 1


async def test_of_many_who_find_none_one_asks(process, zoho):
    zoho.latency = 0.05
    one, other = process(), process()

    tokens = await asyncio.gather(*(tokens.token() for tokens in (one, other) for _ in range(10)))

    assert {token.value for token in tokens} == {"access-token-1"}
    assert zoho.tokens_given == 1


async def test_it_is_renewed_at_four_fifths_of_its_life(process, zoho, database):
    began = time.time()
    await process().token()
    row = await row_of(database)

    assert row.renew_at - began == pytest.approx(0.8 * zoho.token_seconds, abs=30)
    await change(database, renew_at=began - 1)
    assert (await process().token()).value == "access-token-2"


async def test_a_renewal_that_fails_leaves_the_old_token_while_it_lives(process, zoho, database):
    await process().token()
    await change(database, renew_at=time.time() - 1)
    zoho.fail("500", on="POST /oauth", times=None)

    assert (await process().token()).value == "access-token-1"


async def test_nothing_at_rest_shows_a_token(process, database):
    token = await process().token()
    row = await row_of(database)

    told = " ".join(str(getattr(row, field.attname)) for field in row._meta.concrete_fields)
    assert token.value not in told and REFRESH_TOKEN not in told
    assert token.value not in repr(token)


async def test_keys_are_rotated_by_putting_a_new_one_in_front(process, zoho, database):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    first = await process([old]).token()

    assert await process([new, old]).token() == first
    # Without the old key the token cannot be opened any more; another one is asked for, and sealed with the new.
    assert (await process([new]).token()).value == "access-token-2"
    assert (await process([new]).token()).value == "access-token-2"


async def test_a_refused_token_is_renewed_once_for_all_who_were_refused(process, zoho):
    one, other = process(), process()
    refused = await one.token()

    newer = await asyncio.gather(one.renewed(refused), other.renewed(refused), other.renewed(refused))

    assert {token.value for token in newer} == {"access-token-2"}


async def test_access_denied_in_a_good_answer_means_too_many_and_is_not_asked_again_at_once(process, zoho):
    zoho.fail("denied", on="POST /oauth", times=None)

    for _ in range(3):
        with pytest.raises(ZohoRateLimited):
            await process().token()

    assert len(zoho.calls) == 1


async def test_a_revoked_grant_says_what_to_do(process, zoho):
    zoho.revoked = True

    with pytest.raises(ZohoNotConnected) as error:
        await process().token()

    assert "connect it again" in error.value.message


async def test_a_wrong_client_names_the_settings(process):
    with pytest.raises(ZohoNotConnected) as error:
        await process(secret="another").token()

    assert "ZOHO_CLIENT_SECRET" in error.value.message


async def test_without_a_grant_it_is_not_connected(process, zoho):
    with pytest.raises(ZohoNotConnected):
        await process(refresh_token=None).token()

    assert zoho.calls == []


def test_only_data_centres_of_the_list_are_believed():
    whereabouts = Whereabouts("eu")

    assert whereabouts.addresses("https://accounts.zoho.in").api == "https://www.zohoapis.in"
    assert whereabouts.addresses("https://accounts.zoho.in.evil.example").api == "https://www.zohoapis.eu"
    own = whereabouts.addresses()
    assert whereabouts.api_for(own, "https://evil.example") == "https://www.zohoapis.eu"
    assert whereabouts.api_for(own, "https://www.zohoapis.com") == "https://www.zohoapis.com"
