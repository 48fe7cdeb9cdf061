"""What is simulated: how large the fleet is, what it is asked over time, and what happens to its deployments."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

STEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Phase:
    """Turns a minute of the whole fleet over a stretch of the run."""

    seconds: float
    turns_per_minute: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to deployments for a while.

    Attributes:
        begins, ends: Seconds after the start.
        factor: Part of the tokens a minute that is left; the answers' headers say so.
        every: Which deployments of each pool: 1 for all, 3 for every third, as a region would be.
        gone: They answer 503 instead.
    """

    begins: float
    ends: float
    factor: float = 1.0
    every: int = 1
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Attributes:
        pools: Models, each with its own deployments; every instance serves all of them.
        deployments: Of all pools.
        instances: That share each pool's accounts and line.
        tokens_per_minute, requests_per_minute: Of one deployment.
        drain_seconds: How long the run goes on after the last phase.
        estimate: Mean tokens of a call; `spread` of it either way.
        tenants: Weights of the tenants of a pool.
        asked: The turns of the one pool, when they are given and not drawn.
        reads_first: A proposal, which the app does not do: who does not know the slot reads the account, and patches
            it when another has opened the slot already, instead of replacing it at any rate.
        played: How many of the pools are played, when it is not all; they are alike and share nothing.
    """

    shape: str
    instances: int
    pools: int
    deployments: int
    tokens_per_minute: float
    requests_per_minute: float
    phases: tuple[Phase, ...]
    estimate: float
    spread: float
    answer_tokens: float
    troubles: tuple[Trouble, ...] = ()
    drain_seconds: float = 0.0
    tenants: tuple[float, ...] = (1.0,)
    network: str = "azure"
    seed: int = 1
    first_token_seconds: float = 0.3
    between_tokens_seconds: float = 0.014
    asked: "tuple[Asked, ...]" = ()
    played: int = 0
    reads_first: bool = False

    @property
    def seconds(self) -> float:
        """Length of the run."""
        return sum(phase.seconds for phase in self.phases) + self.drain_seconds

    @property
    def turns(self) -> float:
        """How many are asked on average."""
        return sum(phase.seconds / 60 * phase.turns_per_minute for phase in self.phases)

    @property
    def quota(self) -> float:
        """Tokens a minute of all deployments."""
        return self.tokens_per_minute * self.deployments


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn as it is asked; `at` in seconds after the start."""

    at: float
    rank: int
    tenant: str
    tokens: float


@dataclass(slots=True)
class Arrivals:
    """The turns of one pool, drawn step by step."""

    plan: Plan
    draw: random.Random
    lanes: tuple[float, ...]
    _names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Names the tenants."""
        self._names = [f"tenant-{number}" for number in range(len(self.plan.tenants))]

    def steps(self) -> Iterator[tuple[float, list[Asked]]]:
        """The steps of half a second, each with its turns in order of their times."""
        if self.plan.asked:
            yield 0.0, list(self.plan.asked)
            return
        begin = 0.0
        for phase in self.plan.phases:
            rate = phase.turns_per_minute / 60 / self.plan.pools
            for number in range(int(phase.seconds / STEP_SECONDS)):
                at = begin + number * STEP_SECONDS
                yield at, self._turns(at, rate * STEP_SECONDS)
            begin += phase.seconds

    def _turns(self, begin: float, mean: float) -> list[Asked]:
        draw, plan = self.draw, self.plan
        count = _poisson(draw, mean)
        moments = sorted(begin + draw.random() * STEP_SECONDS for _ in range(count))
        ranks = draw.choices(range(len(self.lanes)), self.lanes, k=count)
        tenants = draw.choices(self._names, plan.tenants, k=count)
        low, high = plan.estimate * (1 - plan.spread), plan.estimate * (1 + plan.spread)
        return [
            Asked(at, rank, tenant, round(draw.uniform(low, high)))
            for at, rank, tenant in zip(moments, ranks, tenants, strict=True)
        ]


def _poisson(draw: random.Random, mean: float) -> int:
    """A Poisson count: exponential gaps for a small mean, the normal approximation from a hundred on."""
    if mean >= 100:
        return max(0, round(draw.gauss(mean, mean**0.5)))
    count, left = 0, mean
    while mean > 0 and (left := left - draw.expovariate(1.0)) > 0:
        count += 1
    return count
