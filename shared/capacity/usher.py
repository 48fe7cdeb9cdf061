"""Calls sleeping turns forward when the pool has tokens that nobody is awake to take.

Appointments are made from what is known at the time. When a deployment recovers, callers outside the line leave or
turns are cancelled, the pool has more than was expected, and the turns that could use it are asleep in Service Bus.
An extra message wakes the next ones; the one that was scheduled finds its turn answered.
"""

import asyncio

from shared.capacity.capacity import Capacity
from shared.capacity.waiting_line import WaitingLine
from shared.errors import Unavailable
from shared.events import TurnMessage
from shared.policies.line import ticket_of
from shared.ports import Clock, LaneQueues, TurnStore
from shared.telemetry import log
from shared.turns import Lane, Turn

ROUND_SECONDS = 1.0
EARLY_SECONDS = 0.5
"""A turn is called when it is due within this time."""
SOON_SECONDS = 0.25
"""A turn that wakes this soon is not called."""
MOST_CALLED = 200
IDLE_ROUNDS = 5
"""Rounds without anybody in line after which an instance stops looking."""


class Usher:
    """One a process; looks once a second while somebody waits, as far as this instance knows."""

    def __init__(self, *, capacity: Capacity, store: TurnStore, queues: LaneQueues, clock: Clock, model: str) -> None:
        """Takes what it works with; `model` is that of turns that name none."""
        self._capacity, self._store, self._queues, self._clock = capacity, store, queues, clock
        self._model = model
        self._work: asyncio.Task[None] | None = None

    def attend(self) -> None:
        """Somebody waits: look after them from now on."""
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._rounds())

    async def close(self) -> None:
        """Stops."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _rounds(self) -> None:
        idle = 0
        while idle < IDLE_ROUNDS:
            await self._clock.sleep(ROUND_SECONDS)
            busy = False
            for model in self._capacity.models:
                try:
                    busy = await self._round(model) or busy
                except Unavailable:
                    log.warning("miss_round", model=model)
                    busy = True
            idle = 0 if busy else idle + 1

    async def _round(self, model: str) -> bool:
        """Calls those who are due and asleep, when there are tokens for them; whether anybody waits."""
        line = self._capacity.line(model)
        await line.look()
        if not await line.may_call(ROUND_SECONDS):
            return line.anybody
        seen, called = await self._call(model, line)
        if called:
            log.info("call_forward", model=model, turns=called)
        return seen > 0 or line.anybody

    async def _call(self, model: str, line: WaitingLine) -> tuple[int, int]:
        """How many are asleep, of those looked at, and how many were called."""
        now, seen, due = self._clock.now(), 0, list[Turn]()
        for lane in Lane:
            for turn in await self._store.asleep(lane, now + SOON_SECONDS, limit=MOST_CALLED):
                ticket = ticket_of(turn.ticket)
                if ticket is None or (turn.model or self._model) != model:
                    continue
                seen += 1
                if line.due_in_seconds(ticket) <= EARLY_SECONDS:
                    due.append(turn)
        await asyncio.gather(
            *(self._queues.send(_wake(turn, model, now), time_to_live_seconds=turn.deadline_at - now) for turn in due)
        )
        return seen, len(due)


def _wake(turn: Turn, model: str, now: float) -> TurnMessage:
    """The same appointment is called once, whoever calls: the queue drops a message whose id it has seen."""
    copy = f"f{round((turn.due_at or 0.0) * 1000)}"
    return TurnMessage(
        turn.turn_id, turn.lane, copy, turn.deadline_at, now, turn.reply_to, ticket=turn.ticket, model=model
    )
