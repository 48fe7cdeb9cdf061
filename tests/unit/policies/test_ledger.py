"""The shared account: no window at the service over the quota, hardly any of it wasted, and truthful waits."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policies.ledger import (
    ARRIVAL_SECONDS,
    Ask,
    LedgerState,
    acquired,
    advanced,
    opened,
    slot_of,
    wait_seconds,
)

START = 1_700_000_000.0
LIMIT = 10_000.0
CALLS = st.lists(
    st.tuples(st.floats(0, 9), st.integers(1, 3000), st.floats(0, ARRIVAL_SECONDS, exclude_max=True)), max_size=80
)


def account(requests: float = 1e6) -> LedgerState:
    return opened(slot_of(START), limit_tokens=LIMIT, limit_requests=requests)


@given(CALLS)
def test_no_window_at_the_service_holds_more_than_the_limit(calls: list[tuple[float, int, float]]) -> None:
    state, now, arrivals = account(), START, list[tuple[float, int]]()
    for pause, tokens, delay in calls:
        now += pause
        state = advanced(state, slot_of(now))
        after = acquired(state, Ask(tokens))
        if after is not None:
            state = after
            arrivals.append((now + delay, tokens))

    for end, _ in arrivals:
        assert sum(tokens for at, tokens in arrivals if end - 60 < at <= end) <= LIMIT


@given(st.lists(st.tuples(st.floats(0, 0.4), st.floats(0, ARRIVAL_SECONDS, exclude_max=True)), max_size=150))
def test_no_slice_of_requests_holds_more_than_its_share(calls: list[tuple[float, float]]) -> None:
    state, now, arrivals = account(requests=240), START, list[float]()
    for pause, delay in calls:
        now += pause
        state = advanced(state, slot_of(now))
        after = acquired(state, Ask(1))
        if after is not None:
            state = after
            arrivals.append(now + delay)

    for end in arrivals:
        assert sum(1 for at in arrivals if end - 1 < at <= end) <= 4
        assert sum(1 for at in arrivals if end - 10 < at <= end) <= 40


def test_under_full_load_hardly_any_quota_is_left_unused() -> None:
    state, now, spent = account(), START, 0.0
    while now < START + 600:
        state = advanced(state, slot_of(now))
        while (after := acquired(state, Ask(100))) is not None:
            state, spent = after, spent + 100
        now += 0.1

    assert spent >= 0.98 * LIMIT * 10


@settings(max_examples=200)
@given(CALLS, st.integers(1, 10_000))
def test_the_wait_is_the_first_moment_at_which_the_call_fits(
    calls: list[tuple[float, int, float]], tokens: int
) -> None:
    state, now = account(), START
    for pause, amount, _ in calls:
        now += pause
        state = advanced(state, slot_of(now))
        state = acquired(state, Ask(amount)) or state
    wait = wait_seconds(state, now, Ask(tokens))

    assert math.isfinite(wait)
    assert acquired(advanced(state, slot_of(now + wait)), Ask(tokens)) is not None
    if wait > 0.5:
        assert acquired(advanced(state, slot_of(now + wait - 0.51)), Ask(tokens)) is None


def test_a_call_larger_than_the_limit_never_fits() -> None:
    assert wait_seconds(account(), START, Ask(LIMIT + 1)) == math.inf


@given(st.integers(0, 500), st.integers(0, 500))
def test_advancing_in_two_steps_is_advancing_in_one(first: int, second: int) -> None:
    state = acquired(account(), Ask(500))
    assert state is not None

    assert advanced(advanced(state, state.slot + first), state.slot + first + second) == advanced(
        state, state.slot + first + second
    )


def test_an_instance_whose_clock_is_behind_changes_nothing() -> None:
    state = account()

    assert advanced(state, state.slot - 3) == state


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), max_size=40), st.integers(60, 600))
def test_requests_that_come_by_a_slot_can_be_acquired_by_then_and_are_never_fewer_later(
    bursts: list[tuple[int, int]], limit: int
) -> None:
    state = account(requests=limit)
    for pause, calls in bursts:
        state = advanced(state, state.slot + pause)
        for _ in range(calls):
            state = acquired(state, Ask(1)) or state

    assert state.requests_by(0) == state.request_room
    for later in range(1, 30):
        assert state.requests_by(later) >= advanced(state, state.slot + later).request_room
        assert state.requests_by(later) >= state.requests_by(later - 1)


@given(CALLS)
def test_what_came_with_a_slot_is_the_room_that_the_slot_before_had_not(calls: list[tuple[float, int, float]]) -> None:
    state, now = account(), START
    for pause, tokens, _ in calls:
        now += pause
        before, state = state, advanced(state, slot_of(now))
        if state.slot == before.slot + 1:
            assert state.fresh_tokens == max(0.0, min(state.token_room, state.token_room - before.token_room))
        state = acquired(state, Ask(tokens)) or state


def test_who_yields_leaves_requests_to_those_who_need_not_wait() -> None:
    state = account(requests=60 * 4)
    while (after := acquired(state, Ask(1, yields=True, kept_requests=2))) is not None:
        state = after

    assert state.request_room == 2
    assert wait_seconds(state, state.at, Ask(1)) == 0
    assert wait_seconds(state, state.at, Ask(1, yields=True, kept_requests=2)) > 0
