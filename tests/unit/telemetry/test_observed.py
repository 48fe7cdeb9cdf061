"""Ports that are observed do what they did, and each fact is told exactly when it came true."""

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import News, TurnMessage
from shared.telemetry.facts import RelaySent, TurnEnded, TurnReplayed, TurnSwept
from shared.telemetry.observed import ObservedQueues, ObservedRelay, ObservedTurns, SweptQueues, SweptTurns
from shared.telemetry.recorder import Recorder
from shared.turns import Lane, State, Turn
from tests.unit.samples import a_turn

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MESSAGE = TurnMessage("t" * 32, Lane.BATCH, "", 2000.0, 1000.0)


@dataclass
class OneTurn:
    """A store of one turn, as far as ends without a run need one."""

    turn: Turn = field(default_factory=a_turn)
    away: bool = False

    async def _end(self, state: State, fields: Mapping[str, Any]) -> bool:
        if self.turn.state.terminal:
            return False
        self.turn = dataclasses.replace(self.turn, state=state, **fields)
        return True

    async def end_waiting(self, turn_id: str, *, now: float, state: State, fields: Mapping[str, Any]) -> bool:
        return await self._end(state, fields)

    async def cancel(self, turn_id: str, fields: Mapping[str, Any]) -> bool:
        return await self._end(State.CANCELLED, fields)

    async def get(self, turn_id: str) -> Turn:
        if self.away:
            raise Unavailable
        return self.turn


@dataclass
class Queues:
    """Keeps what is sent."""

    sent: list[TurnMessage] = field(default_factory=list)

    async def send(self, message: TurnMessage, *, time_to_live_seconds: float, not_before: float | None = None) -> None:
        self.sent.append(message)

    async def remove_dead_letters(self, lane: Lane, sequence_numbers: Sequence[int]) -> list[int]:
        return list(sequence_numbers)[:1]


@dataclass
class Relay:
    """Sends, or is away."""

    away: bool = False

    async def send(self, destination: str, news: Sequence[News]) -> None:
        if self.away:
            raise Unavailable

    def listen(self, instance: str) -> AsyncIterator[list[News]]:
        raise NotImplementedError


async def test_a_cancelled_turn_is_told_once_however_often_it_is_cancelled() -> None:
    recorder = Recorder()
    store = ObservedTurns(OneTurn(), recorder, SystemClock())  # type: ignore[arg-type]  # as much of a store as is used
    fields = {"error": {"code": "cancelled"}}

    assert await store.cancel("t", fields) is True
    assert await store.cancel("t", fields) is False
    assert [(fact.state, fact.code) for fact in recorder.of(TurnEnded)] == [("cancelled", "cancelled")]


@pytest.mark.parametrize(("state", "outcome"), [(State.EXPIRED, "expired"), (State.FAILED, "given_up")])
async def test_what_the_sweeper_ends_is_told_as_an_end_and_as_swept(state: State, outcome: str) -> None:
    recorder = Recorder()
    store = SweptTurns(OneTurn(), recorder, SystemClock())  # type: ignore[arg-type]  # likewise

    await store.end_waiting("t", now=0, state=state, fields={"error": {"code": "c"}})

    assert [fact.state for fact in recorder.of(TurnEnded)] == [state.value]
    assert [fact.outcome for fact in recorder.of(TurnSwept)] == [outcome]


async def test_an_end_that_cannot_be_read_back_still_stands() -> None:
    recorder = Recorder()
    store = ObservedTurns(OneTurn(away=True), recorder, SystemClock())  # type: ignore[arg-type]  # likewise

    assert await store.cancel("t", {}) is True
    assert recorder.facts == []


async def test_a_message_takes_the_trace_of_its_sender_along_unless_it_has_one() -> None:
    queues, recorder = Queues(), Recorder(parent=PARENT)
    observed = ObservedQueues(queues, recorder)  # type: ignore[arg-type]  # likewise
    other = dataclasses.replace(MESSAGE, traceparent=PARENT.replace("b7", "c7"))

    await observed.send(MESSAGE, time_to_live_seconds=1)
    await observed.send(other, time_to_live_seconds=1)

    assert [message.traceparent for message in queues.sent] == [PARENT, other.traceparent]


async def test_rescues_and_replays_are_told() -> None:
    recorder = Recorder()
    observed = SweptQueues(Queues(), recorder)  # type: ignore[arg-type]  # likewise

    await observed.send(MESSAGE, time_to_live_seconds=1)
    removed = await observed.remove_dead_letters(Lane.BATCH, [4, 5])

    assert removed == [4]
    assert recorder.facts == [TurnSwept("batch", "rescued"), TurnReplayed("batch")]


async def test_news_that_is_lost_is_told_and_still_raises() -> None:
    recorder = Recorder()
    await ObservedRelay(Relay(), recorder, SystemClock()).send("i", [])
    with pytest.raises(Unavailable):
        await ObservedRelay(Relay(away=True), recorder, SystemClock()).send("i", [])

    assert [fact.delivered for fact in recorder.of(RelaySent)] == [True, False]


def test_a_message_of_an_older_version_is_read_and_a_broken_trace_does_not_stop_a_turn() -> None:
    with_trace = dataclasses.replace(MESSAGE, traceparent=PARENT)
    older = MESSAGE.encode().replace(b',"traceparent":null', b"")
    broken = with_trace.encode().replace(PARENT.encode(), b"?" * 55)

    assert b"traceparent" not in older
    assert TurnMessage.decode(with_trace.encode()) == with_trace
    assert TurnMessage.decode(older) == TurnMessage.decode(broken) == MESSAGE
