"""What turns take at the sizes of docs/sizing.md, for `infra/sizing.py`."""

from typing import Any

from bench.simulation import assumptions
from bench.simulation.figures import MILLION, figures
from bench.simulation.shapes import Size, steady
from bench.simulation.world import play

LOADS = ((10, 1), (100, 1), (1000, 3), (5000, 11))
"""Turns a minute, and instances that carry them."""
MINUTES = 3.0


def sizes(seed: int, loads: tuple[tuple[int, int], ...] = LOADS) -> list[dict[str, Any]]:
    """For each load what a turn takes when it takes 80 % of the quota of one pool."""
    assumed = assumptions.read()
    found = []
    for turns_per_minute, instances in loads:
        minutes = MINUTES if turns_per_minute >= 1000 else 60.0
        deployments = max(1, -(-turns_per_minute // 333))
        size = Size(instances, 1, deployments, turns_per_minute, minutes, seed)
        plan = steady(size, assumed)
        tally, _, _ = play(plan)
        million = figures(plan, tally, assumed)["per_million"]
        queued = max(1e-9, 1 - million["direct_share"])
        ledger = million["ledger_request_units"] / MILLION
        found.append(
            {
                "turns_per_minute": turns_per_minute,
                "instances": instances,
                "queued_share": round(queued, 4),
                "queue_operations": round(million["bus_operations"] / MILLION / queued, 2),
                "direct_request_units": round(assumed.store.direct_turn_units + ledger, 2),
                "queued_request_units": round(assumed.store.queued_turn_units + ledger, 2),
            }
        )
    return found
