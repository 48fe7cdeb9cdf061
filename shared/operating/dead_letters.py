"""Dead letters: what could not be answered, for operators to look at and to replay."""

import dataclasses
from typing import Any

from shared.events import TurnMessage
from shared.instants import instant
from shared.ports import Clock, LaneQueues, TurnStore
from shared.settings import Settings
from shared.telemetry import log
from shared.turns import Lane, State, Turn, replay_turn_id

PAGE = 100


class DeadLetters:
    """Lists and replays. A replay is a new turn with the old question, because a turn that is over stays over."""

    def __init__(self, *, settings: Settings, store: TurnStore, queues: LaneQueues, clock: Clock) -> None:
        """Takes what it works with."""
        self._settings, self._store, self._queues, self._clock = settings, store, queues, clock

    async def page(self, lane: Lane, *, limit: int = PAGE, after: int = 0) -> list[dict[str, Any]]:
        """Dead letters of a lane in order of sequence number, with the state of their turns."""
        letters = await self._queues.peek_dead_letters(lane, limit, after)
        return [letter | await self._turn_view(letter["turn_id"]) for letter in letters]

    async def _turn_view(self, turn_id: str | None) -> dict[str, Any]:
        turn = None if turn_id is None else await self._store.get(turn_id)
        if turn is None:
            return {"turn_state": None}
        return {"turn_state": turn.state.value, "tenant": turn.tenant, "created_at": instant(turn.created_at)}

    async def replay(
        self, lane: Lane, *, sequence_numbers: list[int] | None, reason: str | None
    ) -> list[dict[str, Any]]:
        """Replays the chosen dead letters: each gives one new turn however often it is asked for.

        Returns:
            For each letter its sequence_number, turn_id and replayed_as (None when its turn is gone).
        """
        replayed: list[dict[str, Any]] = []
        after = 0
        while letters := await self._queues.peek_dead_letters(lane, PAGE, after):
            after = letters[-1]["sequence_number"]
            chosen = [letter for letter in letters if _is_chosen(letter, sequence_numbers, reason)]
            replayed += [letter | {"replayed_as": await self._again(letter["turn_id"])} for letter in chosen]
        await self._queues.remove_dead_letters(lane, [letter["sequence_number"] for letter in replayed])
        return [{name: letter[name] for name in ("sequence_number", "turn_id", "replayed_as")} for letter in replayed]

    async def _again(self, turn_id: str | None) -> str | None:
        turn = None if turn_id is None else await self._store.get(turn_id)
        if turn is None:
            return None
        replay = self._replay_of(turn)
        await self._store.create(replay)
        message = TurnMessage(replay.turn_id, replay.lane, "", replay.deadline_at, replay.created_at)
        await self._queues.send(message, time_to_live_seconds=replay.deadline_at - replay.created_at)
        await self._store.mark_queued(replay.turn_id)
        log.info("replay_turn", turn_id=turn.turn_id, replayed_as=replay.turn_id)
        return replay.turn_id

    def _replay_of(self, turn: Turn) -> Turn:
        now = self._clock.now()
        return dataclasses.replace(
            turn,
            turn_id=replay_turn_id(turn.turn_id),
            replay_of=turn.turn_id,
            state=State.ACCEPTED,
            path="queued",
            created_at=now,
            deadline_at=now + self._settings.lane_deadline_seconds[turn.lane.value],
            run=0,
            copies=0,
            faults=0,
            owner=None,
            lease_until=0.0,
            deferred_until=None,
            answer="",
            cached=None,
            attempts=(),
            error=None,
            timeline=None,
            reply_to=None,
            rating=None,
        )


def _is_chosen(letter: dict[str, Any], sequence_numbers: list[int] | None, reason: str | None) -> bool:
    if sequence_numbers is not None and letter["sequence_number"] not in sequence_numbers:
        return False
    return reason is None or letter["reason"] == reason
