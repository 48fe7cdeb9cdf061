"""Virtual time: what happens next, and when. Nothing waits; time jumps from one event to the next."""

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """Events in the order of their times; of equal times the one that was written down first comes first."""

    __slots__ = ("_entries", "_number", "events", "now")

    def __init__(self, now: float) -> None:
        """Starts at a time in seconds."""
        self.now = now
        self.events = 0
        self._entries: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0

    def at(self, time: float, happens: Callable[..., None], *what: Any) -> None:
        """Writes down an event: `happens(time, *what)`."""
        self._number += 1
        heapq.heappush(self._entries, (time, self._number, happens, what))

    def run(self, until: float) -> None:
        """Lets everything happen that is written down for a time before `until`."""
        entries, pop = self._entries, heapq.heappop
        while entries and entries[0][0] < until:
            time, _, happens, what = pop(entries)
            self.now = time
            self.events += 1
            happens(time, *what)
        self.now = until
