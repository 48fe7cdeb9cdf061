"""The simulation held against the real stack: the same turns at the same moments, and how far apart the results are."""

import json
import random
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bench.lab import scenario, schedule
from bench.lab.picture import last_minute
from bench.machine import RESULTS
from bench.simulation import assumptions
from bench.simulation.figures import figures
from bench.simulation.plan import Asked, Plan
from bench.simulation.pool import Pool
from bench.simulation.tally import LANES

SPREAD = 0.1
"""Sizes of the questions' estimates differ by about so much."""
FIRST_TOKEN_SECONDS, BETWEEN_TOKENS_SECONDS = 0.15, 0.01
"""As the lab sets its model simulator up."""


def measured(path: Path = RESULTS / "surge.json") -> dict[str, Any]:
    """The real run's result."""
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def plan_of(result: dict[str, Any], *, seed: int | None = None) -> Plan:
    """The real run's scenario, with its very schedule and the mean size that its calls had."""
    chosen = scenario.load(result["scenario"], scale=result["scale"])
    planned = schedule.draw(chosen, schedule.texts()[0])
    figures = result["arms"]["spillway"]
    answered = sum(figures["series"]["goodput"]) * figures["series"]["step_seconds"] / 60
    estimate = answered / figures["succeeded"]
    draw = random.Random(chosen.seed if seed is None else seed)
    sizes = (round(draw.uniform(1 - SPREAD, 1 + SPREAD) * estimate) for _ in planned)
    asked = tuple(
        Asked(turn.at, LANES.index(turn.lane), turn.tenant, tokens) for turn, tokens in zip(planned, sizes, strict=True)
    )
    first = chosen.deployments[0]
    return Plan(
        shape="surge against the real stack",
        instances=sum(int(str(entry).rpartition("=")[2]) for entry in result["instances"]),
        pools=1,
        deployments=len(chosen.deployments),
        tokens_per_minute=first["tokens_per_minute"],
        requests_per_minute=first["requests_per_minute"],
        phases=(),
        estimate=estimate,
        spread=SPREAD,
        answer_tokens=chosen.answer_tokens,
        drain_seconds=figures["drained_after_s"] + 60,
        network="local",
        seed=chosen.seed if seed is None else seed,
        first_token_seconds=FIRST_TOKEN_SECONDS,
        between_tokens_seconds=BETWEEN_TOKENS_SECONDS,
        asked=asked,
    )


def compared() -> dict[str, Any]:
    """Both results and how far apart they are."""
    result = measured()
    plan = plan_of(result)
    assumed = assumptions.read(plan.network)
    simulated = figures(plan, Pool(plan, 0, assumed).run(), assumed)
    real = result["arms"]["spillway"]
    return {
        "real_commit": result["machine"]["commit"],
        "real_at": result["machine"]["at"],
        "turns": result["turns"],
        "real": _of_real(real),
        "simulated": _of_simulated(simulated),
        "goodput_deviation": _distance(last_minute(real["series"]), last_minute(simulated["series"])),
        "backlog_deviation": _distance(_all(real["series"]["waiting"]), _all(simulated["series"]["waiting"])),
        "series": {"real": real["series"], "simulated": simulated["series"]},
    }


def _of_real(real: dict[str, Any]) -> dict[str, Any]:
    costs = real["costs"]["all"]
    return {
        "answered": real["succeeded"],
        "calls_429": real["calls_429"],
        "utilisation_under_backlog": real["utilisation_under_backlog"],
        "max_window_overshoot": real["max_window_overshoot"],
        "lane_operations_per_answer": costs["bus_operations_per_success"],
        "relay_operations_per_answer": costs["relay_operations_per_success"],
        "request_units_per_answer": costs["store_charge_per_success"],
        **{f"wait_{lane}_{part}": real["lanes"][lane]["wait_s"][part] for lane in LANES for part in ("p50", "p95")},
    }


def _of_simulated(found: dict[str, Any]) -> dict[str, Any]:
    turns, million = found["turns"], found["per_million"]
    each = turns["asked"] / max(1, turns["answered"]) / 1_000_000
    return {
        "answered": turns["answered"],
        "calls_429": found["calls"].get("tokens", 0) + found["calls"].get("requests", 0),
        "utilisation_under_backlog": found["utilisation"]["under_backlog"],
        "max_window_overshoot": found["max_window_overshoot"],
        "lane_operations_per_answer": round(million["lane_operations"] * each, 2),
        "relay_operations_per_answer": round(million["relay_operations"] * each, 2),
        "request_units_per_answer": round(million["request_units"] * each, 2),
        **{f"wait_{lane}_{part}": found["wait_s"][lane][part] for lane in LANES for part in ("p50", "p95")},
    }


def _all(waiting: dict[str, list[int]]) -> list[float]:
    return [float(sum(counts)) for counts in zip(*waiting.values(), strict=True)]


def _distance(real: Sequence[float], simulated: Sequence[float]) -> float | None:
    """Mean distance of the two curves, as a part of the real one's mean; until the later of them has ended."""
    pairs = list(zip_longest(real, simulated, fillvalue=0.0))
    mean = sum(one for one, _ in pairs) / len(pairs)
    return round(sum(abs(one - other) for one, other in pairs) / len(pairs) / mean, 4) if mean else None
