"""A sliding window over charges: exact, and pure in time."""

import math
from collections import deque


class SlidingWindow:
    """Sums the charges of the last `seconds`; a charge leaves exactly `seconds` after it came.

    Times are seconds of one monotonic clock and must not go backwards.
    """

    __slots__ = ("_charges", "_used", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._charges: deque[tuple[float, int]] = deque()
        self._used = 0

    def used(self, now: float) -> int:
        """What is charged in the window that ends now."""
        while self._charges and self._charges[0][0] + self.seconds <= now:
            self._used -= self._charges.popleft()[1]
        return self._used

    def charge(self, now: float, amount: int) -> None:
        """Adds a charge at `now`."""
        self.used(now)
        self._charges.append((now, amount))
        self._used += amount

    def wait_seconds(self, now: float, amount: int, limit: int) -> float:
        """How long until `amount` more stays within `limit` if nothing else comes.

        Returns:
            Seconds, 0 when it fits now, infinity when it can never fit.
        """
        if amount > limit:
            return math.inf
        excess = self.used(now) + amount - limit
        wait = 0.0
        for time, charged in self._charges:
            if excess <= 0:
                break
            excess -= charged
            wait = time + self.seconds - now
        return wait

    def empty_seconds(self, now: float) -> float:
        """How long until the window is empty if nothing else comes."""
        self.used(now)
        return self._charges[-1][0] + self.seconds - now if self._charges else 0.0
