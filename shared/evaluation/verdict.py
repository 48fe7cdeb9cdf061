"""GO, HOLD or NO-GO, with the reasons."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.evaluation.baseline import Baseline
from shared.evaluation.estimate import Estimate
from shared.evaluation.gates import Gate, GateSet, Strictness
from shared.evaluation.metrics import Kind, measure
from shared.evaluation.records import Score
from shared.evaluation.regression import Comparison, compare
from shared.evaluation.stats.interval import CONFIDENCE, normal_quantile
from shared.evaluation.stats.proportion import items_until_above, items_until_below
from shared.evaluation.trust import Agreement, shortfalls

_SHARES = (Kind.RATE, Kind.DEFECT_RATE, Kind.MACRO_RATE, Kind.MACRO_F1)


class Decision(StrEnum):
    """What the evidence allows to say about a launch."""

    GO = "GO"
    HOLD = "HOLD"
    """Not shown to be good enough: a soft gate failed, quality fell, or there is too little evidence."""
    NO_GO = "NO-GO"
    """Shown to be unfit: a hard gate failed, or quality fell where a gate forbids it."""


class Status(StrEnum):
    """How one gate ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate, overall or for a tag, with the number it was decided on."""

    gate: Gate
    tag: str
    estimate: Estimate
    status: Status
    reason: str
    items_needed: int | None = None
    """How many more scored items would decide it if the rate stays; None when that is not what is missing."""

    @property
    def title(self) -> str:
        """The gate's name, with the tag if there is one."""
        return f"{self.gate.name} [{self.tag}]" if self.tag else self.gate.name


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision with all it rests on."""

    decision: Decision
    reasons: tuple[str, ...]
    results: tuple[GateResult, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def exit_code(self) -> int:
        """For a build pipeline: 0 for GO, 1 for NO-GO, 2 for HOLD."""
        return {Decision.GO: 0, Decision.NO_GO: 1, Decision.HOLD: 2}[self.decision]


def decide(
    gates: GateSet,
    scores: Sequence[Score],
    baseline: Baseline | None = None,
    agreements: Mapping[str, Agreement] | None = None,
) -> Verdict:
    """Hold the scores against the gates and, if there is one, the baseline.

    NO-GO when a hard gate fails or a fall is shown that a gate forbids; GO when every gate passes and nothing
    regressed; else HOLD. A judge that falls short of its bar, or was never compared with people, allows no GO.
    """
    results = tuple(_check(gates, gate, tag, scores) for gate in gates.gates for tag in ("", *gate.tags))
    comparisons = tuple(compare(gates, scores, baseline)) if baseline else ()
    missing = [found for found in comparisons if found.note and not found.tag]
    reasons = [f"{result.title}: {result.reason}" for result in results if result.status is not Status.PASSED]
    reasons += [_regression_reason(found) for found in comparisons if found.regressed]
    reasons += _doubts(gates, scores, agreements or {})
    reasons += [f"{found.gate}: not compared with the baseline, {found.note}" for found in missing]
    hard = any(result.status is Status.FAILED and result.gate.strictness is Strictness.HARD for result in results)
    fell = any(found.regressed and found.forbids for found in comparisons)
    decision = Decision.NO_GO if hard or fell else Decision.HOLD if reasons else Decision.GO
    return Verdict(decision, tuple(reasons), results, comparisons)


def _doubts(gates: GateSet, scores: Sequence[Score], agreements: Mapping[str, Agreement]) -> list[str]:
    wanted = {gate.evaluator for gate in gates.gates}
    if gates.judge is None or not any(score.rubric_id and score.evaluator in wanted for score in scores):
        return []
    if not agreements:
        return ["judge: it was not compared with people yet (python -m evals --compare-judge)"]
    return [
        f"judge of {evaluator}: {'; '.join(found)}"
        for evaluator, agreement in agreements.items()
        if (found := shortfalls(agreement, gates.judge))
    ]


def _check(gates: GateSet, gate: Gate, tag: str, scores: Sequence[Score]) -> GateResult:
    estimate = measure(gate.metric(tag), scores, tag=tag, confidence=gates.confidence)
    return result_of(gate, tag, estimate, gates.confidence)


def result_of(gate: Gate, tag: str, estimate: Estimate, confidence: float = CONFIDENCE) -> GateResult:
    """One gate held against a number that was measured, overall or for a tag."""
    status, reason = _status(gate, gate.demand(tag), estimate)
    needed = _items_needed(gate, gate.demand(tag), estimate, confidence) if status is Status.UNDECIDED else None
    if needed:
        reason += f"; needs {needed} more items"
    return GateResult(gate, tag, estimate, status, reason, needed)


def _status(gate: Gate, demand: float, estimate: Estimate) -> tuple[Status, str]:
    if estimate.value is None:
        return Status.UNDECIDED, "nothing was scored"
    if _failed(gate, demand, estimate):
        return Status.FAILED, _shortfall(gate, demand, estimate)
    if estimate.judge_error_rate > gate.max_judge_error_rate:
        return Status.UNDECIDED, (
            f"{estimate.judge_errors} of {estimate.scored + estimate.judge_errors} answers could not be judged"
        )
    if not estimate.enough:
        return Status.UNDECIDED, f"only {estimate.scored} of at least {estimate.minimum_scored} items"
    bound = estimate.interval.low if gate.at_least is not None else estimate.interval.high
    if (bound >= demand) if gate.at_least is not None else (bound <= demand):
        return Status.PASSED, "reached with confidence"
    return Status.UNDECIDED, _shortfall(gate, demand, estimate)


def _failed(gate: Gate, demand: float, estimate: Estimate) -> bool:
    """Whether the shortfall is shown.

    A hard gate also fails on the observed rate alone once there are enough items: harm that was seen is not excused by
    a wide interval.
    """
    if gate.at_least is not None:
        return estimate.interval.high < demand
    observed = estimate.value is not None and estimate.value > demand
    seen = gate.strictness is Strictness.HARD and estimate.enough and observed
    return seen or estimate.interval.low > demand


def _shortfall(gate: Gate, demand: float, estimate: Estimate) -> str:
    shown = percent if gate.statistic in _SHARES else number
    low, high = estimate.interval
    word = "at least" if gate.at_least is not None else "at most"
    return f"{shown(estimate.value or 0.0)} (between {shown(low)} and {shown(high)}), demanded {word} {shown(demand)}"


def _items_needed(gate: Gate, demand: float, estimate: Estimate, confidence: float) -> int | None:
    """The items still missing for a pass; None when no number of items would bring it."""
    if estimate.value is None:
        return estimate.minimum_scored
    if gate.statistic in _SHARES:
        search = items_until_above if gate.at_least is not None else items_until_below
        total = search(estimate.value, demand, confidence)
    else:
        total = _items_for_mean(gate, demand, estimate, confidence)
    if total is None:
        return None
    # Weighted items carry less information each, so more of them are needed.
    total = math.ceil(total * estimate.scored / (estimate.effective_count or estimate.scored))
    return max(0, max(total, estimate.minimum_scored) - estimate.scored) or None


def _items_for_mean(gate: Gate, demand: float, estimate: Estimate, confidence: float) -> int | None:
    margin = (estimate.value or 0.0) - demand
    margin = margin if gate.at_least is not None else -margin
    if margin <= 0:
        return None
    spread = estimate.standard_error * math.sqrt(estimate.scored)
    return math.ceil((normal_quantile(confidence) * spread / margin) ** 2)


def _regression_reason(found: Comparison) -> str:
    place = f"{found.gate} [{found.tag}]" if found.tag else found.gate
    evidence = f"p = {found.p_value:.2g}, {found.pairs} pairs"
    return f"{place}: worse than the baseline by {number(abs(found.change))} ({evidence})"


def percent(value: float) -> str:
    """A share for readers."""
    return f"{100 * value:.1f} %"


def number(value: float) -> str:
    """A number for readers."""
    return f"{value:.3g}"
