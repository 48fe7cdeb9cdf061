"""The most that was admitted in any window: kept apart from the quota, so that it can judge the quota."""

from collections import deque


class Peak:
    """The largest sum of charges in any window of `seconds`, over all time."""

    __slots__ = ("_recent", "_sum", "most", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.most = 0
        self._recent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, now: float, amount: int) -> None:
        """Adds a charge; the largest window always ends at a charge."""
        self._recent.append((now, amount))
        self._sum += amount
        while self._recent[0][0] + self.seconds <= now:
            self._sum -= self._recent.popleft()[1]
        self.most = max(self.most, self._sum)
