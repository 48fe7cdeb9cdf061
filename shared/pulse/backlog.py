"""Looks at what waits in each lane and tells the observer."""

from shared.ports import Clock
from shared.pulse.ports import OperatorSwitches, TurnRecords, Waiting
from shared.telemetry.facts import BacklogSeen
from shared.telemetry.observer import Observer
from shared.turns import Lane


class BacklogWatch:
    """Also the app's heartbeat: while it is told, the app runs and its store answers."""

    def __init__(self, *, records: TurnRecords, switches: OperatorSwitches, clock: Clock, observer: Observer) -> None:
        """Takes what it works with."""
        self._records, self._switches, self._clock, self._observer = records, switches, clock, observer

    async def look(self) -> None:
        """Tells of every lane.

        Raises:
            Unavailable: The store does not answer.
        """
        for lane in Lane:
            now = self._clock.now()
            waiting = await self._records.waiting(lane, now)
            self._observer.tell(seen(lane, waiting, now, paused=self._switches.pauses(lane)))


def seen(lane: Lane, waiting: Waiting, now: float, *, paused: bool = False) -> BacklogSeen:
    """What waits, in the terms of alerts. In a lane that an operator has paused nothing is due."""
    return BacklogSeen(
        lane=lane.value,
        turns=waiting.turns,
        due=0 if paused else waiting.due,
        oldest_seconds=0.0 if waiting.oldest_at is None else max(0.0, now - waiting.oldest_at),
        deadline_used=0.0 if waiting.pressed is None else _used(*waiting.pressed, now),
    )


def _used(accepted_at: float, deadline_at: float, now: float) -> float:
    """Part of the time between accept and deadline that has passed; above 1 when the deadline has."""
    return max(0.0, now - accepted_at) / max(deadline_at - accepted_at, 1.0)
