"""What a million turns cost, at the prices of `infra/sizing.json`, which are to be replaced by yours."""

import json
from typing import Any

from bench.machine import RESULTS
from bench.simulation.assumptions import Assumptions
from bench.simulation.plan import Plan

MILLION = 1_000_000
FILE = RESULTS.parents[1] / "infra" / "sizing.json"


def cost_per_million(plan: Plan, per_million: dict[str, float], assumed: Assumptions) -> dict[str, float]:
    """By item, in the currency of the prices; Cosmos DB as serverless, Service Bus beyond what is included."""
    values: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    sizing, prices = values["assumptions"], values["prices"]
    seconds = per_million["instance_seconds"] / (sizing["turns_at_once"] * sizing["filled"])
    executions = MILLION * (2 - per_million["direct_share"])
    prompt_tokens = plan.estimate - assumed.turns.max_output_tokens
    unit = prices["serverless_million_request_units"] / MILLION
    costs = {
        "model tokens": prompt_tokens * prices["million_input_tokens"]
        + plan.answer_tokens * prices["million_output_tokens"],
        "functions": seconds * sizing["memory_gb"] * prices["gigabyte_second"]
        + executions / MILLION * prices["million_executions"],
        "Service Bus": per_million["bus_operations"] / MILLION * prices["service_bus_million"],
        "Cosmos DB, ledger": per_million["ledger_request_units"] * unit,
        "Cosmos DB, turns": per_million["turn_request_units"] * unit,
        "logs": sizing["log_kilobytes"] * prices["log_gigabyte"],
    }
    return {name: round(cost, 2) for name, cost in costs.items()}
