"""Points in time at which something of a queue is due: a heap that forgets what is no longer wanted."""

import heapq
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", int, str)

COMPACT_FROM = 1024


class Deadlines(Generic[K]):
    """Keys by time. A key may be there several times; whoever takes it out checks what is still true.

    States: an entry is *wanted* while `is_wanted(key, at)` says so. Entries that are not wanted are dropped when
    they come up, or all at once when the heap has doubled since it was last cleaned, so it stays in proportion to
    what is wanted.
    """

    def __init__(self, is_wanted: Callable[[K, float], bool]) -> None:
        self._heap: list[tuple[float, K]] = []
        self._is_wanted: Callable[[K, float], bool] = is_wanted
        self._compact_at = COMPACT_FROM

    def add(self, at: float, key: K) -> None:
        """Notes that `key` is due at `at` (seconds since the epoch)."""
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) >= self._compact_at:
            self._heap = [entry for entry in set(self._heap) if self._is_wanted(entry[1], entry[0])]
            heapq.heapify(self._heap)
            self._compact_at = max(2 * len(self._heap), COMPACT_FROM)

    def due(self, now: float) -> Iterator[K]:
        """Takes out the wanted keys whose time has come."""
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._is_wanted(key, at):
                yield key

    def next(self) -> float | None:
        """When something may be due; it may turn out to be unwanted."""
        return self._heap[0][0] if self._heap else None
