"""Breakers, retries, second calls, spill and promotion as laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.breaker import CLOSED, FAULTS, OPEN_SECONDS
from shared.policies.hedging import LEAST_SAMPLES, FirstTokens, HedgeBudget, first_token_deadline_seconds
from shared.policies.lateness import HALF_LIFE_SECONDS, Lateness
from shared.policies.promotion import moves_up
from shared.policies.retries import RetryBudget
from shared.policies.spill import SpillRule, spill_models


@given(st.integers(1, 40), st.floats(0, 1e6))
def test_a_breaker_opens_after_some_faults_in_a_row_and_always_lets_a_probe_through_again(
    faults: int, now: float
) -> None:
    breaker = CLOSED
    for _ in range(faults):
        breaker = breaker.failed(now)

    assert breaker.probing == (faults > 0)
    assert breaker.opened == (faults >= FAULTS)
    assert 0 < breaker.wait_seconds(now) <= OPEN_SECONDS + 1e-6
    assert breaker.wait_seconds(now + OPEN_SECONDS + 1) == 0
    assert breaker.succeeded() == CLOSED


def test_while_one_call_probes_the_others_wait_for_it() -> None:
    breaker = CLOSED
    for _ in range(FAULTS):
        breaker = breaker.failed(0.0)
    later = breaker.closed_at

    assert breaker.wait_seconds(later) == 0
    assert breaker.calling(later).wait_seconds(later) > 0


def test_a_later_and_shorter_request_to_rest_never_shortens_an_earlier_one() -> None:
    breaker = CLOSED.failed(0.0, rest_seconds=20.0).failed(1.0, rest_seconds=0.1)

    assert breaker.wait_seconds(1.0) == 19.0


@given(st.lists(st.booleans(), max_size=400))
def test_retries_stay_a_part_of_the_successes(outcomes: list[bool]) -> None:
    budget, retries, successes = RetryBudget(), 0, 0
    for succeeded in outcomes:
        if succeeded:
            budget, successes = budget.succeeded(), successes + 1
        elif budget.allows:
            budget, retries = budget.retried(), retries + 1

    assert retries <= RetryBudget().left + 0.1 * successes + 1e-6


@given(st.lists(st.tuples(st.integers(1, 5000), st.booleans()), max_size=300))
def test_second_calls_cost_at_most_a_fiftieth_of_the_first(calls: list[tuple[int, bool]]) -> None:
    budget, first, second = HedgeBudget(), 0, 0
    for tokens, slow in calls:
        budget, first = budget.called(tokens), first + tokens
        if slow and budget.allows(tokens):
            budget, second = budget.hedged(tokens), second + tokens

    assert second <= 0.02 * first + 1e-6


@given(st.integers(1, 5000), st.integers(100, 5000))
def test_what_larger_calls_saved_for_second_ones_is_not_lost_to_small_ones(small: int, large: int) -> None:
    budget = HedgeBudget()
    for _ in range(100):
        budget = budget.called(large)

    assert budget.called(small).tokens >= budget.tokens


@given(st.lists(st.tuples(st.floats(0, 300), st.booleans()), max_size=200))
def test_lateness_is_a_share_that_more_late_calls_raise_and_time_lowers(calls: list[tuple[float, bool]]) -> None:
    lateness, now = Lateness(), 0.0
    for pause, late in calls:
        now += pause
        lateness = lateness.called(now, late=late)

    assert 0 <= lateness.share(now) < 1
    assert lateness.called(now, late=True).share(now) > lateness.share(now)
    assert lateness.share(now + HALF_LIFE_SECONDS) <= lateness.share(now)
    assert lateness.share(now + 100 * HALF_LIFE_SECONDS) < 1e-6


def test_thousands_of_good_calls_do_not_excuse_a_deployment_that_fell_ill_and_one_late_call_does_not_condemn_it() -> (
    None
):
    lateness = Lateness()
    for _ in range(5000):
        lateness = lateness.called(0.0, late=False)
    once = lateness.called(0.0, late=True)
    for number in range(40):
        lateness = lateness.called(0.0, late=number % 10 == 0)

    assert not once.often(0.0)
    assert not Lateness().called(0.0, late=False).called(0.0, late=True).share(0.0) > 0.1
    assert lateness.often(0.0)


def test_a_sick_deployment_does_not_excuse_itself_by_its_own_history() -> None:
    sick, pool = FirstTokens(), FirstTokens()
    for number in range(LEAST_SAMPLES * 5):
        pool.add(8.0 if number % 20 == 0 else 0.3)
        sick.add(8.0)

    deadline = first_token_deadline_seconds(sick, pool)

    assert deadline is not None
    assert deadline < 1.0
    assert first_token_deadline_seconds(FirstTokens(), FirstTokens()) is None


@pytest.mark.parametrize(
    ("lane", "ratio", "found"),
    [("interactive", 1.0, ("small",)), ("interactive", 20.0, ("small", "large")), ("batch", 20.0, ())],
)
def test_only_who_may_spill_does_and_only_where_it_is_not_too_dear(
    lane: str, ratio: float, found: tuple[str, ...]
) -> None:
    rules = {"middle": SpillRule(("small", "large", "unpriced"), most_cost_ratio=ratio)}
    costs = {"small": 1.0, "middle": 2.0, "large": 20.0}

    assert spill_models(rules, costs, model="middle", lane=lane) == found
    assert spill_models(rules, costs, model="small", lane=lane) == ()


@given(st.floats(0, 5000), st.floats(0, 5000), st.floats(1, 4000))
def test_a_turn_moves_up_only_when_it_is_in_danger_and_sooner_there(wait: float, higher: float, left: float) -> None:
    if moves_up(wait_seconds=wait, higher_wait_seconds=higher, left_seconds=left):
        assert higher < wait
        assert wait > left / 2
