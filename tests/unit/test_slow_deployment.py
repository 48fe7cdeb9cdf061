"""Thousands of calls in virtual time while one of three deployments is slow on a tenth of its calls."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from shared.capacity.attempts import Attempts
from shared.capacity.capacity import Capacity
from shared.operating.operations import Switches
from shared.ports import Chunk, ModelRequest, ModelStream
from shared.settings import Deployment, Tier
from shared.turns import Message
from tests.unit.fleet import MemoryLedger, VirtualClock
from tests.unit.samples import a_turn

MEDIAN, SPREAD = 0.2, 0.2
SLOW_SHARE, SLOW_SECONDS = 0.1, 8.0
PROMPT, ANSWER = 60, 200
LIMIT = 160_000
PHASE_SECONDS = 120.0


@dataclass
class Stream:
    """An answer whose first token takes a drawn time."""

    clock: VirtualClock
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        await self.clock.sleep(self.seconds)
        yield Chunk("answer")

    async def close(self) -> None:
        return


@dataclass
class Service:
    """Three deployments with log-normal first tokens. `asked` counts the calls of each."""

    clock: VirtualClock
    slow: str | None = None
    draw: random.Random = field(default_factory=lambda: random.Random(5))
    asked: dict[str, int] = field(default_factory=dict)

    async def open(self, deployment: Deployment, request: ModelRequest) -> ModelStream:
        name = deployment.name
        self.asked[name] = self.asked.get(name, 0) + 1
        seconds = MEDIAN * math.exp(self.draw.gauss(0.0, SPREAD))
        if name == self.slow and self.draw.random() < SLOW_SHARE:
            seconds += SLOW_SECONDS
        return Stream(self.clock, seconds)


@dataclass
class Phase:
    """What callers saw, and what was asked of the service. Times in seconds."""

    waits: list[float] = field(default_factory=list)
    calls: int = 0

    @property
    def p99(self) -> float:
        return sorted(self.waits)[math.ceil(0.99 * len(self.waits)) - 1]

    @property
    def extra_share(self) -> float:
        """Tokens of calls whose answer nobody got, of all. All calls are charged alike, as at admission."""
        return 1 - len(self.waits) / self.calls


class Fleet:
    """Instances that share a ledger and call the service, each by its own experience."""

    def __init__(self, *, instances: int, tiers: tuple[Tier, ...]) -> None:
        random.seed(1)
        self.clock = VirtualClock()
        ledger = MemoryLedger(self.clock)
        self.service = Service(self.clock)
        self.capacities = [
            Capacity(
                [
                    Deployment(
                        name,
                        "m",
                        "http://127.0.0.1:1/",
                        name,
                        tier=tier,
                        tokens_per_minute=LIMIT,
                        requests_per_minute=6000,
                    )
                    for name, tier in zip("abc", tiers, strict=True)
                ],
                ledger=ledger,
                clock=self.clock,
                share=1 / instances,
                switches=Switches(ledger, self.clock),
            )
            for _ in range(instances)
        ]
        self.attempts = [
            Attempts(models=self.service, capacity=capacity, clock=self.clock) for capacity in self.capacities
        ]
        self.draw = random.Random(3)

    async def phase(self, *, per_minute: float, slow: str | None = None) -> Phase:
        phase, before = Phase(), sum(self.service.asked.values())
        self.service.slow = slow
        ends, turns = self.clock.time + PHASE_SECONDS, list[asyncio.Task[None]]()
        while self.clock.time < ends:
            turns.append(asyncio.create_task(self._turn(phase)))
            await self.clock.run_until(self.clock.time + self.draw.expovariate(per_minute / 60))
        await self.clock.run_until(self.clock.time + 2 * SLOW_SECONDS)
        await asyncio.gather(*turns)
        await asyncio.gather(*(capacity.close() for capacity in self.capacities))
        phase.calls = sum(self.service.asked.values()) - before
        return phase

    async def _turn(self, phase: Phase) -> None:
        began = self.clock.monotonic()
        answering = await self.draw.choice(self.attempts).first_token(
            a_turn(created_at=began), [Message("user", "?")], model="m", prompt_tokens=PROMPT, max_output_tokens=ANSWER
        )
        phase.waits.append(self.clock.monotonic() - began)
        await answering.stream.close()


STANDARD = (Tier.STANDARD,) * 3


@pytest.mark.parametrize(
    ("slow", "tiers", "instances", "per_minute"),
    [
        ("a", STANDARD, 2, 900),
        ("b", STANDARD, 4, 600),
        ("a", (Tier.PROVISIONED, Tier.STANDARD, Tier.STANDARD), 2, 600),
    ],
)
async def test_one_slow_deployment_of_three_is_hardly_noticed_and_costs_hardly_anything(
    slow: str, tiers: tuple[Tier, ...], instances: int, per_minute: float
) -> None:
    fleet = Fleet(instances=instances, tiers=tiers)
    healthy = await fleet.phase(per_minute=per_minute)
    sick = await fleet.phase(per_minute=per_minute, slow=slow)

    assert sick.p99 <= 1.5 * healthy.p99
    assert sum(wait > SLOW_SECONDS for wait in sick.waits) <= 0.002 * len(sick.waits)
    assert sick.extra_share <= 0.02
    assert healthy.extra_share <= 0.02


async def test_a_deployment_that_is_well_again_is_used_again() -> None:
    fleet = Fleet(instances=2, tiers=STANDARD)
    await fleet.phase(per_minute=600)
    before = fleet.service.asked["a"]
    sick = await fleet.phase(per_minute=600, slow="a")
    avoided = fleet.service.asked["a"] - before
    before = fleet.service.asked["a"]
    well = await fleet.phase(per_minute=600)

    assert avoided < 0.1 * sick.calls
    assert fleet.service.asked["a"] - before > 0.1 * well.calls
