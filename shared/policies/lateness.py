"""How often a deployment's first tokens are late, and what that is worth when the next call is placed.

A mean hides a deployment that is quick nine times and stands still the tenth. A call counts as late from the moment at
which another deployment would be asked beside it, so this is known long before the slow answer comes, if ever it does.
"""

from dataclasses import dataclass

HALF_LIFE_SECONDS = 80.0
"""What was seen so long ago counts half: a deployment that is left alone is tried again after some minutes."""
MEMORY_CALLS = 50.0
"""So many calls count at most: thousands of good ones before it fell ill must not excuse it."""
DOUBT = 10.0
"""Calls in time that every deployment is believed to have made, so that one late call does not condemn it."""
COSTS = 10.0
"""One late call is worth so many deadlines: the slowest call of a hundred is what callers remember."""
OFTEN = 0.04


@dataclass(frozen=True, slots=True)
class Lateness:
    """Calls of a deployment and how many of them were late, both fading. Moments are monotonic seconds."""

    calls: float = 0.0
    late: float = 0.0
    at: float = 0.0

    def called(self, now: float, *, late: bool) -> "Lateness":
        """One more call, in time or late."""
        kept = self._kept(now) * (1 - 1 / MEMORY_CALLS)
        return Lateness(self.calls * kept + 1, self.late * kept + late, now)

    def share(self, now: float) -> float:
        """The part of the calls that is late, less when little is known."""
        kept = self._kept(now)
        return self.late * kept / (self.calls * kept + DOUBT)

    def costs_seconds(self, now: float, deadline_seconds: float) -> float:
        """What the late ones add to what may be expected of the next call."""
        return self.share(now) * COSTS * deadline_seconds

    def often(self, now: float) -> bool:
        """It is late so often that paid-for capacity is no reason to prefer it."""
        return self.share(now) > OFTEN

    def _kept(self, now: float) -> float:
        return float(0.5 ** (max(0.0, now - self.at) / HALF_LIFE_SECONDS))
