"""The loads that are simulated, at any size."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.simulation.assumptions import Assumptions
from bench.simulation.plan import Phase, Plan, Trouble

BUSY = 0.8
"""Part of the quota that the steady load takes; the quota follows from it."""
THIRD = 1 / 3
REQUESTS_PER_THOUSAND_TOKENS = 1
"""Azure's quota for the newer models; learn.microsoft.com, "Azure OpenAI quotas and limits"."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the fleet is.

    Attributes:
        turns_per_minute: In the busiest phase.
        minutes: How long the steady load lasts.
    """

    instances: int = 1000
    pools: int = 10
    deployments: int = 50
    turns_per_minute: float = 1_000_000
    minutes: float = 10.0
    seed: int = 1
    network: str = "azure"
    reads_first: bool = False


def steady(size: Size, assumed: Assumptions) -> Plan:
    """An even load at 80 % of the quota."""
    return _plan("steady", size, assumed, (Phase(size.minutes * 60, size.turns_per_minute),), share=BUSY)


def surge(size: Size, assumed: Assumptions) -> Plan:
    """A thousandth of the load, then all of it for a minute at quota for a third, then drain."""
    phases = (Phase(60, size.turns_per_minute / 1000), Phase(60, size.turns_per_minute))
    return _plan("surge", size, assumed, phases, share=1 / THIRD, drain=240)


def limits_cut(size: Size, assumed: Assumptions) -> Plan:
    """All limits at half for 30 s under a load of 80 %."""
    phases = (Phase(150, size.turns_per_minute),)
    trouble = Trouble(75, 105, factor=0.5)
    return _plan("limits-cut", size, assumed, phases, share=BUSY, troubles=(trouble,), drain=60)


def region_gone(size: Size, assumed: Assumptions) -> Plan:
    """A third of the deployments answers 503 for a minute under a load of 80 %."""
    phases = (Phase(180, size.turns_per_minute),)
    trouble = Trouble(75, 135, every=3, gone=True)
    return _plan("region-gone", size, assumed, phases, share=BUSY, troubles=(trouble,), drain=60)


def _plan(
    shape: str,
    size: Size,
    assumed: Assumptions,
    phases: tuple[Phase, ...],
    *,
    share: float,
    troubles: tuple[Trouble, ...] = (),
    drain: float = 0.0,
) -> Plan:
    turns = assumed.turns
    tokens = size.turns_per_minute * turns.estimate / share / size.deployments
    return Plan(
        shape=shape,
        instances=size.instances,
        pools=size.pools,
        deployments=size.deployments,
        tokens_per_minute=round(tokens),
        requests_per_minute=round(tokens / 1000 * REQUESTS_PER_THOUSAND_TOKENS),
        phases=phases,
        estimate=turns.estimate,
        spread=turns.spread,
        answer_tokens=turns.answer_tokens,
        troubles=troubles,
        drain_seconds=drain,
        tenants=turns.tenants,
        network=size.network,
        seed=size.seed,
        reads_first=size.reads_first,
        first_token_seconds=assumed.answers.first_token_seconds,
        between_tokens_seconds=assumed.answers.between_tokens_seconds,
    )


SHAPES: Mapping[str, Callable[[Size, Assumptions], Plan]] = {
    "steady": steady,
    "surge": surge,
    "limits-cut": limits_cut,
    "region-gone": region_gone,
}
