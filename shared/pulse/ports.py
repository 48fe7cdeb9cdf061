"""What the pulse needs from the store of turns, beyond what turns themselves need."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.turns import Lane, Usage


@dataclass(frozen=True, slots=True)
class EndedTurn:
    """What is billed and counted of a turn that is over.

    Attributes:
        model: As the caller asked; None for the default.
        deployment: Who answered; None without an answer.
        state: The final state.
        usage: What the answer took; None without an answer.
    """

    tenant: str
    lane: str
    path: str
    model: str | None
    deployment: str | None
    state: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a lane. Moments are seconds since 1970, None when nothing waits.

    Attributes:
        due: Those that are not asleep until a later time.
        oldest_at: When the oldest was accepted.
        pressed: When the turn with the nearest deadline was accepted, and that deadline.
    """

    turns: int
    due: int
    oldest_at: float | None = None
    pressed: tuple[float, float] | None = None


class OperatorSwitches(Protocol):
    """What operators have switched by hand for all instances."""

    async def look(self) -> None:
        """Brings the knowledge up to date, as far as the store answers."""

    def drains(self, deployment: str) -> bool:
        """True when the deployment is to get no new calls."""

    def pauses(self, lane: Lane) -> bool:
        """True when the turns of the lane wait until an operator says otherwise."""


class TurnRecords(Protocol):
    """Reads over all turns. Every operation may raise Unavailable."""

    async def minutes_ended_since(self, since: float) -> set[int]:
        """The minutes since 1970 in which those turns were accepted that ended, or changed after it, since then."""

    async def ended_within(self, minute: int) -> Sequence[EndedTurn]:
        """The turns accepted in a minute that are over."""

    async def waiting(self, lane: Lane, now: float) -> Waiting:
        """What waits in a lane."""
