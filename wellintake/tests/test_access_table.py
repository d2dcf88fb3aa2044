"""The table of who may call what, held against every address of the URL configuration."""

import re
import time
from dataclasses import dataclass, field, replace

import httpx2
import jwt
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.utils import timezone

from conftest import MAIL
from extraction.types import Email
from streaming.callers import Caller
from streaming.models import Run
from wellintake.access.counters import MemoryCounters
from wellintake.access.door import Door
from wellintake.access.keys import EVERYTHING, SCOPES, make_key
from wellintake.access.throttle import Allowance, Throttle
from wellintake.access.tokens import token_for
from wellintake.models import ApiKey
from wellintake.tests.access_table import HTTP, NOBODY, OTHERWISE, SIGNED_IN, private, routes
from wellintake.wiring import parts

pytestmark = [pytest.mark.embedded, pytest.mark.django_db(transaction=True)]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Calls read their body first: these are good ones, by the end of the route.
MAILS = dict.fromkeys(("runs", "process-email", "email"), MAIL)
WHOLE = {**MAILS, "save": {}, "rerun": {}, "followup": {"company": {"city": "Fort Wayne"}}}
REFUSED = {401, 403, 404, 405, 429, 500}


@dataclass
class Office:
    """A firm with its run and its keys, and a run of somebody else."""

    run: str
    foreign: str
    keys: dict[str, str] = field(default_factory=dict)

    def address(self, route, run):
        return "/" + re.sub(r"<(\w+:)?run_id>", run, route)


def run_of(tenant):
    email = Email(**MAIL).model_dump_json()
    given = {"owner": "o", "correlation_id": "c", "mode": "preview", "digest": "d", "state": "cancelled"}
    return str(Run.objects.create(tenant=tenant, email=email, closed=True, **given).id)


GENEROUS = Allowance(requests_per_user=10**6, requests_per_address=10**6, failed_logins=10**6, longest_wait=900)


@pytest.fixture
def office(monkeypatch):
    monkeypatch.setattr(parts(), "door", Door(parts().verifier, Throttle(MemoryCounters(), GENEROUS)))
    office = Office(run_of("firm"), run_of("elsewhere"))
    office.keys["good"] = make_key("good", "firm", EVERYTHING)
    office.keys["revoked"] = make_key("revoked", "firm", EVERYTHING)
    office.keys["expired"] = make_key("expired", "firm", EVERYTHING, timezone.now())
    ApiKey.objects.filter(name="revoked").update(revoked_at=timezone.now())
    return office


def client(**headers):
    """The application without a server, its queue and its log's writer: what is let in finds nothing at work."""
    transport = httpx2.ASGITransport(get_asgi_application())
    return httpx2.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)


async def answers(office, headers, run, only=lambda route: True, query="", body=None):
    """(status, code) of every private call."""
    found = {}
    async with client(**headers) as http:
        for method, route, _ in private():
            if only(route):
                sent = (body or {}).get(route.rpartition("/")[2], {"nonsense": 1}) if method == "POST" else None
                answer = await http.request(method, office.address(route, run) + query, json=sent)
                found[method, route] = (answer.status_code, code_of(answer))
    return found


def code_of(answer):
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.json()["code"] if is_problem else None


def all_of(outcome, found):
    return {call: answer for call, answer in found.items() if answer != outcome}


def test_every_address_has_a_row_and_every_row_an_address():
    known = {route for route in routes() if not route.startswith("admin/")}

    assert known == set(HTTP) | set(OTHERWISE)


async def test_a_method_without_an_entry_is_not_allowed(office):
    found = {}
    async with client(**{"X-API-Key": office.keys["good"]}) as http:
        for route, row in HTTP.items():
            for method in set(METHODS) - set(row):
                answer = await http.request(method, office.address(route, office.run))
                if answer.status_code != 405 or not set(row) <= set(answer.headers["allow"].split(", ")):
                    found[method, route] = answer.status_code

    assert found == {}


async def test_what_is_open_answers_everybody(office):
    async with client() as http:
        opened = [route for route, row in HTTP.items() if NOBODY in row.values()]
        found = {route: (await http.get(f"/{route}")).status_code for route in opened}

    assert found.pop("stream/health") == 503  # no work goes on here, and it says so to everybody
    assert all_of(200, found) == {}


def forged(kind="bearer", run_id=None, secret="x" * 50, **caller):
    given = {"subject": "user:ann", "tenant": "firm", "scopes": frozenset(EVERYTHING), **caller}
    return token_for(Caller(**given), kind, secret, run_id)


def good(kind="bearer", run_id=None, **caller):
    return forged(kind, run_id, settings.SECRET_KEY, **caller)


def made_from(key):
    """A token that was made from this key."""
    return good(subject=f"key:{key.split('_')[1]}")


def outdated():
    claims = jwt.decode(good(), options={"verify_signature": False}) | {"exp": int(time.time()) - 1}
    return jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")


def unsigned():
    return jwt.encode(jwt.decode(good(), options={"verify_signature": False}), None, algorithm="none")


def shorn(key):
    return key[:-1] + ("A" if key[-1] != "A" else "B")


STRANGERS = {
    "no credentials": lambda office: {},
    "a key that is none": lambda office: {"X-API-Key": "wrong"},
    "an unknown key": lambda office: {"X-API-Key": "wi_0123_wrong"},
    "a key with another secret": lambda office: {"X-API-Key": shorn(office.keys["good"])},
    "a key in the wrong place": lambda office: {"Authorization": f"Bearer {office.keys['good']}"},
    "a revoked key": lambda office: {"X-API-Key": office.keys["revoked"]},
    "an expired key": lambda office: {"X-API-Key": office.keys["expired"]},
    "a token of a revoked key": lambda office: {"Authorization": f"Bearer {made_from(office.keys['revoked'])}"},
    "a token of an expired key": lambda office: {"Authorization": f"Bearer {made_from(office.keys['expired'])}"},
    "a token of a key that was deleted": lambda office: {"Authorization": f"Bearer {made_from('wi_0123_x')}"},
    "a token of API_KEY, which is gone": lambda office: {"Authorization": f"Bearer {good(subject='key:legacy')}"},
    "a session that is over": lambda office: {"Authorization": f"Bearer {good(until=time.time() - 1)}"},
    "a forged token": lambda office: {"Authorization": f"Bearer {forged()}"},
    "an unsigned token": lambda office: {"Authorization": f"Bearer {unsigned()}"},
    "an expired token": lambda office: {"Authorization": f"Bearer {outdated()}"},
    "a ticket": lambda office: {"Authorization": f"Bearer {good('ticket')}"},
    "a run token": lambda office: {"Authorization": f"Bearer {good('run', run_id=office.run)}"},
    "another scheme": lambda office: {"Authorization": f"Basic {good()}"},
}


@pytest.mark.parametrize("who", STRANGERS)
async def test_strangers_are_told_nothing_but_that(office, who):
    found = await answers(office, STRANGERS[who](office), office.run)

    assert all_of((401, "not_signed_in"), found) == {}


@pytest.mark.parametrize("scheme", ["key", "bearer"])
async def test_who_is_signed_in_is_let_in(office, scheme):
    headers = {"key": {"X-API-Key": office.keys["good"]}, "bearer": {"Authorization": f"Bearer {good()}"}}[scheme]
    found = await answers(office, headers, office.run)

    assert {call: answer for call, answer in found.items() if answer[0] in REFUSED} == {}


@pytest.mark.parametrize("run", ["foreign", "unknown"])
async def test_the_runs_of_others_are_as_unknown_as_those_that_never_were(office, run):
    run_id = office.foreign if run == "foreign" else "00000000-0000-7000-8000-000000000000"
    headers = {"X-API-Key": office.keys["good"]}
    found = await answers(office, headers, run_id, lambda route: "run_id" in route, body=WHOLE)
    assert all_of((404, "no_such_run"), found) == {}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", ["key", "token"])
async def test_a_scope_opens_what_it_is_for_and_nothing_else(office, scope, kind):
    key = await sync_to_async(make_key)(scope, "firm", [scope])
    headers = {"X-API-Key": key} if kind == "key" else {"Authorization": f"Bearer {good(scopes=frozenset([scope]))}"}
    closed = {route for _, route, needed in private() if scope not in (needed, "admin") and needed != SIGNED_IN}
    refused = await answers(office, headers, office.run, lambda route: route in closed, body=WHOLE)
    let_in = await answers(office, headers, office.run)

    for method, route, needed in private():
        if needed in (scope, SIGNED_IN) or scope == "admin":
            assert let_in[method, route][0] not in REFUSED, route
        else:
            assert refused[method, route] == (403, "missing_scope"), route
    assert await Run.objects.acount() == 2


async def test_a_key_that_lost_a_scope_takes_it_from_its_tokens(office):
    headers = {"Authorization": f"Bearer {made_from(office.keys['good'])}"}
    await ApiKey.objects.filter(name="good").aupdate(scopes="metrics")
    found = await answers(office, headers, office.run)

    assert found["GET", "stream/runs/<run:run_id>"] == (403, "missing_scope")
    assert found["GET", "metrics"] == (200, None)


async def test_the_scope_admin_sees_every_tenant(office):
    headers = {"X-API-Key": await sync_to_async(make_key)("boss", "firm", ["admin"])}
    found = await answers(office, headers, office.foreign)

    assert {call: answer for call, answer in found.items() if answer[0] in REFUSED} == {}


async def test_whoever_comes_too_often_is_told_when_to_come_back(office, monkeypatch):
    def at_most(**few):
        limits = Throttle(MemoryCounters(), replace(GENEROUS, **few))
        monkeypatch.setattr(parts(), "door", Door(parts().verifier, limits))

    for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": office.keys["good"]}):
        at_most(requests_per_address=0)
        assert all_of((429, "too_many_requests"), await answers(office, headers, office.run)) == {}
    at_most(requests_per_user=0)
    assert all_of((429, "too_many_requests"), await answers(office, headers, office.run)) == {}
    at_most(failed_logins=1)
    found = await answers(office, {"X-API-Key": "wrong"}, office.run)
    assert next(iter(found.values())) == (401, "not_signed_in")
    assert set(list(found.values())[1:]) == {(429, "too_many_logins")}


async def test_a_key_in_an_address_is_refused_whoever_sends_it(office):
    for name in ("api_key", "key", "X-API-Key"):
        found = await answers(office, {}, office.run, query=f"?{name}={office.keys['good']}")
        assert all_of((400, "key_in_query"), found) == {}


async def test_a_run_token_in_an_address_reads_the_events_of_its_run_and_nothing_else(office):
    token = good("run", run_id=office.run)
    found = await answers(office, {}, office.run, query=f"?access_token={token}")
    events = ("GET", "stream/runs/<run:run_id>/events")

    assert found.pop(events) == (200, None)
    assert all_of((401, "not_signed_in"), found) == {}
    foreign = await answers(office, {}, office.foreign, lambda route: route == events[1], f"?access_token={token}")
    assert foreign[events] == (404, "no_such_run")
    for kind in ("bearer", "ticket"):
        found = await answers(office, {}, office.run, lambda route: route == events[1], f"?access_token={good(kind)}")
        assert found[events] == (401, "not_signed_in")


async def test_pages_of_other_origins_may_read_no_answer(office):
    """There is no CORS: what a browser lets other pages send, they cannot read, and JSON they cannot send at all."""
    headers = {"X-API-Key": office.keys["good"], "Origin": "https://evil.example"}
    form = {"content": b"subject=x", "headers": {"Content-Type": "text/plain"}}
    async with client(**headers) as http:
        for method, route, _ in private():
            address = office.address(route, office.run)
            preflight = await http.options(address, headers={"Access-Control-Request-Method": method})
            answer = await http.request(method, address, **form)

            assert not any(name.lower().startswith("access-control") for name in (*preflight.headers, *answer.headers))
            assert preflight.status_code == 405
            reads_a_body = method == "POST" and route.rpartition("/")[2] in ("runs", "process-email", "email", "rerun")
            assert (answer.status_code == 415) or not reads_a_body
