"""Several instances on one ledger: never over the quota, hardly under it, and safe when the ledger is away."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.capacity.shared_budget import SharedBudget
from shared.policies.ledger import Ask
from tests.unit.fleet import DEPLOYMENT, LIMIT, MemoryLedger, VirtualClock, most_in_a_window


@dataclass
class Fleet:
    """Instances that call as fast as they are let, and what reached the service."""

    instances: int = 3
    sizes: tuple[int, int] = (200, 1500)
    clock: VirtualClock = field(default_factory=VirtualClock)
    arrivals: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)
        share = 1 / self.instances
        self.budgets = [SharedBudget(DEPLOYMENT, self.ledger, self.clock, share) for _ in range(self.instances)]

    async def callers(self, budget: SharedBudget, seed: int, *, pause: float = 0.0) -> None:
        draw = random.Random(seed)
        while True:
            tokens = draw.randint(*self.sizes)
            while (wait := await budget.acquire(Ask(tokens))) > 0:
                await self.clock.sleep(wait)
            self.arrivals.append((self.clock.now() + draw.random() * 0.1, tokens))
            await self.clock.sleep(pause or 0.01)

    async def run(self, seconds: float, *, callers: int = 3, pause: float = 0.0, at: Any = None) -> None:
        tasks = [
            asyncio.create_task(self.callers(budget, seed * 100 + n, pause=pause))
            for seed, budget in enumerate(self.budgets)
            for n in range(callers)
        ]
        end = self.clock.now() + seconds
        if at is not None:
            tasks.append(asyncio.create_task(at(self)))
        await self.clock.run_until(end)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for budget in self.budgets:
            await budget.close()

    def most_in_a_window(self) -> float:
        return most_in_a_window(self.arrivals)


@pytest.mark.parametrize("instances", [1, 3, 8])
async def test_a_fleet_under_full_load_uses_the_quota_and_never_more(instances: int) -> None:
    fleet = Fleet(instances, (50, 400))
    await fleet.run(300)

    assert fleet.most_in_a_window() <= LIMIT
    assert sum(tokens for _, tokens in fleet.arrivals) >= 0.95 * LIMIT * 5


async def test_ledger_operations_grow_with_instances_and_time_not_with_turns() -> None:
    few, many = Fleet(2, (10, 30)), Fleet(2, (10, 30))
    await few.run(60, callers=1, pause=2.0)
    await many.run(60, callers=20, pause=2.0)

    assert len(many.arrivals) >= 15 * len(few.arrivals)
    assert many.ledger.operations <= 4 * few.ledger.operations


async def test_a_cooled_deployment_is_left_alone_by_every_instance_within_a_second() -> None:
    fleet = Fleet(3)

    async def cool(fleet: Fleet) -> None:
        await fleet.clock.sleep(30)
        fleet.budgets[0].overload(epoch=0, cooling_seconds=20, tokens_per_minute=None)

    start = fleet.clock.now()
    await fleet.run(70, pause=0.5, at=cool)
    late = [at - start for at, _ in fleet.arrivals if 31.2 <= at - start < 50]

    assert late == []
    assert any(at - start > 51 for at, _ in fleet.arrivals)


@pytest.mark.parametrize(("begins", "pause"), [(90, 0.0), (60, 2.0)], ids=["quota-is-used-up", "quota-comes-back"])
async def test_without_the_ledger_each_instance_keeps_to_the_share_it_had(begins: float, pause: float) -> None:
    """What is spent meanwhile is settled when the ledger is back, or the fleet would spend it twice."""
    fleet = Fleet(3)

    async def outage(fleet: Fleet) -> None:
        await fleet.clock.sleep(begins)
        fleet.ledger.away = True
        await fleet.clock.sleep(20)
        fleet.ledger.away = False

    await fleet.run(240, at=outage, pause=pause)

    assert fleet.most_in_a_window() <= 1.05 * LIMIT
    assert sum(tokens for _, tokens in fleet.arrivals) >= 0.9 * LIMIT * 4
    assert not any(budget.degraded for budget in fleet.budgets)


async def test_a_call_larger_than_the_quota_is_told_so_at_once() -> None:
    fleet = Fleet(1)
    waits: list[float] = []

    async def ask(fleet: Fleet) -> None:
        waits.append(await fleet.budgets[0].acquire(Ask(LIMIT + 1)))

    await fleet.run(5, callers=0, at=ask)

    assert waits == [float("inf")]


async def test_a_caller_that_gives_up_does_not_take_the_others_with_it() -> None:
    fleet = Fleet(1)
    waits: list[float] = []

    async def ask(fleet: Fleet) -> None:
        impatient = asyncio.create_task(fleet.budgets[0].acquire(Ask(100)))
        patient = asyncio.create_task(fleet.budgets[0].acquire(Ask(100)))
        await asyncio.sleep(0)
        impatient.cancel()
        waits.append(await patient)

    await fleet.run(5, callers=0, at=ask)

    assert waits == [0.0]
