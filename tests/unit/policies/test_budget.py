"""The budget window never lets more through than the quota, and never waits longer than needed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.budget import BudgetWindow

CALLS = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 4000)), max_size=60)


@given(CALLS)
def test_no_window_of_a_minute_holds_more_than_the_limit(calls: list[tuple[float, int]]) -> None:
    window = BudgetWindow(limit_tokens=10_000, limit_requests=6_000)
    now, spent = 0.0, list[tuple[float, int]]()
    for pause, tokens in calls:
        now += pause
        wait = window.wait_seconds(now, tokens)
        now += wait
        assert window.wait_seconds(now + 1e-6, tokens) == 0
        now += 1e-6
        window.spend(now, tokens)
        spent.append((now, tokens))

    for end, _ in spent:
        assert sum(tokens for at, tokens in spent if end - 60 < at <= end) <= 10_000


@given(st.lists(st.floats(0, 0.5), max_size=80))
def test_no_slice_of_one_or_ten_seconds_holds_more_requests_than_its_share(pauses: list[float]) -> None:
    window = BudgetWindow(limit_tokens=math.inf, limit_requests=120)
    now, at = 0.0, list[float]()
    for pause in pauses:
        now += pause
        now += window.wait_seconds(now, 1) + 1e-6
        window.spend(now, 1)
        at.append(now)

    for end in at:
        assert sum(1 for moment in at if end - 1 < moment <= end) <= 2
        assert sum(1 for moment in at if end - 10 < moment <= end) <= 20


def test_a_call_larger_than_the_limit_never_fits() -> None:
    assert BudgetWindow(limit_tokens=100, limit_requests=60).wait_seconds(0, 101) == math.inf


def test_the_wait_ends_when_enough_old_calls_have_left() -> None:
    window = BudgetWindow(limit_tokens=100, limit_requests=600)
    window.spend(0, 60)
    window.spend(30, 40)

    assert window.wait_seconds(31, 50) == pytest.approx(29)
    assert window.wait_seconds(31, 70) == pytest.approx(59)
    assert window.wait_seconds(61, 50) == 0
