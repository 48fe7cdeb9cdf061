"""How often one caller may ask: a token bucket, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """Requests that are left, at a time. A new caller's bucket is full.

    Attributes:
        left: Requests; a fraction is the part of the next one that has come back.
        at: When that was so, in seconds of any clock.
    """

    left: float
    at: float

    def take(self, now: float, *, per_minute: float, most: float) -> "tuple[Bucket, float]":
        """The bucket after a request, and the seconds until one is allowed: 0 when this one is.

        Args:
            now: Seconds of the same clock.
            per_minute: How many requests come back in a minute.
            most: How many a full bucket holds.
        """
        left = min(most, self.left + max(0.0, now - self.at) * per_minute / 60.0)
        if left >= 1.0:
            return Bucket(left - 1.0, now), 0.0
        return Bucket(left, now), (1.0 - left) * 60.0 / per_minute
