"""When a slow first token is worth a second call, and how many such calls the budget allows.

Source: Dean and Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013: hedged requests.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, replace

QUANTILE, PATIENCE = 0.9, 1.5
LEAST_SAMPLES, MOST_SAMPLES = 20, 200
SOONEST_SECONDS = 0.1
FAR = 2.0
"""A deployment's own history counts up to so many times the pool's, or a sick one would excuse itself."""
PER_TOKEN = 0.015
MOST_CALLS = 3.0
"""What is saved up on good days must not make more than a fiftieth of some hundred calls on a bad one."""


class FirstTokens:
    """The last times to first token of a deployment, or of a pool."""

    def __init__(self) -> None:
        """Starts empty."""
        self._seconds: deque[float] = deque()
        self._ordered: list[float] = []

    def add(self, seconds: float) -> None:
        """Notes one."""
        if len(self._seconds) == MOST_SAMPLES:
            del self._ordered[bisect_left(self._ordered, self._seconds.popleft())]
        self._seconds.append(seconds)
        insort(self._ordered, seconds)

    @property
    def usual_seconds(self) -> float | None:
        """Nine of ten came within; None while too few are known."""
        known = len(self._ordered)
        return None if known < LEAST_SAMPLES else self._ordered[min(known - 1, int(QUANTILE * known))]


def first_token_deadline_seconds(own: FirstTokens, pool: FirstTokens) -> float | None:
    """After how long without a first token another deployment is asked too; None while that is not known."""
    usual, others = own.usual_seconds, pool.usual_seconds
    if others is None:
        return None
    return max(SOONEST_SECONDS, PATIENCE * min(others if usual is None else usual, FAR * others))


@dataclass(frozen=True, slots=True)
class HedgeBudget:
    """Tokens that second calls may still cost: a part of what first calls cost, saved up for a few calls."""

    tokens: float = 0.0

    def called(self, tokens: float) -> "HedgeBudget":
        """A first call was made. A small one never takes away what larger ones have saved up."""
        return replace(self, tokens=max(self.tokens, min(self.tokens + PER_TOKEN * tokens, MOST_CALLS * tokens)))

    def allows(self, tokens: float) -> bool:
        """A second call of that size is within the budget."""
        return self.tokens >= tokens

    def hedged(self, tokens: float) -> "HedgeBudget":
        """A second call was made."""
        return replace(self, tokens=self.tokens - tokens)
