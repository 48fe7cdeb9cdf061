"""A deployment that failed is asked by one call whether it is back, however many turns come at that moment."""

import asyncio
import dataclasses

from shared.capacity.capacity import Want
from shared.policies.breaker import OPEN_SECONDS
from shared.policies.classify import Cause, Outcome, Verdict
from shared.settings import Tier
from shared.turns import Lane
from tests.unit.fleet import DEPLOYMENT, Queueing

POOL = (dataclasses.replace(DEPLOYMENT, name="a", tier=Tier.PROVISIONED), dataclasses.replace(DEPLOYMENT, name="b"))
FAULT = Verdict(Outcome.IGNORED, Cause.SERVER_FAULT, retryable=True)


async def test_of_many_turns_that_come_when_a_failed_deployment_may_be_asked_again_one_asks() -> None:
    queueing = Queueing(1, POOL)
    capacity, names = queueing.offices[0].capacity, list[str | None]()

    async def ask() -> None:
        choice = await capacity.acquire(Want("m", Lane.INTERACTIVE, "t", 400))
        names.append(choice.name)

    async def storm(queueing: Queueing) -> None:
        for _ in range(3):
            capacity.refused("a", FAULT, epoch=capacity.epoch("a"))
        await queueing.clock.sleep(OPEN_SECONDS + 0.6)
        await asyncio.gather(*(ask() for _ in range(12)))

    await queueing.run(60, storm)

    assert names.count("a") == 1
    assert len(names) == 12
