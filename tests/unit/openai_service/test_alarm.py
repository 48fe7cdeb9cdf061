"""The simulator's clockwork: nobody is woken early, everybody is woken in order, and one who leaves holds nobody up."""

import asyncio
import time

import pytest

from local.openai import alarm as module
from local.openai.alarm import Alarm

OFFSETS = (0.0031, 0.0004, 0.0104, 0.0036, 0.0, 0.0075)


async def _woken(alarm: Alarm, began: float, offset: float, order: list[float]) -> float:
    waiter = asyncio.get_running_loop().create_future()
    alarm.at(began + offset, waiter)
    await waiter
    order.append(offset)
    return time.monotonic() - began - offset


async def _all_woken() -> list[float]:
    alarm, order = Alarm(), list[float]()
    began = time.monotonic()
    late = await asyncio.gather(*(_woken(alarm, began, offset, order) for offset in OFFSETS))
    assert order == sorted(OFFSETS)
    return late


def test_everybody_is_woken_in_order_and_nobody_early() -> None:
    assert min(asyncio.run(_all_woken())) >= 0


def test_without_the_exact_timer_the_loop_wakes_everybody_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_exact", lambda _ring: None)

    assert min(asyncio.run(_all_woken())) >= 0


def test_one_who_left_does_not_keep_the_next_from_being_woken() -> None:
    async def scenario() -> None:
        alarm, loop = Alarm(), asyncio.get_running_loop()
        gone, stays = loop.create_future(), loop.create_future()
        began = time.monotonic()
        alarm.at(began + 0.001, gone)
        gone.cancel()
        alarm.at(began + 0.003, stays)
        await stays
        assert time.monotonic() >= began + 0.003

    asyncio.run(scenario())


def test_an_earlier_time_told_later_is_not_waited_for_behind_the_first() -> None:
    async def scenario() -> list[str]:
        alarm, loop, order = Alarm(), asyncio.get_running_loop(), list[str]()
        late, soon = loop.create_future(), loop.create_future()
        late.add_done_callback(lambda _: order.append("late"))
        soon.add_done_callback(lambda _: order.append("soon"))
        began = time.monotonic()
        alarm.at(began + 0.02, late)
        alarm.at(began + 0.001, soon)
        await asyncio.gather(late, soon)
        return order

    assert asyncio.run(scenario()) == ["soon", "late"]
