"""Prices: what is cached is cheaper, reasoning is output, nonsense is refused when the app starts."""

import pytest

from shared.errors import SettingsError
from shared.settings import Settings
from shared.telemetry.prices import Price, parse_prices, price_for
from shared.turns import Usage
from tests.unit.samples import ENVIRONMENT


def test_cached_input_has_its_own_price_and_reasoning_is_part_of_the_output() -> None:
    price = Price(input=2.0, output=8.0, cached=1.0)

    assert price.of(Usage(1_000_000, 500_000, 250_000, 400_000)) == pytest.approx(0.75 * 2 + 0.25 * 1 + 0.5 * 8)


def test_a_deployment_can_have_a_price_of_its_own() -> None:
    prices = parse_prices({"m": {"input": 1, "output": 2}, "reserved": {"input": 0, "output": 0}})

    assert price_for(prices, model="m", deployment="other") == Price(1, 2, 1)
    assert price_for(prices, model="m", deployment="reserved") == Price(0, 0, 0)
    assert price_for(prices, model="unknown", deployment="other") is None


@pytest.mark.parametrize("value", ['{"m": {"input": 1}}', '{"m": 3}', "[1]", '{"m": {"input": -1, "output": 1}}', "{"])
def test_prices_that_cannot_be_read_keep_the_app_from_starting(value: str) -> None:
    with pytest.raises(SettingsError, match="SPILLWAY_PRICES"):
        Settings.from_environment(ENVIRONMENT | {"SPILLWAY_PRICES": value})
