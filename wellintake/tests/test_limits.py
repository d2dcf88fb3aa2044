"""How often somebody may call, and be wrong about who they are."""

import asyncio
import os
import time
from dataclasses import replace

import httpx2
import pytest
import websockets
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.test import Client

from streaming.callers import Caller
from streaming.problems import Problem
from streaming.tests.reading import ticket
from wellintake.access import counters as counting
from wellintake.access.counters import MOST_NAMES, MemoryCounters, RedisCounters
from wellintake.access.door import Door
from wellintake.access.keys import make_key
from wellintake.access.throttle import Allowance, Attempt, Throttle
from wellintake.access.verifier import Verifier
from wellintake.tests.server import KEY
from wellintake.wiring import parts

ALLOWANCE = Allowance(requests_per_user=10_000, requests_per_address=10_000, failed_logins=3, longest_wait=60)
SECRET = "a-secret-for-tests-that-is-long-enough-0123456789"
ANN = Caller("user:ann", "firm")


class Clock:
    """Stands still, at the beginning of a window of any length, until it is moved."""

    def __init__(self):
        self.now = 86400.0 * 20_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limits(clock):
    return Throttle(MemoryCounters(clock), ALLOWANCE)


async def waits(limits, attempt, times):
    """What an attempt has to wait after each of so many failures in a row."""
    found = []
    for _ in range(times):
        await limits.failed(attempt)
        found.append(await held(limits, attempt))
    return found


async def held(limits, attempt):
    try:
        await limits.raise_when_held(attempt)
    except Problem as problem:
        assert (problem.status, problem.code) == (429, "too_many_logins")
        return problem.retry_after
    return 0


async def test_each_failure_over_the_allowance_doubles_the_wait_up_to_the_longest(limits):
    assert await waits(limits, Attempt("203.0.113.9", "key ab"), 10) == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_wait_is_over_when_its_time_is_and_failures_are_forgotten(limits, clock):
    attempt = Attempt("203.0.113.9", "key ab")
    await waits(limits, attempt, 5)
    clock.now += 4
    assert await held(limits, attempt) == 0
    clock.now += 60
    assert await waits(limits, attempt, 2) == [0, 0]


async def test_one_of_many_behind_an_address_does_not_hold_up_the_others_at_once(limits):
    await waits(limits, Attempt("203.0.113.9", "key ab"), 10)

    assert await held(limits, Attempt("203.0.113.9", "key cd")) == 0
    assert await held(limits, Attempt("198.51.100.7", "key ab")) == 0


async def test_an_address_that_tries_many_keys_and_a_key_that_is_tried_from_many_addresses_wait_too(limits):
    for number in range(30):
        await limits.failed(Attempt("203.0.113.9", f"key {number}"))
        await limits.failed(Attempt(f"198.51.100.{number}", "user boss"))

    assert await held(limits, Attempt("203.0.113.9", "key new")) == 1
    assert await held(limits, Attempt("192.0.2.1", "user boss")) == 1


async def test_calls_are_counted_for_each_address_and_each_caller_and_anew_every_minute(clock):
    limits = Throttle(MemoryCounters(clock), replace(ALLOWANCE, requests_per_address=2, requests_per_user=1))
    for _ in range(2):
        await limits.count_address("203.0.113.9")
    await limits.count_caller(ANN)

    for count in (limits.count_address("203.0.113.9"), limits.count_caller(ANN)):
        with pytest.raises(Problem) as refused:
            await count
        assert refused.value.code == "too_many_requests"
        assert 1 <= refused.value.retry_after <= 60
    await limits.count_address("203.0.113.10")
    await limits.count_caller(Caller("user:ben", "firm"))
    clock.now += 60
    await limits.count_address("203.0.113.9")


async def test_whoever_calls_from_however_many_addresses_memory_is_bounded(clock):
    counters = MemoryCounters(clock)
    for number in range(MOST_NAMES + 10):
        await counters.add([f"calls at {number}"], 60)

    assert len(counters._counts) <= MOST_NAMES


# ---------------------------------------------------------------- the door


@pytest.fixture
def door(threads, limits):
    write, read = threads
    return Door(Verifier(SECRET, "a-legacy-key-0123456789", write, read), limits)


async def outcome(door, headers, address="203.0.113.9"):
    try:
        caller = await door.caller_of({name.lower(): value for name, value in headers.items()}, address)
    except Problem as problem:
        return problem.code
    return caller.subject if caller else None


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
async def test_a_thousand_bad_log_ins_cost_few_looks_and_those_who_were_let_in_before_nothing(door, monkeypatch):
    key = {"X-API-Key": await sync_to_async(make_key)("good")}
    mine = await outcome(door, key)
    looked = []
    monkeypatch.setattr(door._verifier, "_holder_of", counted(door._verifier._holder_of, looked))
    found = [await outcome(door, {"X-API-Key": f"wi_{number:x}_guess"}) for number in range(1000)]

    assert found == [None] * 30 + ["too_many_logins"] * 970
    assert len(looked) == 30
    assert mine.startswith("key:")
    assert await outcome(door, key) == mine
    assert await outcome(door, {"X-API-Key": "a-legacy-key-0123456789"}) == "too_many_logins"  # not seen before
    assert await outcome(door, {"X-API-Key": "a-legacy-key-0123456789"}, "198.51.100.7") == "key:legacy"


def counted(function, calls):
    async def call(*given):
        calls.append(given)
        return await function(*given)

    return call


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
async def test_guesses_at_one_key_hold_up_neither_its_holder_nor_other_keys(door):
    key = await sync_to_async(make_key)("good")
    await outcome(door, {"X-API-Key": key}, "198.51.100.7")
    guess = {"X-API-Key": key[:-4] + "aaaa"}
    guesses = [await outcome(door, guess, f"203.0.113.{number}") for number in range(40)]

    assert guesses == [None] * 30 + ["too_many_logins"] * 10
    assert (await outcome(door, {"X-API-Key": key}, "192.0.2.1")).startswith("key:")


async def test_what_we_have_signed_is_no_guess_even_when_its_time_is_over(door):
    old = {"Authorization": f"Bearer {door._verifier.token(replace(ANN, until=time.time() - 1), 'bearer')}"}
    forged = {"Authorization": f"Bearer {Verifier('x' * 50, None, None, None).token(ANN, 'bearer')}"}
    good = {"Authorization": f"Bearer {door._verifier.token(ANN, 'bearer')}"}

    assert {await outcome(door, old) for _ in range(100)} == {None}
    assert [await outcome(door, forged) for _ in range(31)] == [None] * 30 + ["too_many_logins"]
    assert await outcome(door, good) == "user:ann"


async def test_forged_tickets_are_counted_as_failures_too(door):
    for _ in range(30):
        assert await door.spender_of("forged", "203.0.113.9") is None

    with pytest.raises(Problem):
        await door.spender_of("forged", "203.0.113.9")


# ---------------------------------------------------------------- the admin's log-in


@pytest.fixture
def admin_limits(monkeypatch, limits):
    monkeypatch.setattr(parts(), "throttle", limits)


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_who_guesses_the_admins_password_has_to_wait_whatever_comes_next(admin_limits, clock):
    User.objects.create_superuser("boss", password="right")
    browser = Client()

    def log_in(password, name="boss", **given):
        return browser.post("/admin/login/?next=/admin/", {"username": name, "password": password}, **given)

    assert [log_in("wrong").status_code for _ in range(3)] == [200, 200, 200]
    refused = [log_in("right"), log_in("right", name="BOSS")]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(429, "too_many_logins")] * 2
    assert refused[0].headers["retry-after"] == "1"
    assert log_in("right", REMOTE_ADDR="198.51.100.7").status_code == 302
    browser.logout()
    clock.now += 1
    assert log_in("right").status_code == 302


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
async def test_a_burst_of_guesses_is_no_way_around_the_wait(admin_limits):
    transport = httpx2.ASGITransport(get_asgi_application())
    async with httpx2.AsyncClient(transport=transport, base_url="https://testserver") as http:
        token = (await http.get("/admin/login/")).cookies["csrftoken"]
        form = {"username": "boss", "password": "wrong", "csrfmiddlewaretoken": token}
        found = await asyncio.gather(
            *(http.post("/admin/login/", data=form, headers={"Referer": "https://testserver/"}) for _ in range(12))
        )

    assert sorted(answer.status_code for answer in found) == [200] * 3 + [429] * 9


# ---------------------------------------------------------------- sockets that have not said who they are


def count_of(server):
    return httpx2.get(f"{server.url}/stream/metrics", headers={"X-API-Key": KEY}).json()["active_connections"]


@pytest.mark.server
@pytest.mark.embedded
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_socket_without_a_ticket_counts_from_its_first_moment(own_server, kind):
    server = own_server(kind, MAX_CONNECTIONS_PER_USER="2")
    address = f"ws://127.0.0.1:{server.port}/stream"
    async with websockets.connect(address, proxy=None), websockets.connect(address, proxy=None) as second:
        async with websockets.connect(address, proxy=None) as third:
            assert await third.recv() == '{"error":"Too many connections."}\x1e'
            await third.wait_closed()
        assert third.close_code == 4429
        # Who has a ticket has places of their own.
        async with websockets.connect(f"{address}?id={ticket(server)}", proxy=None) as known:
            await known.send('{"protocol":"json","version":1}\x1e')
            assert await known.recv() == "{}\x1e"
            assert count_of(server) == 3
        await second.send('{"protocol":"json","version":1}\x1e')
        assert await second.recv() == '{"error":"Not signed in."}\x1e'


# ---------------------------------------------------------------- Redis


@pytest.mark.distributed
async def test_replicas_count_together_in_redis():
    url, prefix = os.environ["REDIS_URL"], f"test {time.time_ns()}"
    first, second = (Throttle(RedisCounters(url, prefix), ALLOWANCE) for _ in range(2))
    attempt = Attempt("203.0.113.9", f"key {time.time_ns()}")
    for limits in (first, second, first, second):
        await limits.failed(attempt)

    assert 1 <= await held(first, attempt) <= 2
    assert 1 <= await held(second, attempt) <= 2
    await first.close()
    await second.close()


@pytest.mark.embedded
async def test_while_redis_is_away_each_process_counts_for_itself(monkeypatch):
    monkeypatch.setattr(counting, "REDIS_SECONDS", 0.2)
    limits = Throttle(RedisCounters("redis://127.0.0.1:1", "test"), ALLOWANCE)

    assert (await waits(limits, Attempt("203.0.113.9", "key ab"), 5))[:2] == [0, 0]
    assert await held(limits, Attempt("203.0.113.9", "key ab")) in (3, 4)
    await limits.count_address("203.0.113.9")
    await limits.close()
