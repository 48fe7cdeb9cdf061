"""The quota of standard deployments: estimated tokens per minute, and requests in short slices of a minute."""

import math

from local.openai.quota.decision import ADMITTED, Decision, Standing
from local.openai.quota.window import SlidingWindow

SLICES_SECONDS = (1, 10, 60)


def slice_limit(requests_per_minute: int, seconds: int) -> int:
    """How many requests one slice of a minute admits: its share, rounded up."""
    return math.ceil(requests_per_minute * seconds / 60)


class StandardQuota:
    """Admits a call when its request fits every slice and its estimate fits the token window.

    The estimate is charged when the call arrives and never given back, whatever becomes of the call. A request that
    the slices let through counts in them even when the tokens then turn it away or the call fails. One that the
    slices themselves turn away is not counted again: a caller a little above the limit would never be served.
    """

    def __init__(self, tokens_per_minute: int, requests_per_minute: int, window_seconds: float = 60.0) -> None:
        self.tokens_per_minute = tokens_per_minute
        self.requests_per_minute = requests_per_minute
        self._tokens = SlidingWindow(window_seconds)
        self._requests = [(seconds, SlidingWindow(seconds)) for seconds in SLICES_SECONDS]

    def admit(self, now: float, estimate: int, *, token_limit: int | None = None) -> Decision:
        """Decides on one call and charges it.

        Args:
            now: Seconds of a monotonic clock.
            estimate: Prompt tokens and the most that may be answered.
            token_limit: The limit in force when it is temporarily below `tokens_per_minute`.
        """
        limit = self.tokens_per_minute if token_limit is None else min(token_limit, self.tokens_per_minute)
        if wait := self.count_request(now):
            return Decision("requests", wait)
        if estimate > self.tokens_per_minute:
            return Decision("oversized", math.inf)
        if wait := self._tokens.wait_seconds(now, estimate, limit):
            cut = self._tokens.wait_seconds(now, estimate, self.tokens_per_minute) == 0.0
            return Decision("tokens", wait, cut)
        self._tokens.charge(now, estimate)
        return ADMITTED

    def count_request(self, now: float) -> float:
        """Counts one request if every slice has room for it, else says how many seconds to wait."""
        waits = [
            window.wait_seconds(now, 1, slice_limit(self.requests_per_minute, seconds))
            for seconds, window in self._requests
        ]
        if wait := max(waits):
            return wait
        for _, window in self._requests:
            window.charge(now, 1)
        return 0.0

    def settle(self, now: float, estimate: int, actual: int) -> None:
        """Nothing: a standard deployment keeps what it charged at admission."""

    def standing(self, now: float, *, token_limit: int | None = None) -> Standing:
        """The figures for the response headers."""
        limit = self.tokens_per_minute if token_limit is None else min(token_limit, self.tokens_per_minute)
        minute = self._requests[-1][1]
        return Standing(
            limit_tokens=limit,
            remaining_tokens=max(0, limit - self._tokens.used(now)),
            reset_tokens_seconds=self._tokens.empty_seconds(now),
            limit_requests=self.requests_per_minute,
            remaining_requests=max(0, self.requests_per_minute - minute.used(now)),
            reset_requests_seconds=minute.empty_seconds(now),
        )
