"""The capacity table is what the calculation gives, and the calculation does what the page says."""

import dataclasses
import json
from pathlib import Path

import pytest

from infra.sizing import DOCUMENT, ROOT, SIMULATION, Load, given, plan, written

ASSUMED, PRICES = given()


def test_the_table_in_the_document_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert written(text) == text, "run `python -m infra.sizing --write`"


def test_the_quota_is_what_the_service_charges_at_admission() -> None:
    found = plan(Load(1000, prompt_tokens=2400, max_output_tokens=600), ASSUMED, PRICES)
    assert found.tokens_per_minute == 3_000_000
    assert found.deployments == 3


def test_tokens_cost_what_was_really_written_not_what_might_have_been() -> None:
    short = plan(Load(100, max_output_tokens=600), ASSUMED, PRICES)
    oversized = plan(Load(100, max_output_tokens=6000), ASSUMED, PRICES)
    assert short.costs == oversized.costs
    assert short.tokens_per_minute < oversized.tokens_per_minute


def test_a_load_that_every_queued_turn_of_standard_cannot_carry_is_premium() -> None:
    most = 500 * 60 / ASSUMED.queue_operations
    below, above = (plan(Load(turns), ASSUMED, PRICES) for turns in (0.98 * most, 1.02 * most))
    assert (below.service_bus, above.service_bus) == ("Standard", "Premium, 1 unit")


@pytest.mark.parametrize("turns", [1.0, 50.0, 400.0, 3_000.0, 20_000.0])
def test_more_turns_never_need_or_cost_less(turns: float) -> None:
    less, more = (plan(Load(number), ASSUMED, PRICES) for number in (turns, turns * 1.5))
    assert less.tokens_per_minute < more.tokens_per_minute
    assert less.instances <= more.instances
    assert less.costs["tokens"] < more.costs["tokens"]
    assert less.costs["functions"] < more.costs["functions"]


def test_twice_the_price_is_twice_the_cost() -> None:
    doubled = dataclasses.replace(
        PRICES, million_input_tokens=2 * PRICES.million_input_tokens, million_output_tokens=0.0
    )
    free_answers = dataclasses.replace(PRICES, million_output_tokens=0.0)
    one, two = (plan(Load(100), ASSUMED, prices).costs["tokens"] for prices in (free_answers, doubled))
    assert two == pytest.approx(2 * one)


def test_what_turns_take_at_a_load_comes_from_the_simulation() -> None:
    (small, _), (large, _) = given(12), given(4_000)
    sizes = {size["turns_per_minute"]: size for size in json.loads(SIMULATION.read_text(encoding="utf-8"))["sizes"]}

    assert small.queued_request_units == sizes[10]["queued_request_units"]
    assert large.queue_operations == sizes[5000]["queue_operations"]


def test_what_the_file_says_itself_goes_before_the_simulation(tmp_path: Path) -> None:
    values = json.loads((ROOT / "infra" / "sizing.json").read_text(encoding="utf-8"))
    values["assumptions"]["queued_share"] = 0.9
    own = tmp_path / "sizing.json"
    own.write_text(json.dumps(values), encoding="utf-8")

    assert given(path=own)[0].queued_share == 0.9
