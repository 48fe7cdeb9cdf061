"""What turns take at the sizes of docs/sizing.md, for `infra/sizing.py`."""

import math
from dataclasses import replace
from typing import Any

from bench.simulation import assumptions
from bench.simulation.figures import MILLION, figures
from bench.simulation.shapes import BUSY, Size, steady
from bench.simulation.world import play

LOADS = ((10, 1), (100, 1), (1000, 3), (5000, 11))
"""Turns a minute, and instances that carry them."""
MINUTES = 3.0
DEPLOYMENT_TOKENS = 1_000_000
"""Quota of a deployment, as in infra/sizing.json."""


def sizes(seed: int, loads: tuple[tuple[int, int], ...] = LOADS) -> list[dict[str, Any]]:
    """For each load what a turn takes in one pool, at no more than 80 % of its quota."""
    assumed = assumptions.read()
    found = []
    for turns_per_minute, instances in loads:
        minutes = MINUTES if turns_per_minute >= 1000 else 60.0
        tokens = turns_per_minute * assumed.turns.estimate / BUSY
        deployments = math.ceil(tokens / DEPLOYMENT_TOKENS)
        size = Size(instances, 1, deployments, turns_per_minute, minutes, seed)
        plan = replace(
            steady(size, assumed), tokens_per_minute=DEPLOYMENT_TOKENS, requests_per_minute=DEPLOYMENT_TOKENS / 1000
        )
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
