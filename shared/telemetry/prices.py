"""What tokens cost, by model or deployment. A price is for a million tokens, in any one currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.turns import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Prices for a million tokens. Cached input is part of the input and has a price of its own."""

    input: float
    output: float
    cached: float

    def of(self, usage: Usage) -> float:
        """What an answer cost. Reasoning tokens are part of the output."""
        fresh = max(0, usage.input_tokens - usage.cached_tokens)
        cost = fresh * self.input + usage.cached_tokens * self.cached + usage.output_tokens * self.output
        return cost / MILLION


Prices = Mapping[str, Price]


def price_for(prices: Prices, *, model: str, deployment: str) -> Price | None:
    """The price of a deployment; the name of the deployment wins over that of its model. None when there is none."""
    return prices.get(deployment) or prices.get(model)


def turn_costs(prices: Prices) -> dict[str, float]:
    """What a turn costs by name, to compare models: three parts of input and one of output, as chats usually have."""
    return {name: 3 * price.input + price.output for name, price in prices.items()}


def parse_prices(value: Any) -> dict[str, Price]:
    """Reads the setting: an object by model or deployment of `input`, `output` and `cached` (default: as input).

    Raises:
        ValueError: A price is no number or below 0.
        KeyError: `input` or `output` is missing.
        TypeError: It is no object of objects.
        AttributeError: Likewise.
    """
    return {str(name): _price(name, entry) for name, entry in value.items()}


def _price(name: str, entry: Mapping[str, Any]) -> Price:
    price = Price(
        input=float(entry["input"]), output=float(entry["output"]), cached=float(entry.get("cached", entry["input"]))
    )
    if not all(0 <= amount < float("inf") for amount in (price.input, price.output, price.cached)):
        raise ValueError(f"the prices of {name} must be numbers of at least 0")
    return price
