"""Means of scores, with a seeded percentile bootstrap for this and any other statistic."""

import math
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.evaluation.stats.interval import CONFIDENCE, Interval, normal_quantile

RESAMPLES = 1_000
_BOOTSTRAP_MOST_VALUES = 2_000

Row = TypeVar("Row")


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """The sample variance (n - 1); 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1)


def standard_error(values: Sequence[float]) -> float:
    """The standard error of the mean; 0 without values."""
    return math.sqrt(variance(values) / len(values)) if values else 0.0


def mean_interval(values: Sequence[float], *, seed: int, confidence: float = CONFIDENCE) -> Interval:
    """The percentile bootstrap interval of the mean.

    Above 2,000 values the normal interval is returned: the two agree there, and it costs nothing.
    """
    if len(values) > _BOOTSTRAP_MOST_VALUES:
        half = normal_quantile(confidence) * standard_error(values)
        return Interval(mean(values) - half, mean(values) + half)
    return bootstrap(values, mean, seed=seed, confidence=confidence)


def bootstrap(
    rows: Sequence[Row],
    statistic: Callable[[Sequence[Row]], float],
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """The percentile bootstrap interval of a statistic of exchangeable rows."""
    generator = random.Random(seed)  # noqa: S311 - a reproducible draw, nothing secret
    draws = sorted(statistic(generator.choices(rows, k=len(rows))) for _ in range(resamples))
    tail = (1 - confidence) / 2
    return Interval(quantile(draws, tail), quantile(draws, 1 - tail))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of sorted values, linear between neighbours."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def quantile_interval(ordered: Sequence[float], share: float, confidence: float = CONFIDENCE) -> Interval:
    """A distribution-free interval for a quantile, from the normal approximation to the ranks."""
    count = len(ordered)
    half = normal_quantile(confidence) * math.sqrt(count * share * (1 - share))
    low = max(0, math.floor(count * share - half) - 1)
    high = min(count - 1, math.ceil(count * share + half))
    return Interval(ordered[low], ordered[high])
