"""What a million turns cost, at the prices of `infra/sizing.json`, which are to be replaced by yours."""

from bench.simulation.assumptions import Assumptions
from bench.simulation.plan import Plan
from infra.sizing import Prices, given

MILLION = 1_000_000


def cost_per_million(plan: Plan, per_million: dict[str, float], assumed: Assumptions) -> dict[str, float]:
    """By item, in the currency of the prices; Cosmos DB as serverless, Service Bus beyond what is included."""
    sizing, prices = given()
    instance_seconds = per_million["instance_seconds"] / (sizing.turns_at_once * sizing.filled)
    executions = MILLION * (2 - per_million["direct_share"])
    costs = {
        "model tokens": _tokens(plan, prices, assumed),
        "functions": instance_seconds * sizing.memory_gb * prices.gigabyte_second
        + executions / MILLION * prices.million_executions,
        "Service Bus": per_million["bus_operations"] / MILLION * prices.service_bus_million,
        "Cosmos DB, ledger": per_million["ledger_request_units"] / MILLION * prices.serverless_million_request_units,
        "Cosmos DB, turns": per_million["turn_request_units"] / MILLION * prices.serverless_million_request_units,
        "logs": sizing.log_kilobytes * prices.log_gigabyte,
    }
    return {name: round(cost, 2) for name, cost in costs.items()}


def _tokens(plan: Plan, prices: Prices, assumed: Assumptions) -> float:
    prompt = plan.estimate - assumed.turns.max_output_tokens
    return prompt * prices.million_input_tokens + plan.answer_tokens * prices.million_output_tokens
