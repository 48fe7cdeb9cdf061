"""A deployment that fails everybody costs the fleet a few calls, not a few calls of each instance."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest

from shared.capacity.capacity import Capacity, Want
from shared.policies.breaker import FAULTS, OPEN_SECONDS
from shared.policies.classify import Cause, Outcome, Verdict
from shared.policies.ledger import PROBE_SECONDS, SLOT_SECONDS
from shared.turns import Lane
from tests.unit.fleet import DEPLOYMENT, Queueing

POOL = tuple(dataclasses.replace(DEPLOYMENT, name=name, tokens_per_minute=600_000) for name in "ab")
FAULT = Verdict(Outcome.IGNORED, Cause.SERVER_FAULT, retryable=True)
GONE_FROM, GONE_SECONDS = 20.0, 30.0


class Region:
    """Callers at every instance, and a deployment that fails all calls for a while, or some of one instance's."""

    def __init__(self, instances: int, fails: Callable[[float, int, str], bool], *, pause: float = 0.2) -> None:
        self.queueing, self.fails, self.pause = Queueing(instances, POOL), fails, pause
        self.calls: list[tuple[float, str, bool]] = []

    async def run(self, seconds: float) -> None:
        callers = [self._caller(number, office.capacity) for number, office in enumerate(self.queueing.offices)]
        await self.queueing.run(seconds, *callers)

    def _caller(self, number: int, capacity: Capacity) -> Callable[[Queueing], Awaitable[None]]:
        want = Want("m", Lane.INTERACTIVE, "t", 40)

        async def call() -> None:
            choice = await capacity.acquire(want)
            if choice.name is not None:
                clock = self.queueing.clock
                moment = clock.now() - self.queueing.start
                failed = self.fails(moment, number, choice.name)
                self.calls.append((moment, choice.name, failed))
                await clock.sleep(0.05)
                if failed:
                    capacity.refused(choice.name, FAULT, epoch=capacity.epoch(choice.name))
                else:
                    capacity.answered(choice.name, 0.05)

        async def calls(queueing: Queueing) -> None:
            under_way = set[asyncio.Task[None]]()
            await queueing.clock.sleep(self.pause * number / len(queueing.offices))
            while True:
                under_way.add(asyncio.create_task(call()))
                await queueing.clock.sleep(self.pause)

        return calls

    def made(self, name: str, begin: float, end: float) -> int:
        return sum(at_name == name and begin <= at < end for at, at_name, _ in self.calls)


def is_gone(at: float, _: int, name: str) -> bool:
    return name == "a" and GONE_FROM <= at < GONE_FROM + GONE_SECONDS


@pytest.mark.parametrize("instances", [2, 10])
async def test_an_outage_costs_each_instance_its_first_calls_at_most_and_the_fleet_one_probe_at_a_time(
    instances: int,
) -> None:
    region = Region(instances, is_gone)
    await region.run(GONE_FROM + GONE_SECONDS + 30)

    opened_by = GONE_FROM + 2.5
    first, probes = region.made("a", GONE_FROM, opened_by), region.made("a", opened_by, GONE_FROM + GONE_SECONDS)
    assert FAULTS <= first <= FAULTS * instances
    assert 1 <= probes <= GONE_SECONDS / OPEN_SECONDS


async def test_after_an_outage_every_instance_calls_again_as_soon_as_one_probe_was_answered() -> None:
    region = Region(4, is_gone)
    await region.run(GONE_FROM + GONE_SECONDS + 30)

    back = GONE_FROM + GONE_SECONDS
    answered = next(at for at, name, failed in region.calls if at >= back and name == "a" and not failed)
    assert answered - back <= OPEN_SECONDS + PROBE_SECONDS
    within = region.made("a", answered, answered + 2 * SLOT_SECONDS)
    assert within > 1


async def test_two_faults_in_a_row_of_one_instance_do_not_stop_a_fleet_that_is_answered() -> None:
    region = Region(20, lambda at, number, name: name == "a" and number == 7 and at >= GONE_FROM, pause=0.1)
    await region.run(GONE_FROM + 20)

    by_others = region.made("a", GONE_FROM, GONE_FROM + 20) / max(1, region.made("a", 0, GONE_FROM))
    assert by_others > 0.8
    assert not any(office.capacity.describe()[0]["cooling_seconds"] for office in region.queueing.offices[:7])
