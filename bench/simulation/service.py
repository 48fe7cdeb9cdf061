"""A model deployment that polices its quota as Azure does: tokens in any minute, requests in slices of 1, 10 and 60 s.

Tokens are charged at admission and never given back. A refused call says how long to wait and which limit is in force.
"""

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

MINUTE = 60.0
SLICES = (1.0, 10.0, 60.0)


class Answer(StrEnum):
    """What becomes of a call."""

    ADMITTED = "admitted"
    TOKENS = "tokens"
    REQUESTS = "requests"
    GONE = "gone"
    """The region answers 503."""


@dataclass(slots=True)
class Window:
    """Amounts of the last seconds, and the most there ever were."""

    seconds: float
    amounts: deque[tuple[float, float]]
    total: float = 0.0
    most: float = 0.0

    def forget(self, now: float) -> None:
        """Drops what has left the window."""
        amounts = self.amounts
        before = now - self.seconds
        while amounts and amounts[0][0] <= before:
            self.total -= amounts.popleft()[1]

    def add(self, now: float, amount: float) -> None:
        """Adds an amount."""
        self.amounts.append((now, amount))
        self.total += amount
        self.most = max(self.most, self.total)

    def until_room(self, now: float, excess: float) -> float:
        """Seconds until so much has left the window."""
        for at, amount in self.amounts:
            excess -= amount
            if excess <= 0:
                return max(0.0, at + self.seconds - now)
        return self.seconds


class Service:
    """One deployment."""

    __slots__ = ("_asked", "_requests", "_tokens", "factor", "gone", "name", "requests_per_minute", "tokens_per_minute")

    def __init__(self, name: str, *, tokens_per_minute: float, requests_per_minute: float) -> None:
        """Starts with empty windows."""
        self.name = name
        self.tokens_per_minute, self.requests_per_minute = tokens_per_minute, requests_per_minute
        self.factor, self.gone = 1.0, False
        self._tokens, self._asked = Window(MINUTE, deque()), Window(MINUTE, deque())
        self._requests = [
            (math.ceil(requests_per_minute * seconds / MINUTE), Window(seconds, deque())) for seconds in SLICES
        ]

    @property
    def limit(self) -> float:
        """Tokens a minute in force, as the headers of its answers name them."""
        return self.tokens_per_minute * self.factor

    @property
    def overshoot(self) -> float:
        """By how much the worst minute of what was asked exceeded the quota, as a share; 0 when it did not."""
        return max(0.0, self._asked.most / self.tokens_per_minute - 1)

    @property
    def most_admitted(self) -> float:
        """The fullest minute of what was admitted, as a share of the quota."""
        return self._tokens.most / self.tokens_per_minute

    def ask(self, now: float, tokens: float) -> tuple[Answer, float]:
        """What becomes of a call that arrives now, and how long to wait when it is refused."""
        if self.gone:
            return Answer.GONE, 0.0
        self._asked.forget(now)
        self._asked.add(now, tokens)
        for most, window in self._requests:
            window.forget(now)
            if window.total + 1 > most:
                return Answer.REQUESTS, window.until_room(now, window.total + 1 - most)
        for _, window in self._requests:
            window.add(now, 1.0)
        self._tokens.forget(now)
        excess = self._tokens.total + tokens - self.limit
        if excess > 0:
            return Answer.TOKENS, self._tokens.until_room(now, excess)
        self._tokens.add(now, tokens)
        return Answer.ADMITTED, 0.0
