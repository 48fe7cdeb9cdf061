"""What an instance opens before a turn needs it, and what happens where that cannot be had."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.events import TurnMessage
from shared.lanes import Lane
from shared.warm_up import LATER_SECONDS, WarmUp
from tests.unit.fleet import VirtualClock


class World:
    """Notes what is opened; the store and the models' token may be out of reach."""

    def __init__(self, *, away: bool = False) -> None:
        self.opened: list[str] = []
        self.away = away
        self.clock = VirtualClock()
        connections: Any = SimpleNamespace(
            open_lane=lambda lane: self.opened.append(lane.value),
            open_relay=lambda: self.opened.append("relay"),
            sign_in_to_models=self._token,
        )
        listener: Any = SimpleNamespace(start=lambda: self.opened.append("listener"))
        store: Any = SimpleNamespace(get=self._read)
        self.warm_up = WarmUp(connections, listener, store, self.clock)

    async def _read(self, _turn_id: str) -> None:
        self.opened.append("store")
        if self.away:
            raise Unavailable("The store does not answer.")

    async def _token(self) -> None:
        self.opened.append("token")
        if self.away:
            raise Unavailable("The identity gives no token for the models.")


def message(reply_to: str | None) -> TurnMessage:
    return TurnMessage("t", Lane.STANDARD, "", 1e10, 1e9, reply_to)


def test_the_links_for_queued_turns_open_once_after_the_first_caller_has_had_the_core_for_a_moment() -> None:
    async def scenario() -> None:
        world = World()
        world.warm_up.for_callers()
        world.warm_up.for_callers()
        start = world.clock.now()
        await world.clock.run_until(start + LATER_SECONDS / 2)
        assert world.opened == []

        await world.clock.run_until(start + 2 * LATER_SECONDS)
        world.warm_up.for_callers()
        assert world.opened == ["interactive", "listener"]
        await world.warm_up.close()

    asyncio.run(scenario())


def test_a_worker_opens_the_way_to_the_caller_where_one_waits() -> None:
    world = World()
    world.warm_up.for_answer(message(reply_to=None))
    assert world.opened == []

    world.warm_up.for_answer(message(reply_to="http-1"))
    assert world.opened == ["relay"]


@pytest.mark.parametrize("away", [False, True])
def test_every_instance_opens_the_store_and_fetches_a_token_and_lives_without(
    away: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> list[str]:
        world = World(away=away)
        world.warm_up.for_all()
        await world.clock.run_until(world.clock.now() + 1)
        await world.warm_up.close()
        return world.opened

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(scenario()) == ["store", "token"]
    assert len(caplog.records) == (2 if away else 0)


def test_closing_stops_what_is_still_under_way() -> None:
    async def scenario() -> list[str]:
        world = World()
        world.warm_up.for_callers()
        await world.warm_up.close()
        await world.clock.run_until(world.clock.now() + 2 * LATER_SECONDS)
        return world.opened

    assert asyncio.run(scenario()) == []
