"""To take, queue or refuse a turn: decided before any work."""

from dataclasses import dataclass
from enum import StrEnum


class Path(StrEnum):
    """How an admitted turn reaches the model."""

    DIRECT = "direct"
    """This instance calls the model now and streams."""
    QUEUED = "queued"
    """The turn waits in its lane for a worker."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The decision: a path, or a refusal with the time after which the turn would be taken."""

    path: Path | None
    retry_after_seconds: float | None = None


def admit(
    *,
    may_go_direct: bool,
    budget_wait_seconds: float,
    direct_turns: int,
    max_direct_turns: int,
    predicted_wait_seconds: float,
    deadline_seconds: float,
) -> Admission:
    """Direct when budget is free now and this instance has room; refused when the wait would outlast the deadline.

    Args:
        may_go_direct: The turn is in the first lane and its caller holds the connection; all others queue, so that
            they leave the budget to those who are waiting.
        budget_wait_seconds: Until some deployment has budget for this turn; 0 when one has now.
        direct_turns: Turns this instance runs directly at the moment.
        max_direct_turns: How many it may run.
        predicted_wait_seconds: Expected wait in the lane.
        deadline_seconds: Time until the turn expires.
    """
    if may_go_direct and budget_wait_seconds <= 0 and direct_turns < max_direct_turns:
        return Admission(Path.DIRECT)
    if predicted_wait_seconds > deadline_seconds:
        return Admission(None, retry_after_seconds=max(1.0, predicted_wait_seconds - deadline_seconds))
    return Admission(Path.QUEUED)
