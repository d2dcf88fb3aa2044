"""Staff sign in to the admin with Microsoft Entra: who they are proves the tenant, what they may its roles."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from wellintake.access.counters import MemoryCounters
from wellintake.access.signin import BACKEND, Directory, SignIn
from wellintake.environment import SettingsError, read_environment
from wellintake.tests.fake_tenant import CLIENT, CLIENT_SECRET, TENANT, FakeTenant
from wellintake.wiring import parts

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = "00000000-0000-4000-8000-000000000000"
RECRUITERS = "aaaaaaaa-0000-4000-8000-000000000000"


@pytest.fixture
def tenant():
    with FakeTenant() as tenant:
        yield tenant


@pytest.fixture
def directory(tenant):
    staff = frozenset({"Intake.Staff", RECRUITERS})
    return Directory(tenant.authority, TENANT, CLIENT, CLIENT_SECRET, staff, frozenset({"Intake.Admin"}))


@pytest.fixture
def browser(directory, settings):
    """A browser on a server with this directory; `browser.passwords(False)` turns passwords off."""

    def serve(sign_in):
        class Addresses:
            urlpatterns = [*sign_in.urls(), path("", include("wellintake.urls"))]
            handler500 = "wellintake.pages.failed"

        settings.ROOT_URLCONF = Addresses

    def passwords(on):
        serve(SignIn(directory, None, passwords=on))

    passwords(True)
    client = Client()
    client.passwords = passwords
    return client


def come_back(browser, tenant, there="", **claims):
    """Leave for Microsoft, sign in there, and follow to where that leads."""
    away = browser.get(f"/admin/entra/?next={there}")
    assert away.status_code == 302, away.content
    return browser.get(tenant.sign_in(away["Location"], **claims).removeprefix("http://testserver"))


def who(browser):
    session = browser.session
    return User.objects.filter(pk=session.get("_auth_user_id")).first()


def test_who_holds_the_role_is_staff_with_the_permissions_of_the_groups_of_that_name(browser, tenant):
    Group.objects.create(name="Intake.Staff")
    answer = come_back(browser, tenant, "/admin/streaming/run/", roles=["Intake.Staff", "Other"])

    assert (answer.status_code, answer["Location"]) == (302, "/admin/streaming/run/")
    user = who(browser)
    assert (user.username, user.first_name, user.is_staff, user.is_superuser) == ("entra.ann", "Ann Lee", True, False)
    assert [group.name for group in user.groups.all()] == ["Intake.Staff"] and not user.has_usable_password()
    assert browser.session["_auth_user_backend"] == BACKEND
    assert browser.session.get_expiry_age() <= 8 * 3600
    assert browser.get("/admin/").status_code == 200


def test_a_group_will_do_and_an_administrators_role_opens_everything(browser, tenant):
    come_back(browser, tenant, groups=[RECRUITERS])
    assert (who(browser).is_staff, who(browser).is_superuser) == (True, False)
    come_back(browser, tenant, roles=["Intake.Admin"])
    assert who(browser).is_superuser and User.objects.count() == 1


@pytest.mark.parametrize("claims", [{}, {"roles": ["intake.staff"]}, {"roles": "Intake.Staff"}, {"groups": [None, 7]}])
def test_who_holds_no_role_stays_outside_and_leaves_no_user(browser, tenant, claims):
    answer = come_back(browser, tenant, **claims)
    assert answer["Location"] == "/admin/login/"
    assert "You are not staff here" in browser.get("/admin/login/").content.decode()
    assert who(browser) is None and not User.objects.exists()


def test_who_has_lost_the_role_loses_what_it_gave(browser, tenant):
    come_back(browser, tenant, roles=["Intake.Admin"])
    other = Client()
    assert come_back(other, tenant)["Location"] == "/admin/login/"
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert browser.get("/admin/").status_code == 302  # the session from before, too


def test_a_user_of_the_same_name_or_address_is_somebody_else(browser, tenant):
    local = User.objects.create_superuser("ann@firm.example", "ann@firm.example", "for-tests")
    come_back(browser, tenant, roles=["Intake.Staff"])
    assert who(browser) != local and not who(browser).is_superuser


def test_whom_an_administrator_has_put_out_stays_out(browser, tenant):
    come_back(browser, tenant, roles=["Intake.Staff"])
    User.objects.update(is_active=False)
    assert come_back(Client(), tenant, roles=["Intake.Admin"])["Location"] == "/admin/login/"


FORGED = {
    "by a stranger's key": {"key": STRANGER},
    "without a signature": {"algorithm": "none"},
    "for another application": {"aud": OTHER},
    "of another tenant": {"tid": OTHER},
    "by another issuer": {"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"},
    "for another sign-in": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "that is over": {"exp": int(time.time()) - 600},
    "of nobody": {"oid": None},
}


@pytest.mark.parametrize("how", FORGED)
def test_an_id_token_that_proves_nothing_lets_nobody_in(browser, tenant, how, caplog):
    answer = come_back(browser, tenant, roles=["Intake.Admin"], **FORGED[how])
    assert answer["Location"] == "/admin/login/" and who(browser) is None and not User.objects.exists()
    assert "admin_sign_in_refused" in caplog.text and "Ann" not in caplog.text


def test_the_public_key_used_as_a_secret_signs_nothing(browser, tenant):
    answer = come_back(browser, tenant, id_token=tenant.token_signed_with_the_public_key())
    assert answer["Location"] == "/admin/login/" and who(browser) is None


def test_a_code_works_once_in_the_browser_that_asked_for_it(browser, tenant):
    away = browser.get("/admin/entra/")["Location"]
    back = tenant.sign_in(away, roles=["Intake.Admin"]).removeprefix("http://testserver")
    stranger = Client()
    assert stranger.get(back)["Location"] == "/admin/login/" and who(stranger) is None  # sign-in CSRF
    assert browser.get(back)["Location"] == "/admin/"
    browser.logout()
    assert browser.get(back)["Location"] == "/admin/login/" and who(browser) is None


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_nobody_is_sent_elsewhere_after_signing_in(browser, tenant, there):
    assert come_back(browser, tenant, there, roles=["Intake.Staff"])["Location"] == "/admin/"


@pytest.mark.parametrize(
    "query", ["", "?error=access_denied&error_description=Quicksilver", "?code=x", "?state=x&code=y"]
)
def test_whatever_comes_back_otherwise_leads_to_the_log_in_page_in_our_words(browser, tenant, query, caplog):
    answer = browser.get(f"/admin/entra/callback{query}")
    page = browser.get("/admin/login/").content.decode()
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/")
    assert "Microsoft did not sign you in" in page and "Quicksilver" not in page + caplog.text


def test_while_microsoft_is_away_the_page_says_so_and_passwords_work(browser, tenant):
    tenant.is_away = True
    assert browser.get("/admin/entra/")["Location"] == "/admin/login/"
    assert "Microsoft cannot be reached" in browser.get("/admin/login/").content.decode()
    User.objects.create_superuser("zoe", password="for-tests")
    browser.post("/admin/login/", {"username": "zoe", "password": "for-tests"})
    assert who(browser).username == "zoe"


def test_who_begins_to_sign_in_too_often_has_to_wait(browser, monkeypatch):
    throttle = parts().throttle
    monkeypatch.setattr(throttle, "_allowance", replace(throttle._allowance, failed_logins=1))
    monkeypatch.setattr(throttle, "_counters", MemoryCounters(lambda: 86400.0))
    assert [browser.get("/admin/entra/").status_code for _ in range(11)] == [302] * 10 + [429]


@pytest.mark.django_db(transaction=True)  # the command has a connection of its own
def test_sessions_of_those_who_never_came_back_are_deleted(browser):
    browser.get("/admin/entra/")
    kept = Session.objects.get()
    assert (kept.expire_date - timezone.now()).total_seconds() <= 900
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("purge_runs")
    assert not Session.objects.exists()


def test_keys_may_be_rotated(browser, tenant):
    come_back(browser, tenant, roles=["Intake.Staff"])
    tenant.rotate("second")
    assert come_back(Client(), tenant, roles=["Intake.Staff"])["Location"] == "/admin/"


def test_without_passwords_there_is_no_form_no_log_in_and_no_session_from_before(browser, tenant, settings):
    User.objects.create_superuser("zoe", password="for-tests")
    form = {"username": "zoe", "password": "for-tests"}
    browser.post("/admin/login/", form)
    assert who(browser)

    browser.passwords(False)
    settings.AUTHENTICATION_BACKENDS = [BACKEND]

    page = Client().get("/admin/login/").content.decode()
    assert "Sign in with Microsoft" in page and 'type="password"' not in page
    refused = Client().post("/admin/login/", form)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_passwords")
    assert browser.get("/admin/").status_code == 302
    assert not Client().login(**form)
    assert come_back(Client(), tenant, roles=["Intake.Staff"])["Location"] == "/admin/"


def test_where_it_is_not_set_up_the_page_is_as_ever(client):
    page = client.get("/admin/login/").content.decode()
    assert "Microsoft" not in page and 'type="password"' in page
    assert client.get("/admin/entra/").status_code in (302, 404)  # the admin's own: to the log-in page
    assert admin.site.name == "admin"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ENTRA_ADMIN_SECRET": "s"}, "ENTRA_ADMIN_SECRET needs"),
        ({"ENTRA_STAFF": "x"}, "need ENTRA_ADMIN_SECRET"),
        ({"ADMIN_PASSWORDS": "false"}, "nobody could sign in"),
    ],
)
def test_settings_that_would_lock_everybody_out_are_refused(monkeypatch, given, told):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told):
        read_environment()


def test_a_secret_is_not_shown(directory):
    assert CLIENT_SECRET not in repr(directory) and CLIENT_SECRET not in json.dumps(str(replace(directory)))
