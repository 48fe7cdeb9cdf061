"""Finds turns that nobody drives any more and gives them a driver, or their end."""

from shared.errors import DeadlineExceeded, ModelFailed
from shared.events import TurnMessage
from shared.policies.limits import crashed_too_often
from shared.ports import Clock, LaneQueues, TurnStore
from shared.telemetry import log
from shared.turns import State, Turn

ACCEPTED_SECONDS = 15.0
"""An accepted turn whose message the queue has not confirmed after this was left by its instance."""

WOKEN_SECONDS = 60.0
"""A deferred turn that should have woken this long ago has lost its message."""


class Sweeper:
    """Run by a timer. Running it twice, or on two instances, does no harm: the state check absorbs doubles."""

    def __init__(self, *, store: TurnStore, queues: LaneQueues, clock: Clock, max_runs: int) -> None:
        """Takes what it works with."""
        self._store, self._queues, self._clock, self._max_runs = store, queues, clock, max_runs

    async def sweep(self) -> int:
        """Deals with every stale turn; how many there were.

        Raises:
            Unavailable: The store or the queue does not answer.
        """
        now = self._clock.now()
        count = 0
        stale = self._store.stale(now, accepted_before=now - ACCEPTED_SECONDS, woken_before=now - WOKEN_SECONDS)
        async for turn in stale:
            await self._deal_with(turn, now)
            count += 1
        return count

    async def _deal_with(self, turn: Turn, now: float) -> None:
        if turn.deadline_at <= now:
            error = DeadlineExceeded(turn_id=turn.turn_id).as_dict()
            await self._store.end_waiting(turn.turn_id, now=now, state=State.EXPIRED, fields={"error": error})
            log.info("expire_turn", turn_id=turn.turn_id, state=turn.state.value)
        elif crashed_too_often(run=turn.run + 1, copies=turn.copies, max_runs=self._max_runs):
            error = ModelFailed(turn_id=turn.turn_id).as_dict()
            await self._store.end_waiting(turn.turn_id, now=now, state=State.FAILED, fields={"error": error})
            log.warning("give_up_turn", turn_id=turn.turn_id, run=turn.run)
        else:
            await self._queue_again(turn, now)

    async def _queue_again(self, turn: Turn, now: float) -> None:
        """The message's id names the run, so that one already on its way for the same reason is not doubled."""
        message = TurnMessage(turn.turn_id, turn.lane, f"s{turn.run}", turn.deadline_at, now, turn.reply_to)
        await self._queues.send(message, time_to_live_seconds=turn.deadline_at - now)
        if turn.state is State.ACCEPTED:
            await self._store.mark_queued(turn.turn_id)
        log.info("rescue_turn", turn_id=turn.turn_id, state=turn.state.value, run=turn.run)
