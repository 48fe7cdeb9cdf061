"""Estimates from samples in which items had different chances to be drawn."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from shared.evaluation.stats.interval import CONFIDENCE, Interval, normal_quantile
from shared.evaluation.stats.proportion import wilson


class Weighted(NamedTuple):
    """One drawn value."""

    value: float
    weight: float
    """1 / inclusion probability."""
    cluster: str
    """What was drawn as a whole, such as a session."""


class WeightedMean(NamedTuple):
    """A mean with its standard error and the number of independent draws it is worth."""

    value: float
    standard_error: float
    effective_count: float


def weighted_mean(rows: Sequence[Weighted]) -> WeightedMean:
    """The ratio (Hajek) estimate sum(w y) / sum(w) with a linearised, cluster-robust standard error.

    With residuals e = w (y - mean) / sum(w) summed per cluster, Var = m / (m - 1) * sum(e^2) over the m clusters.
    The finite population is not corrected for, so the error is that of the process that made the items.
    """
    total = math.fsum(row.weight for row in rows)
    value = math.fsum(row.weight * row.value for row in rows) / total
    residuals: dict[str, float] = defaultdict(float)
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        residuals[row.cluster] += row.weight * (row.value - value) / total
        weights[row.cluster] += row.weight
    clusters = len(residuals)
    variance = math.fsum(part * part for part in residuals.values()) * clusters / max(1, clusters - 1)
    kish = total * total / math.fsum(weight * weight for weight in weights.values())
    return WeightedMean(value, math.sqrt(variance), kish)


def weighted_rate_interval(rows: Sequence[Weighted], confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval at the effective sample size p(1-p) / Var, which stays inside 0 to 1."""
    estimate = weighted_mean(rows)
    spread = estimate.value * (1 - estimate.value)
    variance = estimate.standard_error**2
    count = spread / variance if spread > 0 and variance > 0 else estimate.effective_count
    return wilson(estimate.value * count, count, confidence)


def weighted_mean_interval(rows: Sequence[Weighted], confidence: float = CONFIDENCE) -> Interval:
    """The normal interval of a weighted mean."""
    estimate = weighted_mean(rows)
    half = normal_quantile(confidence) * estimate.standard_error
    return Interval(estimate.value - half, estimate.value + half)
