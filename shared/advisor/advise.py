"""The ranked report: which change would have saved how much, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.advisor import app_rules, model_rules
from shared.advisor.finding import Basis, Finding, Needs, Rule
from shared.advisor.journeys import Journey
from shared.advisor.numbers import quantile, quantile_of, resamples

Sample = tuple[Sequence[int], Mapping[str, float]]
"""A resample: places of turns, and the shape of their waits."""
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
FEWEST_ROUNDS, MOST_ROUNDS, DRAWS = 50, 200, 60_000
"""Rounds of the bootstrap: fewer with many turns, which need them less; so a report takes no second of processor."""
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
    places = resamples(len(turns), rounds=max(FEWEST_ROUNDS, min(MOST_ROUNDS, DRAWS // len(turns))))
    samples = [(sample, _shape([waits[place] for place in sample])) for sample in places]
    findings = [finding for rule in RULES for finding in rule(turns, needs) if _worth(finding, waits)]
    ranked = sorted(findings, key=lambda finding: -sum(finding.saved))
    report["advice"] = [_told(rank, finding, waits, samples) for rank, finding in enumerate(ranked, 1)]
    return report


def _worth(finding: Finding, waits: Sequence[float]) -> bool:
    return sum(finding.saved) >= max(WORTH_MS * len(waits), WORTH_SHARE * sum(waits))


def _told(rank: int, finding: Finding, waits: Sequence[float], samples: Sequence[Sample]) -> dict[str, Any]:
    left = [max(0.0, wait - saved) for wait, saved in zip(waits, finding.saved, strict=True)]
    gains = [_gain(before, _shape([left[place] for place in places])) for places, before in samples]
    gain: dict[str, dict[str, Any]] = {
        name: {
            "predicted": round(value, 1),
            "interval": [
                round(quantile([one[name] for one in gains], share) * unsure, 1)
                for share, unsure in zip((0.025, 0.975), finding.unsure, strict=True)
            ],
        }
        for name, value in _gain(_shape(waits), _shape(left)).items()
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


def _gain(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How much shorter the wait's shape would be."""
    return {name: before[name] - after[name] for name in before}


def _shape(waits: Sequence[float]) -> dict[str, float]:
    ordered = sorted(waits)
    return {
        "p50": round(quantile_of(ordered, 0.5), 3),
        "p95": round(quantile_of(ordered, 0.95), 3),
        "mean": round(sum(waits) / len(waits), 3) if waits else 0.0,
    }


def _sure(basis: Basis, affected: int, least_gain: float) -> str:
    """High needs the better case measured in many turns; an assumed one is never more than medium."""
    if affected < FEWEST_TURNS // 2 or least_gain <= 0:
        return "low"
    return "high" if basis is Basis.MEASURED and affected >= SURE_TURNS else "medium"
