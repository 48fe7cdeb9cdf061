"""To take, queue or refuse a turn: decided before any work."""

from dataclasses import dataclass
from enum import StrEnum

CERTAIN = 0.95
"""Part of the time to the deadline that a predicted wait may fill; the rest is for what it does not know."""


class Path(StrEnum):
    """How an admitted turn reaches the model."""

    DIRECT = "direct"
    """This instance calls the model now and streams."""
    QUEUED = "queued"
    """The turn waits in its lane for a worker."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a turn and of this instance at the door.

    Attributes:
        first_lane: The turn is in the highest lane; all others queue, so that they leave the budget to it.
        held: Its caller holds the connection.
        behind_others: Earlier turns of its flow wait, or an operator paused the lane.
        budget_wait_seconds: Until some deployment has budget for it; 0 when one has now.
        direct_turns: Turns that this instance runs directly.
        most_direct_turns: How many it may run.
        tenant_turns: Those of the turn's tenant.
        most_tenant_turns: How many one tenant may have.
    """

    first_lane: bool
    held: bool
    behind_others: bool
    budget_wait_seconds: float
    direct_turns: int
    most_direct_turns: int
    tenant_turns: int
    most_tenant_turns: int


def may_go_direct(entry: Entry) -> bool:
    """True when budget is free now, this instance has room, and nobody is overtaken."""
    return (
        entry.first_lane
        and entry.held
        and not entry.behind_others
        and entry.budget_wait_seconds <= 0
        and entry.direct_turns < entry.most_direct_turns
        and entry.tenant_turns < entry.most_tenant_turns
    )


def refusal_seconds(*, wait_seconds: float, deadline_seconds: float) -> float | None:
    """None when a turn may queue; else the seconds after which its wait would end in time.

    Args:
        wait_seconds: Expected wait in the lane.
        deadline_seconds: Time until the turn expires.
    """
    most = CERTAIN * deadline_seconds
    return None if wait_seconds <= most else max(1.0, wait_seconds - most)
