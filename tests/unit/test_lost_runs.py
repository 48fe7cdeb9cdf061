"""A run whose turn ended otherwise leaves no answer in the conversation."""

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.answering.end_turn import TurnEnding
from shared.answering.run_turn import TurnRunner
from shared.answering.runs import Ended, Origin, Run
from shared.ports import SessionStore, TurnStore
from shared.timelines.timeline import Timeline
from shared.turns import Lane, Message, State, Turn

TURN = Turn("t", "contoso", "talk", Lane.INTERACTIVE, (Message("user", "Hello?"),), 0.0, 100.0, State.RUNNING, run=1)


class Store:
    """Holds a turn as another one has ended it, or a run that has taken over."""

    def __init__(self, kept: Turn | None) -> None:
        self.kept = kept

    async def finish(self, turn_id: str, **_: Any) -> bool:
        return False

    async def get(self, turn_id: str) -> Turn | None:
        return self.kept


class Sessions:
    def __init__(self) -> None:
        self.written = asyncio.Event()
        self.entries: dict[str, tuple[State, str]] = {}

    async def append(self, turn: Turn, *, final: bool = False) -> None:
        self.entries[turn.turn_id] = (turn.state, turn.answer)


CLOCK: Any = SimpleNamespace(now=lambda: 1.0, monotonic=lambda: 1.0)
ORIGIN = Origin([], "m", "d")


def ending(store: Store, sessions: Sessions) -> TurnEnding:
    return TurnEnding(store=cast(TurnStore, store), sessions=cast(SessionStore, sessions), clock=CLOCK)


def made(store: Store, sessions: Sessions) -> TurnRunner:
    unused: Any = None
    return TurnRunner(
        settings=unused,
        store=cast(TurnStore, store),
        ending=ending(store, sessions),
        context=unused,
        attempts=unused,
        counter=unused,
        clock=CLOCK,
    )


async def answered(store: Store, sessions: Sessions) -> Ended:
    """How a run ends that has the whole answer when somebody else has already ended its turn, or taken it over."""
    run = Run(TURN, lambda _: None, Timeline.begin(CLOCK), None, parts=["An answer."])
    return await ending(store, sessions).succeed(run, ORIGIN)


@pytest.mark.parametrize("other", [State.CANCELLED, State.EXPIRED])
async def test_a_turn_that_was_ended_while_it_was_answered_is_not_answered_in_its_conversation(other: State) -> None:
    sessions = Sessions()
    ended = await answered(Store(dataclasses.replace(TURN, state=other)), sessions)

    assert ended.lost
    assert sessions.entries == {"t": (other, "")}


async def test_the_answer_of_the_run_that_was_counted_stays_in_the_conversation() -> None:
    sessions = Sessions()
    await answered(Store(dataclasses.replace(TURN, state=State.SUCCEEDED, answer="Another one.")), sessions)

    assert sessions.entries == {"t": (State.SUCCEEDED, "Another one.")}


async def test_a_turn_that_another_run_still_answers_is_left_to_that_run() -> None:
    sessions = Sessions()
    await answered(Store(dataclasses.replace(TURN, run=2)), sessions)

    assert sessions.entries == {"t": (State.SUCCEEDED, "An answer.")}


async def test_a_run_that_loses_its_turn_while_it_writes_the_conversation_takes_that_back() -> None:
    class Slow(Sessions):
        async def append(self, turn: Turn, *, final: bool = False) -> None:
            await super().append(turn)
            self.written.set()
            if turn.state is State.SUCCEEDED:
                # The write has arrived, and its answer is long in coming.
                await asyncio.Event().wait()

    sessions = Slow()
    runner: Any = made(Store(dataclasses.replace(TURN, state=State.CANCELLED)), sessions)

    async def answer(run: Run) -> Ended:
        run.add("An answer.")
        return await runner._ending.succeed(run, ORIGIN)

    async def lost(run: Run) -> None:
        await sessions.written.wait()

    runner._answer, runner._keep_lease = answer, lost
    ended = await runner.run(TURN, lambda _: None, Timeline.begin(CLOCK))

    assert ended.lost
    assert sessions.entries == {"t": (State.CANCELLED, "")}
