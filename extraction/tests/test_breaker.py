"""The breaker by itself: values in, values out, and no clock but ours."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from extraction.breaker import FAILURES, MOST_PAUSE_SECONDS, MOST_RETRY_AFTER, PAUSE_SECONDS, PROBE_SECONDS, Breaker

NOW = 1_795_356_000.0


def opened() -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker = breaker.failed("a", "model_unavailable", NOW)
    return breaker


def test_it_opens_after_several_failures_in_a_row_and_says_why_and_since_when():
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker = breaker.failed("a", "model_unavailable", NOW)
    assert breaker.state == "closed"

    breaker = breaker.failed("b", "model_rejected", NOW + 1)

    assert (breaker.state, breaker.code, breaker.since) == ("open", "model_rejected", NOW + 1)
    assert not breaker.may_ask("c", NOW + 2)


def test_an_answer_between_failures_begins_the_count_anew():
    breaker = Breaker().failed("a", "x", NOW).failed("b", "x", NOW).answered("c").failed("d", "x", NOW)

    assert (breaker.state, breaker.failures) == ("closed", 1)


def test_a_service_that_names_its_time_is_believed_at_once():
    breaker = Breaker().failed("a", "model_rate_limited", NOW, retry_after=7)

    assert not breaker.may_ask("b", NOW + 6)
    assert breaker.probed_by("b", NOW + 7).may_ask("b", NOW + 7)


def test_nobody_stays_away_for_ever_however_late_the_time_that_is_named():
    assert Breaker().failed("a", "x", NOW, retry_after=1e9).until == NOW + MOST_RETRY_AFTER


def test_one_asks_for_all_when_the_pause_is_over():
    later = NOW + PAUSE_SECONDS
    breaker = opened().probed_by("a", later).probed_by("b", later)

    assert breaker.state == "probing"
    assert (breaker.may_ask("a", later), breaker.may_ask("b", later)) == (True, False)


def test_nobody_asks_before_the_pause_is_over():
    assert opened().probed_by("a", NOW + PAUSE_SECONDS - 1) == opened()


def test_the_first_words_close_it_on_probation():
    breaker = opened().probed_by("a", NOW + PAUSE_SECONDS).answers("a")
    assert breaker.may_ask("b", NOW + PAUSE_SECONDS)

    assert breaker.failed("a", "x", NOW).state == "open"
    assert breaker.answered("a") == Breaker()


def test_a_probe_that_fails_makes_the_pause_longer_up_to_a_limit():
    breaker, now, pauses = opened(), NOW, []
    for _ in range(6):
        now = breaker.until
        breaker = breaker.probed_by("a", now).failed("a", "x", now)
        pauses.append(breaker.until - now)

    assert pauses == [60, 120, 240, *[MOST_PAUSE_SECONDS] * 3]
    assert breaker.since == NOW


@pytest.mark.parametrize("outcome", [lambda b: b.answered("late"), lambda b: b.failed("late", "x", NOW, 9)])
def test_a_call_from_before_says_nothing_new(outcome):
    probed = opened().probed_by("probe", NOW + PAUSE_SECONDS)

    assert outcome(opened()) == opened()
    assert outcome(probed) == probed


def test_a_probe_that_goes_away_makes_room_and_one_that_died_does_so_in_time():
    later = NOW + PAUSE_SECONDS
    probed = opened().probed_by("a", later)

    assert probed.given_up("a", later + 1).probed_by("b", later + 1).may_ask("b", later + 1)
    assert probed.probed_by("b", later + PROBE_SECONDS).may_ask("b", later + PROBE_SECONDS)
    assert probed.given_up("stranger", later) == probed


class Service(RuleBasedStateMachine):
    """Callers come, are let in or not, and meet whatever they meet, in any order and at any time."""

    def __init__(self):
        super().__init__()
        self.breaker = Breaker()
        self.now = NOW
        self.asking: set[str] = set()
        self.names = iter(range(10**6))

    @rule(seconds=st.floats(0, 2 * PROBE_SECONDS))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def somebody_comes(self):
        name = str(next(self.names))
        self.breaker = self.breaker.probed_by(name, self.now)
        if self.breaker.may_ask(name, self.now):
            self.asking.add(name)

    @precondition(lambda self: self.asking)
    @rule(
        data=st.data(),
        how=st.sampled_from(["answers", "answered", "failed", "given_up"]),
        after=st.none() | st.floats(0, 1e12),
    )
    def somebody_hears(self, data, how, after):
        name = data.draw(st.sampled_from(sorted(self.asking)))
        before = self.breaker
        match how:
            case "answers":
                self.breaker = self.breaker.answers(name)
                return
            case "answered":
                self.breaker = self.breaker.answered(name)
            case "failed":
                self.breaker = self.breaker.failed(name, "x", self.now, after)
            case "given_up":
                self.breaker = self.breaker.given_up(name, self.now)
        self.asking.discard(name)
        if before.since is not None and before.probe != name:
            assert self.breaker == before

    @invariant()
    def who_may_not_ask_need_not_wait_for_ever(self):
        longest = max(MOST_RETRY_AFTER, MOST_PAUSE_SECONDS, PROBE_SECONDS)
        assert self.breaker.until <= self.now + longest
        assert self.breaker.probed_by("new", self.now + longest).may_ask("new", self.now + longest)

    @invariant()
    def while_it_is_not_closed_only_the_probe_asks(self):
        if self.breaker.since is not None:
            allowed = {name for name in self.asking if self.breaker.may_ask(name, self.now)}
            assert allowed <= {self.breaker.probe}


TestService = Service.TestCase
TestService.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
