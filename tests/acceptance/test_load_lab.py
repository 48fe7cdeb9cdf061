"""The load lab itself, on a scenario of seconds: both kinds of arm, the whole stack, the referee."""

from pathlib import Path

from bench.lab.run import run
from bench.lab.scenario import parse

SMALL = {
    "title": "A dozen turns",
    "model": {"answer_tokens": 8, "max_output_tokens": 50, "time_to_first_token_ms": 20, "between_tokens_ms": 2},
    "deployments": [
        {"name": f"chat-{number}", "tokens_per_minute": 100_000, "requests_per_minute": 6_000} for number in range(2)
    ],
    "phases": [
        {
            "name": "load",
            "seconds": 2,
            "rate_per_minute": 360,
            "arrivals": "fixed",
            "lanes": {"interactive": 1, "standard": 1},
            "tenants": {"contoso": 1, "fabrikam": 1},
        }
    ],
    "instances": ["1"],
    "drain_seconds": 60,
    "bars": [{"what": "lost", "at_most": 0}, {"what": "success_share", "at_least": 1}],
}


def test_every_turn_is_answered_and_seen_from_outside_by_both_arms(tmp_path: Path) -> None:
    result = run(parse("small", SMALL), ["spillway", "direct_sdk"], keep=tmp_path)

    assert [bar["passed"] for bar in result["bars"]] == [True, True]
    for arm in result["arms"].values():
        assert (arm["asked"], arm["accepted"], arm["succeeded"], arm["calls"]) == (12, 12, 12, 12)
        assert (arm["lost"], arm["duplicated"], arm["calls_429"], arm["max_window_overshoot"]) == (0, 0, 0, 0)
        assert 0 < arm["lanes"]["interactive"]["wait_s"]["p50"] <= arm["lanes"]["interactive"]["ttft_s"]["p50"]
    app = result["arms"]["spillway"]
    assert {name.partition("_")[0] for name in app["tenants"]} == {"contoso", "fabrikam"}
    assert app["streams"]["answers_compared"] == app["lanes"]["interactive"]["succeeded"] > 0
    assert app["streams"]["answers_unlike_the_stored"] == 0
    costs = app["costs"]["all"]
    assert costs["worker_slot_seconds_per_success"] > 0 < costs["store_charge_per_success"]
    # The turns of the lane with workers alone are sent, delivered and completed.
    assert costs["bus_operations_per_success"] >= 3 * app["lanes"]["standard"]["succeeded"] / 12
