"""Asks the app a run's question: as a user would, but through the batch lane, so that users never wait for it."""

import hashlib

from shared.answering.accept_turn import TurnAcceptor
from shared.evaluating.runs import EvaluationRun, RunItem, session_of
from shared.ports import Clock, TurnStore
from shared.settings import Settings
from shared.timelines.timeline import Timeline
from shared.turns import Lane, Message, Turn, new_turn_id


class Asking:
    """Makes the turns of runs. The same item always gets the same turn, so asking again changes nothing."""

    def __init__(self, *, settings: Settings, acceptor: TurnAcceptor, turns: TurnStore, clock: Clock) -> None:
        """Takes what it works with."""
        self._settings, self._acceptor, self._turns, self._clock = settings, acceptor, turns, clock

    async def turn(self, run: EvaluationRun, item: RunItem) -> Turn:
        """The turn of an item: as it stands when it was asked before, else accepted now.

        Raises:
            CapacityExhausted: The batch lane takes nothing at the moment.
            Unavailable: The store or the queue does not answer.
        """
        turn_id = turn_id_of(run, item.item_id)
        known = await self._turns.get(turn_id)
        if known is not None:
            return known
        now = self._clock.now()
        turn = Turn(
            turn_id=turn_id,
            tenant=run.tenant,
            session_id=session_of(run.run_id, item.item_id),
            new_session=True,
            lane=Lane.BATCH,
            messages=(Message("user", item.prompt),),
            created_at=now,
            deadline_at=now + self._settings.lane_deadline_seconds[Lane.BATCH.value],
            model=run.model,
            use_context=run.use_context,
            fingerprint=hashlib.sha256(item.prompt.encode()).hexdigest(),
        )
        return (await self._acceptor.accept(turn, waits=False, keyed=True, timeline=Timeline(now))).turn


def turn_id_of(run: EvaluationRun, item_id: str) -> str:
    """The id of an item's turn."""
    return new_turn_id(run.tenant, f"evaluation\0{run.run_id}\0{item_id}")
