"""Every page of the admin, without a session and by staff whom nobody has given a permission."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conftest import MAIL
from extraction.types import Email
from streaming.models import Run
from wellintake.access.keys import make_key
from wellintake.tests.access_table import ADMIN_FOR_ALL_STAFF, routes

pytestmark = [pytest.mark.embedded, pytest.mark.django_db(transaction=True)]


def admin_addresses():
    """An address for each route of the admin."""
    for route in routes():
        if route.startswith("admin/"):
            plain = route.replace("^(?P<app_label>streaming|wellintake|auth|zoho)/$", "streaming/")
            plain = plain.replace("(?P<url>.*)$", "nothing")
            plain = re.sub(r"<uuid:\w+>", "00000000-0000-7000-8000-000000000000", plain)
            yield route, "/" + re.sub(r"<((int|path):)?\w+>", "1", plain)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", ["nobody", "key"])
def test_the_admin_knows_sessions_only(who, method):
    browser = Client(headers={"X-API-Key": make_key("boss", "firm", ["admin"])} if who == "key" else {})
    found = {}
    for route, address in admin_addresses():
        answer = getattr(browser, method)(address)
        if not (answer.status_code == 302 and answer.headers["location"].startswith("/admin/login/")):
            found[route] = answer.status_code

    # Logging in and out needs none; a stream cannot be sent to a log-in form.
    assert set(found) <= {"admin/login/", "admin/logout/", "admin/live/events"}
    assert found["admin/live/events"] in (403, 405)


def test_staff_without_permissions_see_nothing_of_anybody():
    given = {"owner": "o", "correlation_id": "c", "mode": "preview", "digest": "d", "state": "cancelled"}
    Run.objects.create(tenant="firm", email=Email(**MAIL).model_dump_json(), closed=True, **given)
    browser = Client()
    browser.force_login(User.objects.create_user("ann", is_staff=True))
    found = {route: browser.get(address) for route, address in admin_addresses()}
    seen = {route for route, answer in found.items() if answer.status_code == 200}

    assert seen <= ADMIN_FOR_ALL_STAFF
    assert {answer.status_code for answer in found.values()} <= {200, 302, 403, 404, 405}
    assert "Jane Roe" not in "".join(found[route].content.decode() for route in seen)
