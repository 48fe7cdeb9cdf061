"""The latency benchmark against the simulator: what was set up is found, and nothing that was not."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bench.latency.__main__ import main
from bench.latency.call import Sample
from bench.latency.compare import between_runs, between_targets, compare
from bench.latency.plan import Plan, Target, read_targets
from bench.latency.run import run
from bench.latency.simulator import simulated
from bench.latency.summary import summarise, throughput

LEVEL = 0.001
"""Far below what a machine that is busy with other things could make of equal deployments."""


def latency(first_ms: float, between_ms: float = 1.0) -> dict[str, float]:
    return {"time_to_first_token_ms": first_ms, "between_tokens_ms": between_ms, "spread": 0.1, "round_trip_ms": 0}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, ...]]:
    latencies = {"one": latency(30), "same": latency(30), "slow": latency(200)}
    with simulated(tmp_path_factory.mktemp("latency"), latencies) as targets:
        yield targets


@pytest.fixture(scope="module")
def runs(targets: tuple[Target, ...]) -> list[list[Sample]]:
    """Two runs with different seeds."""
    plans = [
        Plan(targets=targets, prompt_sizes=(60,), output_sizes=(8,), rounds=20, warm_up=1, seed=seed, concurrency=3)
        for seed in (1, 2)
    ]
    return [asyncio.run(run(plan)) for plan in plans]


def test_the_slower_deployment_is_found_and_equal_ones_are_not_called_different(runs: list[list[Sample]]) -> None:
    for samples in runs:
        rows = {
            (row["what"].partition(",")[0], row["metric"]): row
            for row in compare(between_targets(samples), level=LEVEL)
        }

        assert rows["one against slow", "first_ms"]["differs"]
        assert rows["one against slow", "first_ms"]["difference_ms"] > 0
        assert rows["same against slow", "first_ms"]["differs"]
        assert not [row for (what, _), row in rows.items() if what == "one against same" and row["differs"]]


def test_two_runs_of_the_same_deployments_do_not_differ(runs: list[list[Sample]]) -> None:
    rows = compare(between_runs(*runs), level=LEVEL)

    assert len(rows) == 9
    assert sum(row["differs"] for row in rows) == 0


def test_every_cell_says_region_quota_tokens_and_its_best_and_worst_call(runs: list[list[Sample]]) -> None:
    for cell in summarise(runs[0]):
        assert (cell["calls"], cell["answered"], cell["throttled"]["count"], cell["failed"]["count"]) == (20, 20, 0, 0)
        assert cell["regions"] == [f"region-{cell['target']}"]
        assert abs(cell["counted_prompt_tokens"] - 60) <= 6
        assert cell["counted_output_tokens"] == 8
        assert cell["short_answers"] == 0
        assert 0 < cell["headroom"]["highest_used_tokens_share"] < 1
        assert cell["best"]["last_ms"] <= cell["metrics"]["last_ms"]["median"] <= cell["worst"]["last_ms"]
        assert cell["best"]["request_id"] != cell["worst"]["request_id"]


def test_throughput_counts_answers_and_their_tokens(runs: list[list[Sample]]) -> None:
    pace = throughput(runs[0])

    assert pace["output_tokens_per_minute"] == pytest.approx(8 * pace["requests_per_minute"])
    assert pace["prompt_tokens_per_minute"] == pytest.approx(61 * pace["requests_per_minute"], rel=0.1)
    assert throughput([])["requests_per_minute"] == 0


def test_every_round_holds_every_cell_once_in_an_order_that_the_seed_decides(targets: tuple[Target, ...]) -> None:
    plan = Plan(targets=targets, rounds=5, warm_up=2, seed=3)
    order = list(plan.order())
    rounds = [[cell for number, cell in order if number == n] for n in range(-2, 5)]

    assert all(sorted(cells) == sorted(plan.cells) for cells in rounds)
    assert len({tuple(cells) for cells in rounds}) > 1
    assert order == list(Plan(targets=targets, rounds=5, warm_up=2, seed=3).order())
    assert order != list(Plan(targets=targets, rounds=5, warm_up=2, seed=4).order())


def test_throttling_and_faults_are_counted_from_the_first_attempt(tmp_path: Path) -> None:
    with simulated(tmp_path, {"tight": latency(5)}, requests_per_minute=120) as targets:
        url = targets[0].endpoint.partition("/account")[0]
        httpx2.post(f"{url}/_sim/faults", json={"kind": "server_error", "count": 2}).raise_for_status()
        plan = Plan(targets=targets, prompt_sizes=(40,), output_sizes=(4,), rounds=30, warm_up=0)
        samples = asyncio.run(run(plan))
        account = httpx2.get(f"{url}/_sim/account").json()
    (cell,) = summarise(samples)

    assert account["calls"] == cell["calls"] == 30
    assert cell["failed"]["count"] == 2
    assert cell["throttled"]["count"] == 28 - cell["answered"] > 0
    assert all("retry_after_ms" in sample.facts for sample in samples if sample.throttled)


def test_the_command_writes_numbers_report_and_pictures_and_compares_them(
    targets: tuple[Target, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    listed = [
        {name: getattr(one, name) for name in ("name", "endpoint", "deployment", "key_variable")} for one in targets
    ]
    (tmp_path / "targets.json").write_text(json.dumps(listed))
    sizes = ["--prompts", "40", "--outputs", "4", "--rounds", "9", "--warm-up", "0"]

    assert main(["run", "--targets", str(tmp_path / "targets.json"), *sizes, "--out", str(tmp_path)]) == 0
    report = (tmp_path / "latency.md").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "latency.json")]) == 0

    assert report.count("| one | 40 → 4 |") == 5
    assert "every figure is of a first attempt" in report
    assert "one against same" in capsys.readouterr().out
    assert {path.name for path in tmp_path.glob("*.svg")} == {"latency-distribution.svg", "latency-over-time.svg"}
    assert "local-openai-key" not in (tmp_path / "latency.json").read_text(encoding="utf-8")


def test_what_is_wrong_with_a_command_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "targets.json").write_text('[{"name": "a"}]')
    (tmp_path / "other.json").write_text("{}")

    assert main(["run", "--targets", str(tmp_path / "targets.json")]) == 2
    assert main(["run", "--endpoint", "http://127.0.0.1:1"]) == 2
    assert main(["compare", str(tmp_path / "other.json")]) == 2
    assert "needs name, endpoint and deployment" in capsys.readouterr().err
    with pytest.raises(ValueError, match="not set"):
        Target("a", "http://127.0.0.1:1", "a", "NO_SUCH_VARIABLE_HERE").key()
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(ValueError, match="at least one target"):
        read_targets(tmp_path / "none.json")
