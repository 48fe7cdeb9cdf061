"""A deployment that fails everybody is left alone by the whole fleet, and asked by one call whether it is back.

A breaker judges by what one instance met. Alone, an outage costs two calls of every instance and then a probe of each.
So they tell the deployment's shared account, which counts as failing when what was told is a notable part of the calls
that the fleet made; a few faults among many calls are not, or of a thousand instances one would always have met two
in a row. A large fleet, in which each instance calls often, hardly needs it: there two calls each are few among all.
"""

from dataclasses import replace

from shared.policies.ledger import PROBE_SECONDS, SLOT_SECONDS, LedgerState

TOLD_SLOTS = 4
"""Slots over which faults that were told are held against the calls that were made."""
NOTABLE_SHARE = 0.3


def failed(state: LedgerState, *, faults: int, until: float) -> LedgerState | None:
    """The account after an instance met faults in a row; None when all know already.

    Args:
        state: The account.
        faults: How many are new.
        until: How long the deployment is to be left alone; seconds since 1970.
    """
    if state.failing:
        # What was under way when it opened says nothing new; the probe does, and leaves the shorter wait.
        return None if state.cooling_until > state.at + PROBE_SECONDS else _failing(state, until)
    before = state.faults if state.at - state.faults_at <= TOLD_SLOTS * SLOT_SECONDS else 0
    told = replace(state, faults=before + faults, faults_at=state.at)
    calls = state.requests - state.request_marks[TOLD_SLOTS - 1]
    return _failing(told, until) if told.faults >= NOTABLE_SHARE * calls else told


def is_back(state: LedgerState) -> LedgerState | None:
    """The account after an answer; None when nobody thought otherwise."""
    if not state.failing:
        return None
    return replace(state, failing=False, faults=0, cooling_until=min(state.cooling_until, state.at))


def _failing(state: LedgerState, until: float) -> LedgerState:
    return replace(state, failing=True, cooling_until=max(state.cooling_until, until))
