"""Until when a turn sleeps when no deployment can take it."""

import math
from dataclasses import dataclass

SHORTEST_SECONDS = 0.5
UNKNOWN_SECONDS = 2.0
SPREAD_SHARE = 0.25
LONGEST_SECONDS = 600.0
HEAD_START_SHARE, LONGEST_HEAD_START_SECONDS = 0.02, 0.6


@dataclass(frozen=True, slots=True)
class Deferral:
    """Sleep until `until`, or give up when `until` is None because the deadline comes first."""

    until: float | None


def defer(*, now: float, wait_seconds: float, copies: int, deadline_at: float, draw: float) -> Deferral:
    """The soonest useful moment, plus jitter that only ever adds, so that sleepers do not wake together.

    until = now + w + draw * max(0.25 w, 0.5 s), with w the known wait, or 2 s doubled for each earlier copy when
    nothing is known. Jitter is positive because waking before the stated time would only be refused again
    (19 of 20 retries fired in the same instant in one report on symmetric jitter).

    Args:
        now: Seconds since 1970.
        wait_seconds: When a deployment is expected to have budget; infinity when unknown.
        copies: How often the turn was deferred already.
        deadline_at: When the turn expires.
        draw: A random number in [0, 1).
    """
    known = wait_seconds if math.isfinite(wait_seconds) else UNKNOWN_SECONDS * 2 ** min(copies, 5)
    wait = min(max(known, SHORTEST_SECONDS), LONGEST_SECONDS)
    until = now + wait + draw * max(SPREAD_SHARE * wait, SHORTEST_SECONDS)
    return Deferral(until if until < deadline_at else None)


def head_start_seconds(wait_seconds: float) -> float:
    """How long before it is expected to be due a turn wakes; its worker holds it for the rest.

    Two neighbours are told their times at different moments, and forecasts drift in between: the longer the wait, the
    more. Who woke later than the line had reached it would be overtaken by those behind it.
    """
    return min(HEAD_START_SHARE * wait_seconds, LONGEST_HEAD_START_SECONDS)
