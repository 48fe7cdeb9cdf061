"""What a load needs and what it costs a month: `python -m infra.sizing --turns-per-minute 1000`.

`--write` writes the table in docs/sizing.md anew. Prices and assumptions are in infra/sizing.json, to be replaced by
yours. What a turn takes of the store and of Service Bus at a load comes from the simulation of the fleet
(bench/results/simulation.json), which starts from what was measured on local Azure.
"""

import argparse
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from infra.hooks.console import say

ROOT = Path(__file__).resolve().parents[1]
SIMULATION = ROOT / "bench" / "results" / "simulation.json"
SIMULATED = ("queued_share", "queue_operations", "direct_request_units", "queued_request_units")
DOCUMENT = ROOT / "docs" / "sizing.md"
BEGIN, END = "<!-- the table below is made by `python -m infra.sizing --write` -->", "<!-- end of the table -->"
MINUTES, HOURS = 43_800.0, 730.0
"""Of a month."""
EXAMPLES = (10, 100, 1000, 5000)
MILLION = 1_000_000.0
SERVERLESS_RU_A_SECOND = 5_000.0
AUTOSCALE_STEP = 1_000.0
CONTAINERS = 6
"""Each one has its own throughput with autoscale."""


@dataclass(frozen=True, slots=True)
class Load:
    """What callers ask in the busiest minute, and how the answers are."""

    turns_per_minute: float
    prompt_tokens: float = 2_400.0
    answer_tokens: float = 250.0
    max_output_tokens: float = 600.0
    answer_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed, apart from prices.

    Attributes:
        busy_share: Turns of a month, as part of what they would be with every minute as busy as the busiest.
        queued_share: Turns that take the queued path.
        turns_at_once: Turns that an instance answers at the same time (SPILLWAY_MAX_DIRECT_TURNS).
        filled: How full instances are on average.
        memory_gb: Of an instance.
        direct_request_units: The store's charge for a direct turn.
        queued_request_units: The store's charge for a queued turn.
        queue_operations: Service Bus operations of a queued turn.
        log_kilobytes: Telemetry of a turn.
        deployment_tokens_per_minute: Quota of one deployment.
    """

    busy_share: float
    queued_share: float
    turns_at_once: float
    filled: float
    memory_gb: float
    direct_request_units: float
    queued_request_units: float
    queue_operations: float
    log_kilobytes: float
    deployment_tokens_per_minute: float


@dataclass(frozen=True, slots=True)
class Prices:
    """In one currency."""

    million_input_tokens: float
    million_output_tokens: float
    gigabyte_second: float
    million_executions: float
    always_ready_gigabyte_second: float
    service_bus_standard_month: float
    service_bus_included_million: float
    service_bus_million: float
    service_bus_premium_unit_hour: float
    serverless_million_request_units: float
    autoscale_hundred_request_units_hour: float
    log_gigabyte: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings that carry a load, and the money for a month by item."""

    tokens_per_minute: float
    deployments: int
    instances: int
    always_ready: int
    service_bus: str
    cosmos: str
    costs: dict[str, float]

    @property
    def total(self) -> float:
        """All items."""
        return sum(self.costs.values())


def plan(load: Load, assumed: Assumptions, prices: Prices) -> Plan:
    """What carries the busiest minute without queueing, and what the month costs."""
    turns = load.turns_per_minute * MINUTES * assumed.busy_share
    tokens = load.turns_per_minute * (load.prompt_tokens + load.max_output_tokens)
    at_once = load.turns_per_minute / 60.0 * load.answer_seconds
    instances = max(1, math.ceil(at_once / assumed.turns_at_once))
    ready = math.ceil(instances * assumed.busy_share) if load.turns_per_minute >= 100 else 0
    service_bus, bus_cost = _service_bus(load, assumed, prices, turns)
    cosmos, store_cost = _cosmos(load, assumed, prices, turns)
    costs = {
        "tokens": turns
        * (load.prompt_tokens * prices.million_input_tokens + load.answer_tokens * prices.million_output_tokens)
        / MILLION,
        "functions": _functions(load, assumed, prices, turns=turns, ready=ready),
        "Service Bus": bus_cost,
        "Cosmos DB": store_cost,
        "logs": turns * assumed.log_kilobytes / MILLION * prices.log_gigabyte,
    }
    deployments = math.ceil(tokens / assumed.deployment_tokens_per_minute)
    return Plan(tokens, deployments, instances, ready, service_bus, cosmos, costs)


def _functions(load: Load, assumed: Assumptions, prices: Prices, *, turns: float, ready: int) -> float:
    """An instance is paid for while it has anything to do; a warm one by the hour besides."""
    seconds = turns * load.answer_seconds / (assumed.turns_at_once * assumed.filled)
    # However few there are: a turn alone on an instance is billed for its time.
    seconds = min(turns * load.answer_seconds, max(seconds, MINUTES * 60.0 * assumed.busy_share))
    warm = ready * HOURS * 3600.0 * assumed.memory_gb * prices.always_ready_gigabyte_second
    executions = turns * (1.0 + assumed.queued_share) / MILLION * prices.million_executions
    return seconds * assumed.memory_gb * prices.gigabyte_second + executions + warm


def _service_bus(load: Load, assumed: Assumptions, prices: Prices, turns: float) -> tuple[str, float]:
    """Standard shares 1,000 operations a second; beyond half of that, or with every turn queued, Premium."""
    worst = load.turns_per_minute / 60.0 * assumed.queue_operations
    if worst > 500.0:
        return "Premium, 1 unit", prices.service_bus_premium_unit_hour * HOURS
    millions = turns * assumed.queued_share * assumed.queue_operations / MILLION
    more = max(0.0, millions - prices.service_bus_included_million) * prices.service_bus_million
    return "Standard", prices.service_bus_standard_month + more


def _cosmos(load: Load, assumed: Assumptions, prices: Prices, turns: float) -> tuple[str, float]:
    """Serverless up to a quarter of what a partition can do, else autoscale with all turns queued in mind."""
    mean = (
        assumed.direct_request_units * (1 - assumed.queued_share) + assumed.queued_request_units * assumed.queued_share
    )
    worst = load.turns_per_minute / 60.0 * assumed.queued_request_units
    if worst <= SERVERLESS_RU_A_SECOND / 4:
        return "serverless", turns * mean / MILLION * prices.serverless_million_request_units
    most = math.ceil(worst / AUTOSCALE_STEP) * AUTOSCALE_STEP
    # One container does nearly all the work; the others idle at a tenth of the same maximum.
    used = max(0.1, assumed.busy_share) * most + (CONTAINERS - 1) * 0.1 * most
    return f"autoscale {most:,.0f}", used / 100.0 * HOURS * prices.autoscale_hundred_request_units_hour


def table(rows: list[tuple[Load, Plan]]) -> str:
    """The plans as a Markdown table."""
    head = (
        "| turns a minute | quota, thousand tokens a minute | deployments | instances at the peak, always ready | "
        "Service Bus | Cosmos DB | tokens | functions | Service Bus | Cosmos DB | logs | a month |\n"
        "| ---: | ---: | ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    lines = [
        f"| {load.turns_per_minute:,.0f} | {found.tokens_per_minute / 1000:,.0f} | {found.deployments} "
        f"| {found.instances}, {found.always_ready} | {found.service_bus} | {found.cosmos} | "
        + " | ".join(f"{cost:,.0f}" for cost in found.costs.values())
        + f" | {found.total:,.0f} |"
        for load, found in rows
    ]
    return "\n".join([head, *lines])


def given(
    turns_per_minute: float = 1000.0, path: Path = ROOT / "infra" / "sizing.json", simulation: Path = SIMULATION
) -> tuple[Assumptions, Prices]:
    """Assumptions and prices of a file, with what turns took in the simulation at the size nearest to a load's.

    What the file says itself goes before what was simulated.
    """
    values = json.loads(path.read_text(encoding="utf-8"))
    sizes = json.loads(simulation.read_text(encoding="utf-8"))["sizes"]
    nearest = min(sizes, key=lambda size: abs(math.log(size["turns_per_minute"] / turns_per_minute)))
    taken = {name: nearest[name] for name in SIMULATED}
    return Assumptions(**(taken | values["assumptions"])), Prices(**values["prices"])


def examples() -> str:
    """The table of the document."""
    loads = [Load(float(turns)) for turns in EXAMPLES]
    return table([(load, plan(load, *given(load.turns_per_minute))) for load in loads])


def written(text: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{examples()}\n\n{END}{after}"


def main() -> None:
    """Prints the row of a load, or writes the document."""
    parser = argparse.ArgumentParser("infra.sizing", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table of docs/sizing.md")
    for entry in fields(Load):
        default: Any = entry.default if isinstance(entry.default, float) else 1000.0
        parser.add_argument(f"--{entry.name.replace('_', '-')}", type=float, default=default)
    options = parser.parse_args()
    if options.write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        return
    load = Load(**{entry.name: getattr(options, entry.name) for entry in fields(Load)})
    say(table([(load, plan(load, *given(load.turns_per_minute)))]))


if __name__ == "__main__":
    main()
