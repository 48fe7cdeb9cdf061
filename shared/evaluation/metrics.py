"""Metrics: how many scores become one number with a standard error and an interval."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.evaluation.estimate import Estimate
from shared.evaluation.records import Score, State
from shared.evaluation.stats import mean as means
from shared.evaluation.stats.classification import macro_f1
from shared.evaluation.stats.interval import CONFIDENCE, Interval, normal_quantile
from shared.evaluation.stats.proportion import standard_error, wilson
from shared.evaluation.stats.weighted import Weighted, weighted_mean, weighted_mean_interval, weighted_rate_interval

SEED = 20_241


class Kind(StrEnum):
    """How the scores are summed up."""

    RATE = "rate"
    """Share of scores that passed."""
    DEFECT_RATE = "defect_rate"
    """Share of scores that did not pass."""
    MEAN = "mean"
    P95 = "p95"
    """The 95th percentile; weights are not taken into account."""
    MACRO_RATE = "macro_rate"
    """Mean of the pass rates of the groups in `details["group"]`."""
    MACRO_F1 = "macro_f1"
    """Over `details["expected"]` and the score's label."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What to compute from which evaluator's scores."""

    name: str
    evaluator: str
    kind: Kind
    minimum_scored: int = 30
    about: str = ""


def measure(
    metric: Metric, scores: Iterable[Score], *, tag: str = "", confidence: float = CONFIDENCE, seed: int = SEED
) -> Estimate:
    """Compute `metric` over the scores of its evaluator, all or those with `tag`."""
    mine = [score for score in scores if score.evaluator == metric.evaluator and (not tag or tag in score.tags)]
    valid = [score for score in mine if _counts(score, metric.kind)]
    value, error, interval, effective, method = _compute(metric.kind, valid, confidence, seed)
    return Estimate(
        metric=metric.name,
        value=value,
        standard_error=error,
        interval=interval,
        scored=len(valid),
        skipped=sum(score.state is State.SKIPPED for score in mine),
        judge_errors=sum(score.state is State.JUDGE_ERROR for score in mine),
        minimum_scored=metric.minimum_scored,
        effective_count=effective,
        method=method,
        tag=tag,
    )


_Result = tuple[float | None, float, Interval, float, str]
_RATES = (Kind.RATE, Kind.DEFECT_RATE, Kind.MACRO_RATE)


def _counts(score: Score, kind: Kind) -> bool:
    if score.state is not State.SCORED:
        return False
    return score.passed is not None if kind in _RATES else kind is Kind.MACRO_F1 or score.value is not None


def _compute(kind: Kind, scores: Sequence[Score], confidence: float, seed: int) -> _Result:
    if not scores:
        unknown = Interval(0.0, 1.0) if kind in _RATES or kind is Kind.MACRO_F1 else Interval(-math.inf, math.inf)
        return None, 0.0, unknown, 0.0, "no scored items"
    if kind is Kind.MACRO_F1:
        return _macro_f1(scores, confidence, seed)
    if kind is Kind.MACRO_RATE:
        return _macro_rate(scores, confidence)
    if kind in (Kind.RATE, Kind.DEFECT_RATE):
        wanted = kind is Kind.RATE
        return _rate(_rows(scores, [float(score.passed is wanted) for score in scores]), confidence)
    values = [score.value for score in scores if score.value is not None]
    if kind is Kind.P95:
        return _p95(values, confidence)
    return _mean(_rows(scores, values), confidence, seed)


def _rows(scores: Sequence[Score], values: Sequence[float]) -> list[Weighted]:
    return [
        Weighted(value, score.weight, score.cluster or f"{score.item_id}/{position}")
        for position, (score, value) in enumerate(zip(scores, values, strict=True))
    ]


def _is_plain(rows: Sequence[Weighted]) -> bool:
    return len({row.weight for row in rows}) == 1 and len({row.cluster for row in rows}) == len(rows)


def _rate(rows: Sequence[Weighted], confidence: float) -> _Result:
    if _is_plain(rows):
        count, hits = len(rows), math.fsum(row.value for row in rows)
        return hits / count, standard_error(hits / count, count), wilson(hits, count, confidence), count, "Wilson"
    estimate = weighted_mean(rows)
    interval = weighted_rate_interval(rows, confidence)
    return estimate.value, estimate.standard_error, interval, estimate.effective_count, "weighted, Wilson"


def _mean(rows: Sequence[Weighted], confidence: float, seed: int) -> _Result:
    if _is_plain(rows):
        values = [row.value for row in rows]
        interval = means.mean_interval(values, seed=seed, confidence=confidence)
        return means.mean(values), means.standard_error(values), interval, len(values), f"bootstrap, seed {seed}"
    estimate = weighted_mean(rows)
    interval = weighted_mean_interval(rows, confidence)
    return estimate.value, estimate.standard_error, interval, estimate.effective_count, "weighted, linearised"


def _p95(values: Sequence[float], confidence: float) -> _Result:
    ordered = sorted(values)
    interval = means.quantile_interval(ordered, 0.95, confidence)
    error = (interval.high - interval.low) / (2 * normal_quantile(confidence))
    return means.quantile(ordered, 0.95), error, interval, len(ordered), "order statistics"


def _macro_rate(scores: Sequence[Score], confidence: float) -> _Result:
    groups: dict[str, list[bool]] = defaultdict(list)
    for score in scores:
        groups[str(score.details.get("group", ""))].append(score.passed is True)
    rates = [(sum(group) / len(group), len(group)) for group in groups.values()]
    value = means.mean([rate for rate, _ in rates])
    error = math.sqrt(math.fsum(standard_error(rate, count) ** 2 for rate, count in rates)) / len(rates)
    half = normal_quantile(confidence) * error
    interval = Interval(max(0.0, value - half), min(1.0, value + half))
    return value, error, interval, len(scores), f"mean of {len(rates)} groups"


def _macro_f1(scores: Sequence[Score], confidence: float, seed: int) -> _Result:
    pairs = [(str(score.details["expected"]), score.label) for score in scores]
    interval = means.bootstrap(pairs, macro_f1, seed=seed, confidence=confidence)
    error = (interval.high - interval.low) / (2 * normal_quantile(confidence))
    return macro_f1(pairs), error, interval, len(pairs), f"bootstrap, seed {seed}"
