"""The advisor names what was wrong first, says how much removing it saves, and keeps quiet when nothing is."""

import ast
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.advisor.advise import CAUSES, advise
from shared.advisor.finding import Needs
from shared.advisor.journeys import journey, journeys
from shared.advisor.numbers import quantile, slope
from shared.advisor.report import markdown
from tests.unit.advisor.world import CASES, HEALTHY, Place

ROOT = Path(__file__).resolve().parents[3]
SEEDS = (1, 2)
TURNS = 200
TOLERANCE = 0.25
"""How far a predicted mean gain may lie from the true one."""


def report_of(records: list[dict[str, Any]], **needs: Any) -> dict[str, Any]:
    return advise(journeys(records), Needs(**needs))


def mean_wait(records: list[dict[str, Any]]) -> float:
    return sum(record["timeline"]["total_ms"] for record in records) / len(records)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cause", CASES)
def test_the_cause_is_named_first_and_its_gain_is_the_true_one(cause: str, seed: int) -> None:
    ill, well = (world.turns(TURNS, seed) for world in CASES[cause])
    report = report_of(ill)
    first = report["advice"][0]
    truth = mean_wait(ill) - mean_wait(well)

    assert first["cause"] == cause
    gain = first["gain_ms"]["mean"]
    if first["basis"] == "modelled":
        assert 0 < gain["interval"][0] <= truth <= gain["interval"][1]
    else:
        assert gain["predicted"] == pytest.approx(truth, rel=TOLERANCE)


@pytest.mark.parametrize(
    "cause", ["slow_context", "far_region", "slow_store", "slow_client", "large_prompt", "cold_start"]
)
def test_predicted_quantiles_are_the_true_ones(cause: str) -> None:
    ill, well = (world.turns(400, 5) for world in CASES[cause])
    gain = report_of(ill)["advice"][0]["gain_ms"]

    def wait(records: list[dict[str, Any]], share: float) -> float:
        return quantile([record["timeline"]["total_ms"] for record in records], share)

    for name, share in (("p50", 0.5), ("p95", 0.95)):
        truth = wait(ill, share) - wait(well, share)
        assert gain[name]["predicted"] == pytest.approx(truth, rel=TOLERANCE, abs=0.05 * wait(ill, share))


@pytest.mark.parametrize("seed", range(6))
def test_a_healthy_installation_gets_no_advice_worth_more_than_a_few_percent(seed: int) -> None:
    report = report_of(HEALTHY.but(queued=0.4).turns(TURNS, seed))

    for line in report["advice"]:
        assert line["gain_ms"]["mean"]["predicted"] < 0.05 * report["wait_ms"]["mean"]


def test_two_causes_are_ranked_by_what_they_save() -> None:
    turns = HEALTHY.but(search=300.0, cold=0.02).turns(300, 1)
    causes = [line["cause"] for line in report_of(turns)["advice"]]

    assert causes.index("slow_context") < causes.index("cold_start")


def test_the_deployment_that_is_meant_is_named() -> None:
    far = CASES["far_region"][0].turns(TURNS, 1)

    assert report_of(far)["advice"][0]["subject"] == "beta"
    assert "eastus" in report_of(far)["advice"][0]["change"]


def test_needed_tokens_replace_what_similar_answers_say() -> None:
    wordy = HEALTHY.but(places=(("alpha", Place(answer=400.0)),)).turns(TURNS, 1)

    assert "long_answers" not in [line["cause"] for line in report_of(wordy)["advice"]]
    first = report_of(wordy, output_tokens=100)["advice"][0]
    assert first["cause"] == "long_answers"
    assert first["gain_ms"]["mean"]["predicted"] == pytest.approx(300 * 12, rel=0.1)


def test_few_turns_give_no_advice_and_few_affected_ones_no_certainty() -> None:
    assert report_of(CASES["slow_client"][0].turns(5, 1))["advice"] == []
    cold = report_of(HEALTHY.but(cold=0.05, cold_ms=9000).turns(40, 3))["advice"]

    assert cold[0]["cause"] == "cold_start"
    assert cold[0]["affected"] < 5
    assert cold[0]["sure"] == "low"
    assert report_of(CASES["sequential_context"][0].turns(TURNS, 1))["advice"][0]["sure"] == "high"
    assert report_of(CASES["slow_store"][0].turns(TURNS, 1))["advice"][0]["sure"] == "medium"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"timeline": None},
        {"timeline": {"stages": []}},
        {"timeline": {"stages": [{"name": "unknown", "duration_ms": 1}]}},
        {"timeline": {"stages": [{"name": "stream", "duration_ms": "long"}]}},
        {"timeline": {"stages": [{"name": "stream", "duration_ms": -1}]}},
        {"timeline": {"stages": [{"name": "stream"}]}},
        {"timeline": {"stages": 5}},
    ],
)
def test_records_of_another_form_are_left_out(record: dict[str, Any]) -> None:
    assert journey(record) is None


def test_steps_that_cannot_be_read_do_not_end_the_report() -> None:
    turns = HEALTHY.turns(30, 1)
    for turn in turns[:5]:
        turn["timeline"]["steps"] = []
        turn["citations"], turn["usage"], turn["attempts"] = None, None, None

    assert report_of(turns)["turns"] == 30


def test_the_report_for_people_says_what_the_numbers_say() -> None:
    report = report_of(CASES["far_region"][0].turns(TURNS, 1))
    text = markdown(report)

    assert f"| 1 | far_region beta | {report['advice'][0]['change']} |" in text
    assert "Nothing stands out" in markdown(report_of(HEALTHY.turns(TURNS, 1)) | {"advice": []})
    assert json.loads(json.dumps(report)) == report


def test_every_cause_is_in_the_reference_and_nothing_else() -> None:
    table = (ROOT / "docs" / "latency.md").read_text(encoding="utf-8").partition("### Causes")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == sorted(CAUSES)
    assert set(CASES) == set(CAUSES)


def test_the_advisor_is_pure() -> None:
    for path in (ROOT / "shared" / "advisor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) or ""
            names = [module] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])]
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert all(
                    name.split(".")[0] in sys.stdlib_module_names - {"time", "os", "asyncio", "pathlib"}
                    or name.startswith(("shared.advisor", "shared.timelines.stages", "shared.timelines.critical_path"))
                    or name == "shared.timelines"
                    for name in names
                ), (path, names)


@pytest.mark.parametrize("cause", ["sequential_context", "far_region"])
def test_turns_recorded_on_local_azure_give_the_advice_that_the_change_proved_right(cause: str) -> None:
    recorded = json.loads((Path(__file__).parent / "recorded" / f"{cause}.json").read_text(encoding="utf-8"))
    first = report_of(recorded["turns"])["advice"][0]

    assert first["cause"] == cause
    assert first["gain_ms"]["mean"]["predicted"] == pytest.approx(recorded["gained_ms"]["mean"], rel=0.35)


@pytest.mark.parametrize("seed", range(5))
def test_the_slope_and_its_interval_are_those_of_scipy(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    draw = random.Random(seed)
    points = [(x := draw.uniform(0, 1000), 0.1 * x + draw.gauss(0, 20)) for _ in range(60)]
    expected = stats.theilslopes([y for _, y in points], [x for x, _ in points], alpha=0.95)
    found = slope([points])

    assert found.value == pytest.approx(expected.slope)
    assert (found.low, found.high) == pytest.approx((expected.low_slope, expected.high_slope), rel=0.02)


def test_turns_answered_from_the_cache_say_nothing_of_models_and_context() -> None:
    def record(*names: str) -> dict[str, object]:
        return {"timeline": {"stages": [{"name": name, "duration_ms": 5.0} for name in names]}}

    assert journey(record("admission", "first_token")) is not None
    assert journey(record("admission", "cache", "stream")) is None
