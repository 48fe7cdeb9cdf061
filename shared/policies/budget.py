"""How much of a deployment's quota is left for this instance, and when the rest comes back.

A deployment admits `limit_tokens` in any 60 seconds, counted at admission as prompt plus maximum output, failed calls
too, and polices requests in slices of 1 and 10 seconds.
Source: learn.microsoft.com, Azure OpenAI quota management, "understanding rate limits", 2026.
"""

import math
from collections import deque
from collections.abc import Iterable

WINDOW_SECONDS = 60.0


class BudgetWindow:
    """A sliding window over what was spent.

    With `s(t)` the tokens spent in `(t - 60, t]`, a call of `n` tokens may start at `t` when `s(t) + n <= limit`.
    States: *free* (the wait is 0), *waiting* (the wait is when enough old calls leave the window), *never* (the call
    is larger than the limit; the wait is infinite).
    """

    def __init__(self, *, limit_tokens: float, limit_requests: float, window_seconds: float = WINDOW_SECONDS) -> None:
        """Starts empty.

        Args:
            limit_tokens: Tokens per window.
            limit_requests: Requests per minute.
            window_seconds: Length of the token window.
        """
        self.limit_tokens = limit_tokens
        self.limit_requests = limit_requests
        self._window_seconds = window_seconds
        self._tokens: deque[tuple[float, float]] = deque()
        self._requests: deque[float] = deque()
        self._spent = 0.0

    def wait_seconds(self, now: float, tokens: float) -> float:
        """Seconds until a call of `tokens` may start: 0 when it may now, infinity when never."""
        self._forget(now)
        return max(self._token_wait(now, tokens), self._request_wait(now))

    def spend(self, now: float, tokens: float) -> None:
        """Notes a call that starts now, whatever becomes of it."""
        self._tokens.append((now, tokens))
        self._requests.append(now)
        self._spent += tokens

    def spent(self, now: float) -> float:
        """Tokens spent in the window that ends now."""
        self._forget(now)
        return self._spent

    def _token_wait(self, now: float, tokens: float) -> float:
        if tokens > self.limit_tokens:
            return math.inf
        excess = self._spent + tokens - self.limit_tokens
        for at, amount in self._tokens:
            if excess <= 0:
                return 0.0
            excess -= amount
            if excess <= 0:
                return max(0.0, at + self._window_seconds - now)
        return 0.0

    def _request_wait(self, now: float) -> float:
        return max(
            _slice_wait(self._requests, now, 1.0, max(1, math.ceil(self.limit_requests / 60))),
            _slice_wait(self._requests, now, 10.0, max(1, math.ceil(self.limit_requests / 6))),
        )

    def _forget(self, now: float) -> None:
        while self._tokens and self._tokens[0][0] <= now - self._window_seconds:
            self._spent -= self._tokens.popleft()[1]
        while self._requests and self._requests[0] <= now - 10.0:
            self._requests.popleft()
        if not self._tokens:
            self._spent = 0.0


def _slice_wait(requests: Iterable[float], now: float, seconds: float, limit: int) -> float:
    recent = [at for at in requests if at > now - seconds]
    return 0.0 if len(recent) < limit else max(0.0, recent[-limit] + seconds - now)
