"""The admin's page of the connection, as an administrator's browser meets it, with Zoho's sign-in on a socket."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from wellintake.database import DatabaseThreads
from zoho.accounts import Accounts, OAuthClient
from zoho.auth import StoredTokens
from zoho.client import Limits, ZohoClient
from zoho.connecting import ConnectPages
from zoho.data_centres import Whereabouts
from zoho.grants import Grants
from zoho.models import Connection
from zoho.tests.fake_zoho import CLIENT_ID, CLIENT_SECRET, CODE, REFRESH_TOKEN
from zoho.tests.held import NoMeter
from zoho.tests.serving import serving
from zoho.vault import Vault

PAGE = "/admin/zoho/connection/"


@pytest.fixture
def zoho():
    with serving() as zoho:
        yield zoho


@pytest.fixture
def pages(zoho, transactional_db, settings):
    """The addresses of the admin with pages whose Zoho is the one on the socket."""
    threads = DatabaseThreads("test")
    whereabouts = Whereabouts(accounts_url=zoho.url, api_url=zoho.url)
    grants = Grants(Vault((), "secret"), whereabouts)
    accounts = Accounts(OAuthClient(CLIENT_ID, CLIENT_SECRET), whereabouts)
    client = ZohoClient(StoredTokens(accounts, grants, threads, threads), Limits(), NoMeter())
    from django.contrib import admin
    from django.urls import include, path

    class Urls:
        urlpatterns = [
            path("admin/zoho/connection/", include(ConnectPages(accounts, grants, client, None).urls())),
            path("admin/", admin.site.urls),
        ]

    settings.ROOT_URLCONF = Urls
    yield
    threads.close()


def signed_in(**more):
    browser = Client()
    browser.force_login(User.objects.create_user("ada", is_staff=True, **more))
    return browser


def state_in(page):
    address = page.context["authorisation_url"]
    return parse_qs(urlsplit(address).query)["state"][0]


def words_of(browser):
    page = browser.get(PAGE)
    return page.content.decode(), [str(message) for message in page.context["messages"]]


def test_an_administrator_connects_by_zohos_code(pages, zoho):
    browser = signed_in(is_superuser=True)
    page = browser.get(PAGE)
    asked = parse_qs(urlsplit(page.context["authorisation_url"]).query)

    browser.get(f"{PAGE}callback/", {"code": CODE, "state": state_in(page)})
    content, messages = words_of(browser)

    assert asked["access_type"] == ["offline"] and asked["redirect_uri"] == [f"http://testserver{PAGE}callback/"]
    assert messages == ["Connected to Well Recruiting."]
    assert "by ada" in content and "Well Recruiting" in content
    assert REFRESH_TOKEN not in content and "access-token" not in content
    assert REFRESH_TOKEN not in Connection.objects.get().refresh_token


@pytest.mark.parametrize("state", ["", "forged", None])
def test_an_answer_to_a_question_that_nobody_asked_connects_nothing(pages, zoho, state):
    browser = signed_in(is_superuser=True)

    browser.get(f"{PAGE}callback/", {"code": CODE} | ({"state": state} if state is not None else {}))

    assert "Begin again" in words_of(browser)[1][0]
    assert not Connection.objects.exclude(refresh_token="").exists() and zoho.calls == []


def test_the_state_of_another_administrator_is_not_taken(pages, zoho):
    other = signed_in(is_superuser=True)
    state = state_in(other.get(PAGE))
    browser = Client()
    browser.force_login(User.objects.create_superuser("bob"))

    browser.get(f"{PAGE}callback/", {"code": CODE, "state": state})

    assert zoho.calls == []


def test_a_refusal_at_zoho_is_told(pages):
    browser = signed_in(is_superuser=True)

    browser.get(f"{PAGE}callback/", {"error": "access_denied", "state": state_in(browser.get(PAGE))})

    assert words_of(browser)[1] == ["Zoho gave no access: it was declined there."]


def test_a_code_that_zoho_does_not_take_is_told(pages):
    browser = signed_in(is_superuser=True)

    browser.get(f"{PAGE}callback/", {"code": "old", "state": state_in(browser.get(PAGE))})

    assert "connect it again" in words_of(browser)[1][0]


def test_access_is_taken_back_at_zoho_and_here(pages, zoho):
    browser = signed_in(is_superuser=True)
    browser.get(f"{PAGE}callback/", {"code": CODE, "state": state_in(browser.get(PAGE))})

    browser.post(f"{PAGE}revoke/")

    assert zoho.revoked and not Connection.objects.exists()


def test_who_may_not_change_it_sees_nothing(pages):
    assert signed_in().get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302
