"""GO, HOLD and NO-GO on prepared results."""

import math
from pathlib import Path
from typing import Any

import pytest

from shared.evaluation.baseline import baseline_of, load_baseline, save_baseline
from shared.evaluation.errors import EvaluationError, GateFileError
from shared.evaluation.gates import Gate, GateSet, Strictness, load_gates
from shared.evaluation.metrics import Kind
from shared.evaluation.records import Score, State
from shared.evaluation.verdict import Decision, Status, decide

from .support import ROOT, a_score

HARD = Gate("harm", "safety", Kind.DEFECT_RATE, Strictness.HARD, at_most=0.02, minimum_scored=50)
SOFT = Gate("good", "relevance", Kind.RATE, Strictness.SOFT, at_least=0.8, minimum_scored=50, regression=True)
GATES = GateSet((HARD, SOFT))


def results(evaluator: str, passed: int, failed: int, **fields: Any) -> list[Score]:
    return [a_score(n, passed=n < passed, evaluator=evaluator, **fields) for n in range(passed + failed)]


SAFE, GOOD = results("safety", 400, 0), results("relevance", 360, 40)


def test_good_results_are_go() -> None:
    verdict = decide(GATES, [*SAFE, *GOOD])
    assert (verdict.decision, verdict.exit_code, verdict.reasons) == (Decision.GO, 0, ())


def test_harm_that_was_seen_is_no_go_however_good_the_rest_is() -> None:
    verdict = decide(GATES, [*results("safety", 380, 20), *GOOD])
    assert (verdict.decision, verdict.exit_code) == (Decision.NO_GO, 1)
    assert verdict.reasons == ("harm: 5.0 % (between 3.3 % and 7.6 %), demanded at most 2.0 %",)


def test_clear_harm_is_no_go_even_below_the_minimum_number_of_items() -> None:
    assert decide(GATES, [*results("safety", 20, 20), *GOOD]).decision is Decision.NO_GO


def test_no_harm_in_few_answers_is_hold_and_says_how_many_are_missing() -> None:
    verdict = decide(GATES, [*results("safety", 100, 0), *GOOD])
    harm = verdict.results[0]
    assert (verdict.decision, verdict.exit_code, harm.status) == (Decision.HOLD, 2, Status.UNDECIDED)
    assert harm.items_needed == 89
    assert "needs 89 more items" in harm.reason
    enough = [*results("safety", 189, 0), *GOOD]
    assert decide(GATES, enough).decision is Decision.GO


def test_quality_that_is_shown_to_be_too_low_is_hold_with_the_shortfall() -> None:
    verdict = decide(GATES, [*SAFE, *results("relevance", 200, 200)])
    assert verdict.decision is Decision.HOLD
    assert verdict.results[1].status is Status.FAILED
    assert verdict.results[1].items_needed is None


def test_quality_that_may_be_enough_is_undecided() -> None:
    verdict = decide(GATES, [*SAFE, *results("relevance", 84, 16)])
    found = verdict.results[1]
    assert (verdict.decision, found.status) == (Decision.HOLD, Status.UNDECIDED)
    assert found.items_needed is not None
    total = found.items_needed + 100
    passed = math.ceil(0.84 * total)
    later = decide(GATES, [*SAFE, *results("relevance", passed, total - passed)])
    assert later.results[1].status is Status.PASSED


def test_a_rate_at_the_demand_is_never_decided_by_more_items() -> None:
    assert decide(GATES, [*SAFE, *results("relevance", 80, 20)]).results[1].items_needed is None


def test_too_many_judge_errors_are_hold_and_not_a_high_score() -> None:
    broken = [a_score(n + 400, passed=None, state=State.JUDGE_ERROR) for n in range(40)]
    verdict = decide(GATES, [*SAFE, *results("relevance", 400, 0), *broken])
    assert verdict.decision is Decision.HOLD
    assert verdict.results[1].reason == "40 of 440 answers could not be judged"


def test_an_evaluator_that_is_silent_is_hold() -> None:
    verdict = decide(GATES, GOOD)
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons == ("harm: nothing was scored; needs 50 more items",)


def test_a_weak_topic_is_not_hidden_by_strong_ones() -> None:
    gate = Gate("good", "relevance", Kind.RATE, Strictness.SOFT, at_least=0.8, minimum_scored=50, tags=("returns",))
    weak = [a_score(n + 1_000, passed=n < 6, tags=("returns",)) for n in range(30)]
    verdict = decide(GateSet((gate,)), [*results("relevance", 600, 20), *weak])
    assert [result.status for result in verdict.results] == [Status.PASSED, Status.FAILED]
    assert verdict.reasons[0].startswith("good [returns]: 20.0 %")


def test_latency_and_means_are_held_against_the_right_bound() -> None:
    slow = Gate("slow", "latency", Kind.P95, Strictness.SOFT, at_most=5, minimum_scored=50)
    mean = Gate("mean", "coherence", Kind.MEAN, Strictness.SOFT, at_least=4.0, minimum_scored=50)
    quick = [a_score(n, value=1 + n % 10 / 10, evaluator="latency") for n in range(200)]
    coherent = [a_score(n, value=4 + n % 2, evaluator="coherence") for n in range(200)]
    assert decide(GateSet((slow, mean)), [*quick, *coherent]).decision is Decision.GO
    late = [a_score(n, value=3 + n % 10, evaluator="latency") for n in range(200)]
    found = decide(GateSet((slow, mean)), [*late, *coherent]).results[0]
    assert (found.status, found.reason) == (Status.FAILED, "12 (between 12 and 12), demanded at most 5")
    wide = [a_score(n, value=[1, 5, 5, 5, 5][n % 5], evaluator="coherence") for n in range(60)]
    assert decide(GateSet((slow, mean)), [*quick, *wide]).results[1].items_needed is not None


def test_a_fall_against_the_baseline_is_hold_although_the_demand_is_met() -> None:
    baseline = baseline_of("last", results("relevance", 390, 10))
    verdict = decide(GATES, [*SAFE, *results("relevance", 345, 55)], baseline)
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons[0].startswith("good: worse than the baseline by 0.113 (p = ")


def test_a_fall_that_a_gate_forbids_is_no_go_and_names_the_topic() -> None:
    gate = Gate(
        "right", "relevance", Kind.RATE, Strictness.SOFT, at_least=0.5, minimum_scored=50,
        tags=("returns", "prices"), regression=True, regression_forbids=True,
    )  # fmt: skip
    topics = ("returns", "prices")
    old = [a_score(n, passed=True, tags=(topics[n % 2],)) for n in range(120)]
    new = [a_score(n, passed=n % 2 == 1 or n % 4 == 0, tags=(topics[n % 2],)) for n in range(120)]
    verdict = decide(GateSet((gate,)), new, baseline_of("last", old))
    assert (verdict.decision, verdict.exit_code) == (Decision.NO_GO, 1)
    assert any(reason.startswith("right [returns]: worse than the baseline by 0.5 (p = ") for reason in verdict.reasons)
    assert not any("[prices]" in reason for reason in verdict.reasons)
    assert decide(GateSet((gate,)), old, baseline_of("last", old)).decision is Decision.GO


def test_a_small_change_and_an_improvement_are_no_regression() -> None:
    baseline = baseline_of("last", GOOD)
    assert decide(GATES, [*SAFE, *results("relevance", 357, 43)], baseline).decision is Decision.GO
    assert decide(GATES, [*SAFE, *results("relevance", 400, 0)], baseline).decision is Decision.GO


def test_a_fall_of_a_mean_is_seen_in_pairs() -> None:
    gate = Gate("mean", "coherence", Kind.MEAN, Strictness.SOFT, at_least=3, minimum_scored=50, regression=True)
    old = [a_score(n, value=3 + n % 3, evaluator="coherence") for n in range(100)]
    new = [a_score(n, value=3 + n % 3 - (n % 4 == 0), evaluator="coherence") for n in range(100)]
    verdict = decide(GateSet((gate,)), new, baseline_of("last", old))
    assert verdict.comparisons[0].regressed
    assert verdict.comparisons[0].change == pytest.approx(-0.25)
    assert not decide(GateSet((gate,)), old, baseline_of("last", new)).comparisons[0].regressed


def test_a_baseline_of_another_rubric_version_is_not_compared_and_says_so() -> None:
    baseline = baseline_of("last", results("relevance", 390, 10, version="0"))
    verdict = decide(GATES, [*SAFE, *GOOD], baseline)
    assert verdict.decision is Decision.HOLD
    assert "not compared with the baseline, no shared items of one version (baseline: 0)" in verdict.reasons[0]


def test_a_baseline_survives_the_file(tmp_path: Path) -> None:
    baseline = baseline_of("last", [*GOOD, a_score(999, passed=None, state=State.JUDGE_ERROR)])
    save_baseline(baseline, tmp_path / "b.jsonl")
    assert load_baseline(tmp_path / "b.jsonl") == baseline
    assert len(baseline.of("relevance")) == 400
    (tmp_path / "b.jsonl").write_text("[]")
    with pytest.raises(EvaluationError, match="not a baseline file"):
        load_baseline(tmp_path / "b.jsonl")


def test_the_committed_gates_are_valid_and_explain_themselves() -> None:
    gates = load_gates(ROOT / "evals" / "gates.toml")
    assert {gate.strictness for gate in gates.gates} == {Strictness.HARD, Strictness.SOFT}
    assert all(gate.about for gate in gates.gates)


GATE = '[[gate]]\nname = "g"\nevaluator = "e"\nstatistic = "rate"\nstrictness = "soft"\n'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("version = 2", "expected version = 1"),
        ("version = 1", r"holds no \[\[gate\]\]"),
        ("version = 1\nmood = 3\n" + GATE, "unknown settings: mood"),
        ("version = 1\n" + GATE, "exactly one of at_least and at_most"),
        ("version = 1\n" + GATE + "at_least = 1\nat_most = 2", "exactly one"),
        ("version = 1\n" + GATE + 'at_least = "high"', "at_least must be a number"),
        ("version = 1\n" + GATE + "at_least = 0.5\nmin = 3", "gate g: unknown settings: min"),
        ("version = 1\n" + GATE.replace("soft", "hard") + "at_least = 0.5", "a hard gate bounds a defect_rate"),
        ("version = 1\n" + GATE.replace("rate", "median") + "at_least = 0.5", "median"),
        ("version = 1\n" + GATE + "at_least = 0.5\nregression_forbids = true", "needs regression = true"),
        ("version = 1\n" + 2 * (GATE + "at_least = 0.5\n"), "the same name"),
        ("version = ", "gates.toml"),
    ],
)
def test_a_bad_gate_file_gets_one_clear_complaint(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(content)
    with pytest.raises(GateFileError, match=complaint):
        load_gates(path)
