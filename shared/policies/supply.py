"""What the deployments of a pool give to those who wait in line, and when.

A deployment's account says exactly which tokens come back when: the ceiling on what may ever have been spent rises as
old calls leave the window. Of that, what calls outside the line spent is gone, and the reserve stays free for them:

    given(t) = ceiling(t) - urgent(t) - reserve(t)

is how much the line may have spent in all by time t. The line is fed with what `given` rises, deployment by deployment.
"""

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.policies.ledger import SLOT_SECONDS, TOKEN_SLOTS, LedgerState
from shared.policies.line import Line, poured

MOST_OUTSIDE = 0.5
"""Part of the quota that calls outside the line are expected to take; more of them would have to join it."""
WINDOW_SECONDS = TOKEN_SLOTS * SLOT_SECONDS
FULL = 0.5
"""With less than this part of the quota in use, what comes in this window says nothing of the next."""
SETTLED_SECONDS = 2.0
"""What was fed this long ago and is not spent found nobody: the turn was cancelled, or smaller than estimated."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What will come to the line, if the calls outside it go on as of late.

    Attributes:
        began_at: The present slot's start; seconds since 1970.
        coming: Tokens that will have come at the start of the present slot, of the next, and so on.
        pace: Tokens a second after that.
    """

    began_at: float
    coming: tuple[float, ...]
    pace: float

    def seconds_until(self, now: float, tokens: float) -> float:
        """Until that many tokens have come: 0 when they have, infinity when they never will."""
        if tokens <= self.coming[0]:
            return 0.0
        whole, last = self.coming[-1], self.began_at + (len(self.coming) - 1) * SLOT_SECONDS
        if tokens <= whole:
            return max(0.0, self._moment(tokens) - now)
        if whole >= FULL * self.pace * WINDOW_SECONDS > 0:
            # What is spent when it comes, comes again a window later.
            windows = math.ceil(tokens / whole) - 1
            return max(0.0, windows * WINDOW_SECONDS + self._moment(tokens - windows * whole) - now)
        return max(0.0, last + (tokens - whole) / self.pace - now) if self.pace > 0 else math.inf

    def _moment(self, tokens: float) -> float:
        """When so many of the tokens of the first window have come, spread evenly inside a slot."""
        slot = bisect.bisect_left(self.coming, tokens)
        if slot == 0:
            return self.began_at
        before = self.coming[slot - 1]
        return self.began_at + (slot + (tokens - before) / (self.coming[slot] - before)) * SLOT_SECONDS


def given(state: LedgerState) -> float:
    """Tokens that the line may have spent in all, of a deployment, by now."""
    return state.token_ceiling - state.urgent - state.reserve


def booked_spent(state: LedgerState) -> float:
    """Tokens that the line did spend in all, of a deployment."""
    return state.spent - state.urgent


def fed(line: Line, accounts: Mapping[str, LedgerState], now: float) -> Line:
    """The line after it was given what has come since it was last fed.

    Args:
        line: The line.
        accounts: Of the deployments that take calls now, by name, at this moment.
        now: Seconds since 1970.
    """
    if not line.flows:
        spent = {name: booked_spent(state) for name, state in accounts.items()}
        return replace(line, fed=spent, fed_before=dict(spent), stepped_at=now, spare=0.0)
    line = _without_holes(line, accounts, now)
    counts, tokens = dict(line.fed), 0.0
    for name, state in accounts.items():
        known = counts.get(name)
        # An account that began anew knows nothing of what was fed before.
        start = booked_spent(state) if known is None or known > given(state) + state.limit_tokens else known
        counts[name] = max(start, given(state))
        tokens += counts[name] - start
    return poured(replace(line, fed=counts), tokens)


def _without_holes(line: Line, accounts: Mapping[str, LedgerState], now: float) -> Line:
    if now - line.stepped_at < SETTLED_SECONDS:
        return line
    counts = dict(line.fed)
    for name, state in accounts.items():
        before = line.fed_before.get(name, 0.0)
        hole = min(before - booked_spent(state), given(state) - booked_spent(state))
        if name in counts and hole > 0:
            counts[name] -= hole
    return replace(line, fed=counts, fed_before=counts, stepped_at=now)


def supply(line: Line, accounts: Mapping[str, LedgerState], now: float) -> Supply:
    """What will come to the line from now on.

    Args:
        line: The line, as it was last fed.
        accounts: Of all deployments of the pool, by name; those that cool are counted from when they are back.
        now: Seconds since 1970.
    """
    began_at = math.floor(now / SLOT_SECONDS) * SLOT_SECONDS
    coming, pace = [0.0] * TOKEN_SLOTS, 0.0
    for name, state in accounts.items():
        start = line.fed.get(name, booked_spent(state))
        whole = state.tokens_per_minute / 60
        outside = min(state.urgent_per_second, MOST_OUTSIDE * whole)
        pace += whole - outside
        back = max(0, math.ceil((state.cooling_until - began_at) / SLOT_SECONDS))
        base = state.tokens_per_minute - state.urgent - state.reserve - start
        most = 0.0
        for later, mark in enumerate(reversed(state.token_marks)):
            if later >= back:
                most = max(most, mark + base - outside * SLOT_SECONDS * later)
            coming[later] += most
    return Supply(began_at, tuple(coming), pace)
