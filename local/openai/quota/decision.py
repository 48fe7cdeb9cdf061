"""What a quota says to one call, and where it stands afterwards."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one call.

    Attributes:
        reason: Empty when admitted, else `requests`, `tokens`, `oversized` or `utilization`.
        wait_seconds: Time after which the same call would be admitted if nothing else came; 0 when admitted and
            infinity when it never will be.
        cut: Refused only because the limit is temporarily below the configured one.
    """

    reason: str = ""
    wait_seconds: float = 0.0
    cut: bool = False

    @property
    def admitted(self) -> bool:
        """Whether the call may go ahead."""
        return not self.reason


ADMITTED = Decision()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a deployment stands, in the figures that responses carry.

    Attributes:
        utilization_percent: Of a provisioned deployment, None for standard ones.
    """

    limit_tokens: int
    remaining_tokens: int
    reset_tokens_seconds: float
    limit_requests: int
    remaining_requests: int
    reset_requests_seconds: float
    utilization_percent: float | None = None


def used_up(standing: Standing, limit: str) -> Standing:
    """The same standing with nothing left of `tokens` or `requests`, and above 100 % when provisioned."""
    if standing.utilization_percent is not None:
        return replace(standing, utilization_percent=max(100.1, standing.utilization_percent))
    return replace(standing, remaining_requests=0) if limit == "requests" else replace(standing, remaining_tokens=0)
