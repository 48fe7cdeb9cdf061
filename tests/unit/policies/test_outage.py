"""What the shared account makes of faults, as laws."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.policies.ledger import (
    PROBE_SECONDS,
    SLOT_SECONDS,
    Ask,
    LedgerState,
    acquired,
    advanced,
    opened,
    overloaded,
    wait_seconds,
)
from shared.policies.ledger import spent as spent_on
from shared.policies.outage import NOTABLE_SHARE, failed, is_back

SLOT = 3_400_000_000
REST = 10.0


def account(calls: int) -> LedgerState:
    fresh = opened(SLOT, limit_tokens=1e6, limit_requests=1e6)
    return advanced(spent_on(fresh, tokens=100.0 * calls, requests=calls, urgent=0.0), SLOT + 1)


def told(state: LedgerState, faults: int, rest: float = REST) -> LedgerState:
    return failed(state, faults=faults, until=state.at + rest) or state


@given(st.integers(1, 500), st.integers(2, 50))
def test_an_account_opens_when_faults_are_a_notable_part_of_the_calls(calls: int, faults: int) -> None:
    assert told(account(calls), faults).failing == (faults >= NOTABLE_SHARE * calls)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=20))
def test_who_tells_first_does_not_matter(faults: list[int]) -> None:
    forth, back = account(40), account(40)
    for one, other in zip(faults, reversed(faults), strict=True):
        forth, back = told(forth, one), told(back, other)

    assert forth.failing == back.failing


@given(st.floats(0.5, 60), st.integers(0, 200))
def test_a_failing_account_gives_one_call_after_its_rest_and_none_before(rest: float, later: int) -> None:
    state = advanced(told(account(2), 2, rest), SLOT + 1 + later)
    after = acquired(state, Ask(100))

    assert (after is not None) == (later * SLOT_SECONDS >= rest)
    if after is not None:
        assert acquired(after, Ask(100)) is None
        assert acquired(advanced(after, after.slot + int(PROBE_SECONDS / SLOT_SECONDS)), Ask(100)) is not None


@given(st.floats(0.5, 60))
def test_the_wait_that_a_failing_account_names_is_true(rest: float) -> None:
    state = told(account(2), 2, rest)
    wait = wait_seconds(state, state.at, Ask(100))

    assert wait > 0
    assert wait_seconds(state, state.at + wait, Ask(100)) == 0
    assert wait_seconds(state, state.at + wait - SLOT_SECONDS, Ask(100)) > 0


def test_what_was_under_way_when_it_opened_does_not_prolong_the_rest_but_a_failed_probe_does() -> None:
    state = told(account(2), 2)

    assert failed(state, faults=1, until=state.at + 2 * REST) is None
    probe = acquired(advanced(state, state.slot + int(REST / SLOT_SECONDS)), Ask(100))
    assert probe is not None
    assert told(probe, 1).cooling_until == probe.at + REST


def test_an_answer_ends_it_and_so_does_an_overload_which_keeps_its_own_wait() -> None:
    state = told(account(2), 2)

    assert is_back(account(2)) is None
    back = is_back(state)
    assert back is not None
    assert acquired(back, Ask(100)) is not None
    overload = overloaded(state, epoch=state.epoch, until=state.at + 3)
    assert (overload.failing, overload.cooling_until) == (False, state.at + 3)


def test_faults_of_long_ago_are_not_held_against_it() -> None:
    state = told(account(1), 0)
    early = replace(state, faults=2, faults_at=state.at - 60)

    assert told(early, 0).faults == 0
