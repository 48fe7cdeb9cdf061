"""The few statistics that the advisor needs."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, median

PAIRS = 20_000
"""Slopes are taken over so many pairs at most."""
Z = NormalDist().inv_cdf(0.975)


def quantile(values: Sequence[float], share: float) -> float:
    """With linear interpolation between order statistics; 0 without values."""
    return quantile_of(sorted(values), share)


def quantile_of(ordered: Sequence[float], share: float) -> float:
    """The same of values in order."""
    if not ordered:
        return 0.0
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope with its 95 % interval."""

    value: float
    low: float
    high: float


def slope(groups: Iterable[Sequence[tuple[float, float]]], *, seed: int = 0) -> Slope:
    """Theil's and Sen's slope of y over x within groups: the median of the slopes between pairs, and Sen's interval.

    Source: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968.
    """
    draw = random.Random(seed)  # noqa: S311  a sample of pairs, repeatable
    pairs: list[tuple[tuple[float, float], tuple[float, float]]] = []
    variance = 0.0
    for points in groups:
        pairs += combinations(points, 2)
        n = len(points)
        variance += n * (n - 1) * (2 * n + 5) / 18
    of = len(pairs)
    if of > PAIRS:
        pairs = draw.sample(pairs, PAIRS)
    found = sorted((two[1] - one[1]) / (two[0] - one[0]) for one, two in pairs if one[0] != two[0])
    if not found:
        return Slope(0.0, 0.0, 0.0)
    # Ranks of the bounds among all pairs, carried over to those that were drawn.
    half = Z * math.sqrt(variance) / of * len(found) / 2
    middle = len(found) / 2
    low, high = max(0, math.floor(middle - half)), min(len(found) - 1, math.ceil(middle + half))
    return Slope(median(found), found[low], found[high])


def resamples(count: int, *, rounds: int, seed: int = 0) -> list[list[int]]:
    """Places of bootstrap samples of `count` things."""
    draw = random.Random(seed)  # noqa: S311  a bootstrap, repeatable
    return [draw.choices(range(count), k=count) for _ in range(rounds)]
