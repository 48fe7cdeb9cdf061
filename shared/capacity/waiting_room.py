"""Where a turn goes that finds no budget: it gets a place in the line of its pool, and the time when it is due."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from shared.capacity.capacity import Capacity, Want
from shared.capacity.waiting_line import WaitingLine
from shared.errors import Unavailable
from shared.policies.line import Ticket, ticket_of
from shared.policies.promotion import moves_up
from shared.ports import Clock
from shared.telemetry import log
from shared.turns import Lane, Turn

LANES = list(Lane)
BLOCKED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Appointment:
    """When a turn is due.

    Attributes:
        ticket: Its place in line; None when the ledger is away, and the time is a guess.
        wait_seconds: From now.
        place: Counted from 1, in the line of its lane and tenant.
    """

    ticket: Ticket | None
    wait_seconds: float
    place: int = 1

    def fields(self, now: float) -> dict[str, Any]:
        """What the turn's record keeps of it."""
        ticket = None if self.ticket is None else dataclasses.asdict(self.ticket)
        return {"ticket": ticket, "due_at": now + self.wait_seconds}


class WaitingRoom:
    """Makes appointments. Without the ledger it guesses them."""

    def __init__(self, capacity: Capacity, clock: Clock) -> None:
        """Takes what it works with."""
        self._capacity, self._clock = capacity, clock

    async def look(self, want: Want) -> float:
        """How long a turn would wait, in seconds; 0 when it need not.

        Raises:
            Unavailable: The ledger does not answer.
        """
        line = self._capacity.line(want.model)
        await line.look()
        if self._capacity.outlook(want).name is not None and not self._capacity.behind_others(want):
            return 0.0
        return line.outlook(want.lane, want.tenant, want.tokens)

    async def enter(self, want: Want, *, at_least_seconds: float = 0.0) -> Appointment:
        """Gives a turn its place at the end of its tenant's flow; it waits `at_least_seconds` at any rate."""
        line = self._capacity.line(want.model)
        try:
            ticket, seconds = await line.join(want.lane, want.tenant, want.tokens)
        except Unavailable:
            log.warning("miss_line", model=want.model)
            return Appointment(None, at_least_seconds)
        return Appointment(ticket, max(seconds, at_least_seconds), line.place(ticket))

    async def return_to(self, turn: Turn, want: Want, *, at_least_seconds: float) -> Appointment:
        """A turn that was due found no budget: it keeps its place, or moves up a lane when it would be late there.

        Args:
            turn: The turn.
            want: What it wants.
            at_least_seconds: It waits so long at any rate; infinity when that is not known.
        """
        at_least_seconds = at_least_seconds if math.isfinite(at_least_seconds) else 0.0
        ticket = ticket_of(turn.ticket)
        if ticket is None:
            return await self.enter(want, at_least_seconds=at_least_seconds)
        line = self._capacity.line(want.model)
        if at_least_seconds > BLOCKED_SECONDS and self._capacity.is_large(want):
            # It is too large for the room that there is; smaller ones behind it may use that meanwhile.
            return Appointment(ticket, at_least_seconds, line.place(ticket))
        try:
            seconds = max(at_least_seconds, await line.rewind(ticket))
            return await self._moved_up(line, turn, ticket, seconds) or Appointment(ticket, seconds, line.place(ticket))
        except Unavailable:
            log.warning("miss_line", model=want.model)
            return Appointment(ticket, at_least_seconds)

    async def due_in_seconds(self, model: str, ticket: Ticket) -> float:
        """Until a ticket is due: 0 when it is, or when the ledger cannot say."""
        line = self._capacity.line(model)
        try:
            await line.look()
        except Unavailable:
            return 0.0
        return line.due_in_seconds(ticket)

    async def _moved_up(self, line: WaitingLine, turn: Turn, ticket: Ticket, seconds: float) -> Appointment | None:
        if ticket.rank == 0:
            return None
        higher, left = LANES[ticket.rank - 1], turn.deadline_at - self._clock.now()
        sooner = line.outlook(higher, turn.tenant, ticket.tokens)
        if not moves_up(wait_seconds=seconds, higher_wait_seconds=sooner, left_seconds=left):
            return None
        ticket, seconds = await line.join(higher, turn.tenant, ticket.tokens)
        log.info("promote_turn", turn_id=turn.turn_id, lane=turn.lane.value, to_lane=higher.value)
        return Appointment(ticket, seconds, line.place(ticket))
