"""A deployment that keeps failing is left alone for a while, and then asked by one call whether it is back.

For faults only: a want of capacity is no fault, and says itself how long it lasts.
Source: Nygard, "Release It!", 2nd edition, "Circuit Breaker".
"""

from dataclasses import dataclass, replace

FAULTS = 2
"""So many faults in a row open the breaker; fewer only make the deployment rest for a moment."""
REST_SECONDS, OPEN_SECONDS = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """What one instance knows of a deployment's health. Times are monotonic seconds.

    States: *closed* (all calls), *open* (none before `closed_at`), *probing* (one call, the others wait for it).

    Attributes:
        faults: In a row.
        closed_at: Until then nobody calls.
        probe_until: A probe is under way, and given up then.
    """

    faults: int = 0
    closed_at: float = 0.0
    probe_until: float = 0.0

    @property
    def probing(self) -> bool:
        """The next call is a probe: the last one met a fault."""
        return self.faults > 0

    @property
    def opened(self) -> bool:
        """So many faults in a row are no accident."""
        return self.faults >= FAULTS

    def wait_seconds(self, now: float) -> float:
        """Until a call may be made."""
        return max(0.0, self.closed_at - now, self.probe_until - now if self.probing else 0.0)

    def calling(self, now: float) -> "Breaker":
        """A call is made; it is the only one while probing."""
        return replace(self, probe_until=now + REST_SECONDS) if self.probing else self

    def succeeded(self) -> "Breaker":
        """A call was answered, or refused for want of capacity: the deployment is there."""
        return CLOSED

    def failed(self, now: float, *, rest_seconds: float | None = None) -> "Breaker":
        """A call met a fault; `rest_seconds` is what the service asked for, which a later one never shortens."""
        faults = self.faults + 1
        away = OPEN_SECONDS if faults >= FAULTS else REST_SECONDS
        return Breaker(faults, max(self.closed_at, now + max(away, rest_seconds or 0.0)))


CLOSED = Breaker()
