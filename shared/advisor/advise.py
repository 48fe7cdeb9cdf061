"""The ranked report: which change would have saved how much, and how sure that is."""

from collections.abc import Sequence
from typing import Any

from shared.advisor import app_rules, model_rules
from shared.advisor.finding import Basis, Finding, Needs, Rule
from shared.advisor.journeys import Journey
from shared.advisor.numbers import quantile, resamples

RULES: tuple[Rule, ...] = (
    app_rules.sequential_context,
    app_rules.slow_context,
    app_rules.cold_start,
    app_rules.slow_store,
    app_rules.slow_client,
    app_rules.slow_relay,
    model_rules.far_region,
    model_rules.slow_deployment,
    model_rules.large_prompt,
    model_rules.long_answers,
    model_rules.quota,
    model_rules.few_workers,
    model_rules.failing_calls,
)
CAUSES = tuple(rule.__name__ for rule in RULES)
FEWEST_TURNS = 10
"""Fewer turns say nothing."""
WORTH_SHARE, WORTH_MS = 0.02, 5.0
"""A change that saves less than this of the mean wait is not worth a line."""
BOOTSTRAP_ROUNDS = 200
SURE_TURNS = 20


def advise(turns: Sequence[Journey], needs: Needs = Needs()) -> dict[str, Any]:  # noqa: B008  frozen
    """What would be saved, best first.

    Returns:
        `turns`, `wait_ms` (p50, p95, mean), and `advice`: for each change rank, cause, subject, change, affected
        (turns), gain_ms (p50, p95, mean, each with a 95 % interval), sure (high, medium, low), basis and numbers.
    """
    waits = [turn.total_ms for turn in turns]
    report: dict[str, Any] = {"turns": len(turns), "wait_ms": _shape(waits), "advice": []}
    if len(turns) < FEWEST_TURNS:
        report["note"] = f"Advice needs at least {FEWEST_TURNS} answered turns."
        return report
    samples = resamples(len(turns), rounds=BOOTSTRAP_ROUNDS)
    findings = [finding for rule in RULES for finding in rule(turns, needs) if _worth(finding, waits)]
    ranked = sorted(findings, key=lambda finding: -sum(finding.saved))
    report["advice"] = [_told(rank, finding, waits, samples) for rank, finding in enumerate(ranked, 1)]
    return report


def _worth(finding: Finding, waits: Sequence[float]) -> bool:
    return sum(finding.saved) >= max(WORTH_MS * len(waits), WORTH_SHARE * sum(waits))


def _told(rank: int, finding: Finding, waits: Sequence[float], samples: Sequence[Sequence[int]]) -> dict[str, Any]:
    gains = [_gain(waits, finding.saved, sample) for sample in samples]
    gain: dict[str, dict[str, Any]] = {
        name: {
            "predicted": round(value, 1),
            "interval": [
                round(quantile([one[name] for one in gains], share) * unsure, 1)
                for share, unsure in zip((0.025, 0.975), finding.unsure, strict=True)
            ],
        }
        for name, value in _gain(waits, finding.saved, range(len(waits))).items()
    }
    affected = sum(saved > 0 for saved in finding.saved)
    return {
        "rank": rank,
        "cause": finding.cause,
        "subject": finding.subject,
        "change": finding.change,
        "affected": affected,
        "gain_ms": gain,
        "sure": _sure(finding.basis, affected, gain["mean"]["interval"][0]),
        "basis": finding.basis.value,
        "numbers": {
            name: round(value, 3) if isinstance(value, float) else value for name, value in finding.numbers.items()
        },
    }


def _gain(waits: Sequence[float], saved: Sequence[float], places: Sequence[int]) -> dict[str, float]:
    """How much shorter the wait's shape would be."""
    before = _shape([waits[place] for place in places])
    after = _shape([max(0.0, waits[place] - saved[place]) for place in places])
    return {name: before[name] - after[name] for name in before}


def _shape(waits: Sequence[float]) -> dict[str, float]:
    return {
        "p50": round(quantile(waits, 0.5), 3),
        "p95": round(quantile(waits, 0.95), 3),
        "mean": round(sum(waits) / len(waits), 3) if waits else 0.0,
    }


def _sure(basis: Basis, affected: int, least_gain: float) -> str:
    """High needs the better case measured in many turns; an assumed one is never more than medium."""
    if affected < FEWEST_TURNS // 2 or least_gain <= 0:
        return "low"
    return "high" if basis is Basis.MEASURED and affected >= SURE_TURNS else "medium"
