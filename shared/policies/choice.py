"""Which deployment takes the next attempt."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a deployment at this moment.

    Attributes:
        wait_seconds: Until its budget can take the call; 0 when it can now, infinity when never.
        cooling_seconds: How long it is still to be left alone, after an overload or for a fault.
        first_token_seconds: Time to first token to expect, with what late ones cost; 0 when not yet known.
        often_late: Its first tokens are late so often that being paid for is no reason to prefer it.
        spill: It answers for another model and is asked only when the pool's own cannot.
    """

    name: str
    provisioned: bool
    wait_seconds: float = 0.0
    cooling_seconds: float = 0.0
    first_token_seconds: float = 0.0
    spill: bool = False
    often_late: bool = False

    @property
    def preferred(self) -> bool:
        """Its capacity is paid for whether it is used or not, and it is worth using."""
        return self.provisioned and not self.often_late

    @property
    def ready_in_seconds(self) -> float:
        """When it can take the call."""
        return max(self.wait_seconds, self.cooling_seconds)


@dataclass(frozen=True, slots=True)
class Choice:
    """A deployment to call now, or how long to wait until one can be called; infinity when none ever can."""

    name: str | None
    wait_seconds: float = 0.0


def choose(candidates: Iterable[Candidate], *, tried: frozenset[str] = frozenset()) -> Choice:
    """Picks among those that can take the call now: own before spill, provisioned first, then the quickest.

    Args:
        candidates: The pool.
        tried: Deployments that this run has called already; they are not asked twice in one run.
    """
    pool = list(candidates)
    ready = [entry for entry in pool if entry.ready_in_seconds <= 0 and entry.name not in tried]
    if ready:
        best = min(ready, key=lambda entry: (entry.spill, not entry.preferred, entry.first_token_seconds, entry.name))
        return Choice(best.name)
    own = [entry for entry in pool if not entry.spill]
    return Choice(None, min((entry.ready_in_seconds for entry in own), default=math.inf))
