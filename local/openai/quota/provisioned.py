"""The quota of provisioned deployments: a leaky bucket whose level is the utilisation."""

from local.openai.quota.decision import ADMITTED, Decision, Standing

BURST_SHARE = 1 / 6
"""How much of a minute's tokens fills the bucket to 100 %."""


class ProvisionedQuota:
    """Admits calls while the utilisation is at most 100 %; it drains steadily at the provisioned rate.

    A call raises the level by its estimate. When it ends, the level is corrected to what it really took. In any
    window of t seconds it therefore admits at most what the window drains, plus one bucket, plus one call.
    """

    def __init__(self, tokens_per_minute: int, requests_per_minute: int, window_seconds: float = 60.0) -> None:
        self.tokens_per_minute = tokens_per_minute
        self.requests_per_minute = requests_per_minute
        self._window_seconds = window_seconds
        self._level = 0.0
        self._drained_at = 0.0

    @property
    def _capacity(self) -> float:
        return self.tokens_per_minute * BURST_SHARE

    @property
    def _drain_per_second(self) -> float:
        return self.tokens_per_minute / self._window_seconds

    def _drain(self, now: float) -> None:
        self._level = max(0.0, self._level - (now - self._drained_at) * self._drain_per_second)
        self._drained_at = now

    def admit(self, now: float, estimate: int, *, token_limit: int | None = None) -> Decision:
        """Decides on one call and charges it.

        Args:
            now: Seconds of a monotonic clock.
            estimate: Prompt tokens and the most that may be answered.
            token_limit: A lower limit that is temporarily in force scales the bucket.
        """
        self._drain(now)
        capacity = self._capacity if token_limit is None else min(self._capacity, token_limit * BURST_SHARE)
        if self._level > capacity:
            wait = (self._level - capacity) / self._drain_per_second
            return Decision("utilization", wait, cut=self._level <= self._capacity)
        self._level += estimate
        return ADMITTED

    def count_request(self, now: float) -> float:
        """Nothing to count: provisioned deployments have no limit on requests."""
        self._drain(now)
        return 0.0

    def settle(self, now: float, estimate: int, actual: int) -> None:
        """Corrects the level by the difference between the estimate and what the call took."""
        self._drain(now)
        self._level = max(0.0, self._level + actual - estimate)

    def standing(self, now: float, *, token_limit: int | None = None) -> Standing:
        """The figures for the response headers."""
        self._drain(now)
        capacity = self._capacity if token_limit is None else min(self._capacity, token_limit * BURST_SHARE)
        return Standing(
            limit_tokens=self.tokens_per_minute if token_limit is None else token_limit,
            remaining_tokens=max(0, int(capacity - self._level)),
            reset_tokens_seconds=self._level / self._drain_per_second,
            limit_requests=self.requests_per_minute,
            remaining_requests=self.requests_per_minute,
            reset_requests_seconds=0.0,
            utilization_percent=100.0 * self._level / capacity,
        )
