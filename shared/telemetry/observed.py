"""The app's ports with an observer beside them: what passes through is told, what is done stays the same.

Ends of turns that nobody was running, messages, news and replays are facts of the ports; here each is told in one
place, whichever part of the app caused it.
"""

import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from shared.errors import Unavailable
from shared.events import News, TurnMessage
from shared.ports import Clock, LaneQueues, Relay, TurnStore
from shared.telemetry import log
from shared.telemetry.facts import RelaySent, TurnEnded, TurnRated, TurnReplayed, TurnSwept
from shared.telemetry.observer import Observer
from shared.turns import Lane, State, Turn

RESCUED, EXPIRED, GIVEN_UP = "rescued", "expired", "given_up"


def observed_rating(then: Callable[[Turn, str], None], observer: Observer) -> Callable[[Turn, str], None]:
    """What is done with a rating, with the observer told first."""

    def rated(turn: Turn, rating: str) -> None:
        observer.tell(TurnRated(turn.tenant, turn.lane.value, rating))
        then(turn, rating)

    return rated


class ObservedTurns:
    """A turn store that tells of the turns that end without a run: expired, given up or cancelled.

    Ends of runs are told by the runs, which know more of them.
    """

    def __init__(self, store: TurnStore, observer: Observer, clock: Clock) -> None:
        """Takes the store and who is told."""
        self._store, self._observer, self._clock = store, observer, clock

    async def end_waiting(self, turn_id: str, *, now: float, state: State, fields: Mapping[str, Any]) -> bool:
        """See `shared.ports.TurnStore`."""
        ended = await self._store.end_waiting(turn_id, now=now, state=state, fields=fields)
        if ended:
            await self._tell(turn_id, state)
        return ended

    async def cancel(self, turn_id: str, fields: Mapping[str, Any]) -> bool:
        """See `shared.ports.TurnStore`."""
        cancelled = await self._store.cancel(turn_id, fields)
        if cancelled:
            await self._tell(turn_id, State.CANCELLED)
        return cancelled

    async def _tell(self, turn_id: str, state: State) -> None:
        """Reads the turn, which nothing changes any more; these ends are rare, so the read costs little."""
        try:
            turn = await self._store.get(turn_id)
        except Unavailable:
            log.warning("miss_end", turn_id=turn_id, state=state.value)
            return
        if turn is not None:
            self._observer.tell(TurnEnded.of(turn, state, self._clock.now(), code=(turn.error or {}).get("code")))
            self._ended(turn, state)

    def _ended(self, turn: Turn, state: State) -> None:
        """For those who know why."""

    async def create(self, turn: Turn) -> bool:
        """See `shared.ports.TurnStore`."""
        return await self._store.create(turn)

    async def get(self, turn_id: str) -> Turn | None:
        """See `shared.ports.TurnStore`."""
        return await self._store.get(turn_id)

    async def take(self, turn_id: str, *, owner: str, now: float, lease_until: float) -> Turn | None:
        """See `shared.ports.TurnStore`."""
        return await self._store.take(turn_id, owner=owner, now=now, lease_until=lease_until)

    async def checkpoint(self, turn_id: str, *, run: int, answer: str, lease_until: float) -> bool:
        """See `shared.ports.TurnStore`."""
        return await self._store.checkpoint(turn_id, run=run, answer=answer, lease_until=lease_until)

    async def finish(self, turn_id: str, *, run: int, state: State, fields: Mapping[str, Any]) -> bool:
        """See `shared.ports.TurnStore`."""
        return await self._store.finish(turn_id, run=run, state=state, fields=fields)

    async def mark_queued(self, turn_id: str) -> None:
        """See `shared.ports.TurnStore`."""
        await self._store.mark_queued(turn_id)

    async def rate(self, turn_id: str, rating: str, comment: str | None) -> None:
        """See `shared.ports.TurnStore`."""
        await self._store.rate(turn_id, rating, comment)

    async def retract(self, turn: Turn) -> None:
        """See `shared.ports.TurnStore`."""
        await self._store.retract(turn)

    async def discard(self, turn_id: str) -> None:
        """See `shared.ports.TurnStore`."""
        await self._store.discard(turn_id)

    async def depth(self, lane: Lane) -> int:
        """See `shared.ports.TurnStore`."""
        return await self._store.depth(lane)

    async def asleep(self, lane: Lane, after: float, *, limit: int) -> list[Turn]:
        """See `shared.ports.TurnStore`."""
        return await self._store.asleep(lane, after, limit=limit)

    def stale(self, now: float, *, accepted_before: float, woken_before: float) -> AsyncIterator[Turn]:
        """See `shared.ports.TurnStore`."""
        return self._store.stale(now, accepted_before=accepted_before, woken_before=woken_before)


class SweptTurns(ObservedTurns):
    """The store as the sweeper uses it."""

    def _ended(self, turn: Turn, state: State) -> None:
        outcome = EXPIRED if state is State.EXPIRED else GIVEN_UP
        self._observer.tell(TurnSwept(turn.lane.value, outcome))


class ObservedQueues:
    """Lane queues that send the trace along and tell of replayed dead letters."""

    def __init__(self, queues: LaneQueues, observer: Observer) -> None:
        """Takes the queues and who is told."""
        self._queues, self._observer = queues, observer

    async def send(self, message: TurnMessage, *, time_to_live_seconds: float, not_before: float | None = None) -> None:
        """See `shared.ports.LaneQueues`."""
        if message.traceparent is None:
            message = dataclasses.replace(message, traceparent=self._observer.traceparent())
        await self._queues.send(message, time_to_live_seconds=time_to_live_seconds, not_before=not_before)

    async def peek_dead_letters(self, lane: Lane, limit: int, after: int) -> list[dict[str, Any]]:
        """See `shared.ports.LaneQueues`."""
        return await self._queues.peek_dead_letters(lane, limit, after)

    async def remove_dead_letters(self, lane: Lane, sequence_numbers: Sequence[int]) -> list[int]:
        """See `shared.ports.LaneQueues`. A dead letter is taken out when it has been replayed."""
        removed = await self._queues.remove_dead_letters(lane, sequence_numbers)
        for _ in removed:
            self._observer.tell(TurnReplayed(lane.value))
        return removed


class SweptQueues(ObservedQueues):
    """The queues as the sweeper uses them: what it sends is a turn's rescue."""

    async def send(self, message: TurnMessage, *, time_to_live_seconds: float, not_before: float | None = None) -> None:
        """See `shared.ports.LaneQueues`."""
        await super().send(message, time_to_live_seconds=time_to_live_seconds, not_before=not_before)
        self._observer.tell(TurnSwept(message.lane.value, RESCUED))


class ObservedRelay:
    """A relay that tells how long sending took and what was lost."""

    def __init__(self, relay: Relay, observer: Observer, clock: Clock) -> None:
        """Takes the relay and who is told."""
        self._relay, self._observer, self._clock = relay, observer, clock

    async def send(self, destination: str, news: Sequence[News]) -> None:
        """See `shared.ports.Relay`."""
        began, delivered = self._clock.monotonic(), False
        try:
            await self._relay.send(destination, news)
            delivered = True
        finally:
            self._observer.tell(RelaySent(self._clock.monotonic() - began, delivered=delivered))

    def listen(self, instance: str) -> AsyncIterator[list[News]]:
        """See `shared.ports.Relay`."""
        return self._relay.listen(instance)
