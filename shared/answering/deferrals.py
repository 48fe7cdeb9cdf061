"""What happens to a run that could not answer: sleep, fail or expire. The same for the direct and the queued path."""

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from shared.answering.end_turn import TurnEnding
from shared.answering.runs import Deferred, Publish
from shared.capacity.waiting_room import Appointment, WaitingRoom
from shared.errors import DeadlineExceeded, ModelFailed, SpillwayError
from shared.events import News, TurnMessage
from shared.policies.deferral import defer
from shared.policies.limits import faults_used_up
from shared.ports import Clock, LaneQueues, TurnStore
from shared.telemetry import log
from shared.telemetry.facts import Subject, TurnDeferred, TurnEnded
from shared.telemetry.observer import SILENT, Observer
from shared.turns import State, Turn

EARLY_SECONDS, HOLD_SECONDS = 1.0, 1.0
"""A turn that woke so much too soon is held for a moment, or it would go round in a circle while clocks disagree."""


class Deferrals:
    """Puts turns back to sleep in their lane."""

    def __init__(
        self,
        *,
        store: TurnStore,
        queues: LaneQueues,
        ending: TurnEnding,
        waiting_room: WaitingRoom,
        clock: Clock,
        max_runs: int,
        draw: Callable[[], float] = random.random,
        observer: Observer = SILENT,
    ) -> None:
        """Takes what it works with; `draw` gives random numbers in [0, 1)."""
        self._observer, self._waiting_room = observer, waiting_room
        self._store, self._queues, self._ending, self._clock = store, queues, ending, clock
        self._max_runs, self._draw = max_runs, draw

    async def settle(self, turn: Turn, deferred: Deferred, publish: Publish) -> SpillwayError | None:
        """Ends the run of a turn this instance holds.

        Returns:
            The error that ended the turn for good, or None when it sleeps (or another run took over).

        Raises:
            Unavailable: The store or the queue did not answer; the turn stays held until its lease lapses.
        """
        if deferred.faulted and faults_used_up(faults=turn.faults, max_runs=self._max_runs):
            return (await self._ending.fail(_tried(turn, deferred), ModelFailed(), publish)).error
        appointment = await self._appointment(turn, deferred)
        decision = defer(
            now=self._clock.now(),
            wait_seconds=deferred.wait_seconds if appointment is None else appointment.wait_seconds,
            copies=turn.copies,
            deadline_at=turn.deadline_at,
            # Those who stand in line are spread by their places.
            draw=self._draw() if appointment is None or appointment.ticket is None else 0.0,
        )
        if decision.until is None:
            return await self._expire(_tried(turn, deferred), publish)
        if (turn.deferred_until or 0.0) - self._clock.now() > EARLY_SECONDS:
            await self._clock.sleep(HOLD_SECONDS)
        await self._sleep(turn, deferred, decision.until, appointment, publish)
        return None

    async def _appointment(self, turn: Turn, deferred: Deferred) -> Appointment | None:
        if deferred.want is None:
            return None
        return await self._waiting_room.return_to(turn, deferred.want, at_least_seconds=deferred.wait_seconds)

    async def _sleep(
        self, turn: Turn, deferred: Deferred, until: float, appointment: Appointment | None, publish: Publish
    ) -> None:
        now = self._clock.now()
        kept = {} if appointment is None else appointment.fields(now)
        fields: dict[str, Any] = {
            "deferred_until": until,
            "copies": turn.copies + 1,
            "faults": turn.faults + (1 if deferred.faulted else 0),
            "attempts": [*turn.attempts, *deferred.attempts],
            **kept,
        }
        if not await self._store.finish(turn.turn_id, run=turn.run, state=State.DEFERRED, fields=fields):
            return
        message = TurnMessage(
            turn.turn_id,
            turn.lane,
            f"r{turn.copies + 1}",
            turn.deadline_at,
            now,
            turn.reply_to,
            ticket=kept.get("ticket", turn.ticket),
            model=None if deferred.want is None else deferred.want.model,
        )
        await self._queues.send(message, time_to_live_seconds=turn.deadline_at - now, not_before=until)
        log.info("defer_turn", turn_id=turn.turn_id, lane=turn.lane.value, seconds=round(until - now, 2))
        self._observer.tell(TurnDeferred(Subject.of(turn), until - now, faulted=deferred.faulted))
        place = 1 if appointment is None else appointment.place
        details = {"place": place, "expected_wait_seconds": round(until - now, 1)}
        publish(News(turn.turn_id, turn.run, 0, "", State.DEFERRED.value, details))

    async def _expire(self, turn: Turn, publish: Publish) -> SpillwayError:
        error = DeadlineExceeded(turn_id=turn.turn_id)
        fields = {"error": error.as_dict(), "attempts": list(turn.attempts)}
        if await self._store.finish(turn.turn_id, run=turn.run, state=State.EXPIRED, fields=fields):
            publish(News(turn.turn_id, turn.run, 0, "", State.EXPIRED.value, {"error": error.as_dict()}))
            self._observer.tell(TurnEnded.of(turn, State.EXPIRED, self._clock.now(), code=error.code))
        return error


def _tried(turn: Turn, deferred: Deferred) -> Turn:
    return dataclasses.replace(turn, attempts=(*turn.attempts, *deferred.attempts))
