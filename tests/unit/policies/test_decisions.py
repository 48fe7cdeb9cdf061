"""Choice, admission, deferral, pacing and limits as tables and laws."""

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.admission import CERTAIN, Entry, may_go_direct, refusal_seconds
from shared.policies.choice import Candidate, choose
from shared.policies.deferral import defer
from shared.policies.limits import crashed_too_often, faults_used_up
from shared.policies.pacing import LAST_INTERVAL_SECONDS, relay_interval_seconds

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        name=st.sampled_from("abcdefgh"),
        provisioned=st.booleans(),
        wait_seconds=st.sampled_from([0.0, 0.5, 7.0, math.inf]),
        cooling_seconds=st.sampled_from([0.0, 1.0, 120.0]),
        first_token_seconds=st.floats(0, 5),
    ),
    unique_by=lambda entry: entry.name,
    max_size=8,
)


@given(CANDIDATES, st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_pool(pool: list[Candidate], random: object) -> None:
    shuffled = sorted(pool, key=lambda entry: entry.name, reverse=True)

    assert choose(pool) == choose(shuffled)


@given(CANDIDATES)
def test_only_a_deployment_that_is_ready_is_chosen_and_provisioned_goes_first(pool: list[Candidate]) -> None:
    choice = choose(pool)
    ready = [entry for entry in pool if entry.ready_in_seconds <= 0]

    if choice.name is None:
        assert not ready
        assert choice.wait_seconds == min((entry.ready_in_seconds for entry in pool), default=math.inf)
    else:
        chosen = next(entry for entry in ready if entry.name == choice.name)
        assert chosen.provisioned or not any(entry.provisioned for entry in ready)


def test_a_deployment_is_not_asked_twice_in_one_run() -> None:
    pool = [Candidate("a", provisioned=False), Candidate("b", provisioned=False, cooling_seconds=3)]

    assert choose(pool, tried=frozenset("a")).name is None


@given(
    wait=st.one_of(st.floats(0, 1000), st.just(math.inf)),
    copies=st.integers(0, 50),
    draw=st.floats(0, 1, exclude_max=True),
    left=st.floats(1, 5000),
)
def test_a_deferral_never_wakes_early_and_never_after_the_deadline(
    wait: float, copies: int, draw: float, left: float
) -> None:
    deferral = defer(now=1000.0, wait_seconds=wait, copies=copies, deadline_at=1000.0 + left, draw=draw)

    if deferral.until is not None:
        assert deferral.until < 1000.0 + left
        assert deferral.until >= 1000.0 + min(wait if math.isfinite(wait) else 2.0, 600.0)


def test_sleepers_with_one_wait_wake_spread_out() -> None:
    draws = [n / 1000 for n in range(1000)]
    wakes = [defer(now=0, wait_seconds=20, copies=0, deadline_at=600, draw=draw).until or 0.0 for draw in draws]

    assert max(wakes) - min(wakes) > 4
    assert min(wakes) >= 20


FREE = Entry(
    first_lane=True,
    held=True,
    behind_others=False,
    budget_wait_seconds=0.0,
    direct_turns=3,
    most_direct_turns=64,
    tenant_turns=3,
    most_tenant_turns=8,
)


@pytest.mark.parametrize(
    "obstacle",
    [
        {"first_lane": False},
        {"held": False},
        {"behind_others": True},
        {"budget_wait_seconds": 0.5},
        {"direct_turns": 64},
        {"tenant_turns": 8},
    ],
)
def test_a_turn_goes_direct_only_when_nothing_stands_in_its_way(obstacle: dict[str, Any]) -> None:
    assert may_go_direct(FREE)
    assert not may_go_direct(dataclasses.replace(FREE, **obstacle))


@given(st.floats(0, 10_000), st.floats(1, 4000))
def test_a_turn_is_refused_only_when_its_wait_would_outlast_its_deadline_and_told_when_it_would_not(
    wait: float, deadline: float
) -> None:
    later = refusal_seconds(wait_seconds=wait, deadline_seconds=deadline)

    if later is None:
        assert wait <= deadline
    else:
        assert wait > CERTAIN * deadline
        assert refusal_seconds(wait_seconds=wait - later - 1e-6, deadline_seconds=deadline) is None


@given(st.lists(st.floats(0, 10_000), min_size=3, max_size=3), st.floats(1, 4000))
def test_with_the_same_deadline_the_lowest_lane_is_refused_first(waits: list[float], deadline: float) -> None:
    refused = [refusal_seconds(wait_seconds=wait, deadline_seconds=deadline) is not None for wait in sorted(waits)]

    assert refused == sorted(refused)


def test_the_first_relay_message_goes_at_once_and_the_pause_grows_to_its_limit() -> None:
    pauses = [relay_interval_seconds(n) for n in range(40)]

    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[-1] == LAST_INTERVAL_SECONDS


@given(st.integers(0, 10**12))
def test_however_many_relay_messages_went_before_the_next_goes_within_a_tenth_of_a_second(sent: int) -> None:
    assert 0 <= relay_interval_seconds(sent) <= LAST_INTERVAL_SECONDS


def test_deferrals_do_not_use_up_a_turns_tries() -> None:
    assert not crashed_too_often(run=50, copies=48, max_runs=5)
    assert crashed_too_often(run=6, copies=0, max_runs=5)
    assert faults_used_up(faults=4, max_runs=5)
    assert not faults_used_up(faults=3, max_runs=5)
