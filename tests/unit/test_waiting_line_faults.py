"""Whoever waits for the line to be written is told of any fault, and the next edit is carried out."""

import asyncio
from typing import Any

import pytest

from shared.capacity.waiting_line import WaitingLine
from tests.unit.fleet import MemoryLedger, VirtualClock


class Accounts:
    """A pool without deployments that fails once in a way nobody expected."""

    def __init__(self) -> None:
        self.failures: list[Exception] = [KeyError("nobody expected this")]

    def open(self) -> dict[str, Any]:
        return {}

    def all(self) -> dict[str, Any]:
        return {}

    def strangers(self, tenants: Any) -> float:
        return float(not tenants)

    def stamp(self) -> object:
        return 0

    async def look(self, *, older_than_seconds: float) -> None:
        assert older_than_seconds >= 0
        if self.failures:
            raise self.failures.pop()


async def test_a_fault_that_nobody_expected_is_told_to_all_and_the_next_edit_is_carried_out() -> None:
    clock = VirtualClock()
    line = WaitingLine("m", MemoryLedger(clock), clock, Accounts())
    first = [asyncio.create_task(line.promise(5.0, 100.0)) for _ in range(2)]
    await clock.run_until(clock.time + 10)
    for waiting in first:
        with pytest.raises(KeyError):
            await asyncio.wait_for(waiting, 1)

    second = asyncio.create_task(line.promise(5.0, 100.0))
    await clock.run_until(clock.time + 10)

    assert await asyncio.wait_for(second, 1) >= 5.0
    await line.close()
