"""The queued path: one lane message, one run of its turn. Returning completes the message, raising gives it back."""

import dataclasses
import random
from collections.abc import Callable

from shared.answering.deferrals import Deferrals
from shared.answering.end_turn import TurnEnding
from shared.answering.relay import RelayOutbox
from shared.answering.run_turn import TurnRunner
from shared.answering.runs import Deferred, Publish
from shared.capacity.usher import Usher
from shared.capacity.waiting_room import WaitingRoom
from shared.errors import DeadlineExceeded, ModelFailed, Unavailable
from shared.events import News, TurnMessage
from shared.operating.operations import Switches
from shared.policies.deferral import head_start_seconds
from shared.policies.limits import crashed_too_often
from shared.policies.line import ticket_of
from shared.ports import Clock, LaneQueues, TurnStore
from shared.settings import Settings
from shared.telemetry import log
from shared.telemetry.facts import MessageGivenUp, RunStarted, Subject
from shared.telemetry.observer import SILENT, Observer, settled
from shared.timelines.join_timelines import continued
from shared.timelines.timeline import Timeline
from shared.turns import State, Turn

STORE_AWAY_SECONDS = 2.0
EARLY_SECONDS = 1.0
"""A turn that is due within this time waits in the worker, where it costs less than another round through the queue."""
PAUSED_SECONDS, LONGEST_PAUSE_DOUBLINGS = 2.0, 5
"""How long a turn of a paused lane sleeps at first; doubled each time, up to a minute."""


class PoisonedTurn(Exception):
    """The turn failed for good; raising keeps giving its message back until the broker dead-letters it."""


class TurnWorker:
    """Answers turns from the lanes."""

    def __init__(
        self,
        *,
        settings: Settings,
        owner: str,
        store: TurnStore,
        queues: LaneQueues,
        runner: TurnRunner,
        ending: TurnEnding,
        deferrals: Deferrals,
        outbox: RelayOutbox,
        waiting_room: WaitingRoom,
        switches: Switches,
        usher: Usher,
        clock: Clock,
        draw: Callable[[], float] = random.random,
        observer: Observer = SILENT,
    ) -> None:
        """Takes what it works with; `owner` names this instance."""
        self._observer, self._waiting_room, self._switches = observer, waiting_room, switches
        self._usher = usher
        self._settings, self._owner, self._store, self._queues = settings, owner, store, queues
        self._runner, self._ending, self._deferrals, self._outbox = runner, ending, deferrals, outbox
        self._clock, self._draw = clock, draw

    async def answer(self, message: TurnMessage, timeline: Timeline | None = None) -> None:
        """Takes the message's turn, answers it and says so to whoever waits.

        Args:
            message: What came from the lane.
            timeline: Begun when it came; now when not given.

        Raises:
            PoisonedTurn: The turn failed for good.
            Unavailable: Neither the store nor the queue answers.
        """
        timeline = timeline or Timeline.begin(self._clock)
        put_off = await self._put_off_seconds(message)
        now = self._clock.now()
        if put_off > EARLY_SECONDS and now + put_off < message.deadline_at:
            await self._again(message, now + put_off - head_start_seconds(put_off))
            return
        try:
            turn = await self._store.take(
                message.turn_id, owner=self._owner, now=now, lease_until=now + self._settings.lease_seconds
            )
            if turn is None:
                await self._not_taken(message)
                return
        except Unavailable:
            log.warning("miss_store", turn_id=message.turn_id, lane=message.lane.value)
            await self._again(message, self._clock.now() + STORE_AWAY_SECONDS * (1 + self._draw()))
            return
        await self._run(turn, message, timeline)

    async def _put_off_seconds(self, message: TurnMessage) -> float:
        """How long the turn has to sleep on: its place in line is not reached, or its lane is paused."""
        if self._switches.pauses(message.lane):
            return float(PAUSED_SECONDS * 2 ** min(message.waits, LONGEST_PAUSE_DOUBLINGS) * (1 + self._draw()))
        ticket = ticket_of(message.ticket)
        if ticket is None or message.model is None:
            return 0.0
        self._usher.attend()
        return await self._waiting_room.due_in_seconds(message.model, ticket)

    async def _run(self, turn: Turn, message: TurnMessage, timeline: Timeline) -> None:
        publish = self._publisher(turn.reply_to or message.reply_to)
        if crashed_too_often(run=turn.run, copies=turn.copies, max_runs=self._settings.max_runs):
            await self._ending.fail(turn, ModelFailed(), publish)
            self._observer.tell(MessageGivenUp(Subject.of(turn)))
            raise PoisonedTurn(turn.turn_id)
        with self._observer.run(self._started(turn, message)) as watched:
            outcome = await self._runner.run(turn, publish, continued(timeline, turn, message))
            if isinstance(outcome, Deferred):
                error = await self._deferrals.settle(turn, outcome, publish)
                watched.outcome(settled(error), error)
                if isinstance(error, ModelFailed):
                    self._observer.tell(MessageGivenUp(Subject.of(turn)))
                    raise PoisonedTurn(turn.turn_id)
            else:
                watched.outcome("lost" if outcome.lost else outcome.state.value, outcome.error)

    def _started(self, turn: Turn, message: TurnMessage) -> RunStarted:
        # A copy sleeps until the time of the deferral; only what comes after is waiting.
        ready_at = max(message.sent_at, turn.deferred_until or 0.0)
        return RunStarted(
            Subject.of(turn),
            turn.run,
            copy=message.copy,
            traceparent=message.traceparent,
            queue_wait_seconds=max(0.0, self._clock.now() - ready_at),
        )

    async def _not_taken(self, message: TurnMessage) -> None:
        turn = await self._store.get(message.turn_id)
        if turn is None:
            log.warning("miss_turn", turn_id=message.turn_id)
        elif turn.state is State.FAILED and (turn.error or {}).get("code") == ModelFailed.code:
            raise PoisonedTurn(turn.turn_id)
        elif turn.state is State.RUNNING and turn.lease_until > self._clock.now():
            await self._again(message, turn.lease_until + STORE_AWAY_SECONDS * self._draw())
        elif not turn.state.terminal and turn.deadline_at <= self._clock.now():
            await self._expire(turn)
        elif not turn.state.terminal:
            # It became free between the two looks.
            await self._again(message, self._clock.now() + STORE_AWAY_SECONDS * self._draw())
        else:
            log.info("absorb_duplicate", turn_id=turn.turn_id, state=turn.state.value)

    async def _expire(self, turn: Turn) -> None:
        error = DeadlineExceeded(turn_id=turn.turn_id).as_dict()
        if await self._store.end_waiting(
            turn.turn_id, now=self._clock.now(), state=State.EXPIRED, fields={"error": error}
        ):
            self._publisher(turn.reply_to)(News(turn.turn_id, turn.run, 0, "", State.EXPIRED.value, {"error": error}))

    async def _again(self, message: TurnMessage, not_before: float) -> None:
        """Sends a copy for later, so that no worker slot is held by a turn that cannot go on now."""
        now = self._clock.now()
        left = message.deadline_at - now
        if left <= 0:
            return
        copy = dataclasses.replace(message, sent_at=now, waits=message.waits + 1)
        await self._queues.send(copy, time_to_live_seconds=left, not_before=not_before)

    def _publisher(self, reply_to: str | None) -> Publish:
        if reply_to is None:
            return lambda _news: None
        return lambda news: self._outbox.add(reply_to, news)
