"""Turns that sleep do not wake in a circle."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from shared.answering.deferrals import Deferrals
from shared.answering.runs import Deferred
from shared.events import TurnMessage
from tests.unit.fleet import VirtualClock
from tests.unit.samples import a_turn

ANY: Any = None


@dataclass
class Lane:
    """Takes messages and notes when they were sent."""

    clock: VirtualClock
    sent_at: list[float] = field(default_factory=list)

    async def send(
        self, _message: TurnMessage, *, time_to_live_seconds: float, not_before: float | None = None
    ) -> None:
        assert time_to_live_seconds > 0
        assert not_before is not None
        self.sent_at.append(self.clock.time)


class Store:
    """Lets every run end."""

    async def finish(self, *_arguments: Any, **_fields: Any) -> bool:
        return True


async def _sent_after(*, deferred_until: float | None) -> float:
    clock = VirtualClock()
    began, lane = clock.time, Lane(clock)
    deferrals = Deferrals(
        store=Store(),  # type: ignore[arg-type]
        queues=lane,  # type: ignore[arg-type]
        ending=ANY,
        waiting_room=ANY,
        clock=clock,
        max_runs=5,
        draw=lambda: 0.0,
    )
    until = None if deferred_until is None else began + deferred_until
    turn = a_turn(run=3, copies=2, created_at=began - 60, deadline_at=began + 240, deferred_until=until)
    settling = asyncio.create_task(
        deferrals.settle(turn, Deferred(10.0, faulted=False, attempts=[]), lambda _news: None)
    )
    await clock.run_until(began + 5)
    assert await settling is None
    return lane.sent_at[0] - began


async def test_a_turn_that_woke_long_before_its_time_is_held_before_it_sleeps_again() -> None:
    assert await _sent_after(deferred_until=15.0) >= 1.0


async def test_a_turn_that_woke_in_time_sleeps_again_at_once() -> None:
    assert await _sent_after(deferred_until=0.0) == 0.0
    assert await _sent_after(deferred_until=None) == 0.0
