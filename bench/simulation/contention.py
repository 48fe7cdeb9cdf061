"""How many instances can share an account: the same load on one pool, shared by more and more instances."""

from dataclasses import replace
from typing import Any

from bench.simulation import assumptions
from bench.simulation.figures import MILLION, figures
from bench.simulation.shapes import Size, steady
from bench.simulation.world import play

INSTANCES = (10, 30, 100, 300, 1000)
TURNS_PER_MINUTE, DEPLOYMENTS, MINUTES = 50_000, 5, 1.0


def contention(seed: int, instances: tuple[int, ...] = INSTANCES) -> list[dict[str, Any]]:
    """For each number of instances, with the app's code and with the proposal, what a turn meets at the ledger."""
    assumed, found = assumptions.read(), []
    for count in instances:
        size = Size(count, 1, DEPLOYMENTS, TURNS_PER_MINUTE, MINUTES, seed)
        for reads_first in (False, True):
            plan = steady(replace(size, reads_first=reads_first), assumed)
            tally, _, _ = play(plan)
            result = figures(plan, tally, assumed)
            found.append(
                {
                    "instances": count,
                    "reads_first": reads_first,
                    "conflicts_per_turn": round(result["per_million"]["ledger_conflicts"] / MILLION, 3),
                    "ledger_request_units_per_turn": round(result["per_million"]["ledger_request_units"] / MILLION, 2),
                    "given_up": result["ledger"]["account"]["given_up"],
                    "wait_interactive_p95": result["wait_s"]["interactive"]["p95"],
                }
            )
    return found
