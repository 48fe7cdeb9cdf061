"""The statistics of a comparison, from the standard library alone; tests hold them against SciPy."""

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, median, stdev

NORMAL = NormalDist()


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996)."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def describe(values: Sequence[float]) -> dict[str, float]:
    """Median, interquartile range, tails and spread of at least one value."""
    mean = fmean(values)
    return {
        "n": len(values),
        "median": median(values),
        "iqr": quantile(values, 0.75) - quantile(values, 0.25),
        "p95": quantile(values, 0.95),
        "p99": quantile(values, 0.99),
        "mean": mean,
        "cv": stdev(values) / mean if len(values) > 1 and mean else 0.0,
        "least": min(values),
        "most": max(values),
    }


def share_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share; (0, 1) without a trial."""
    if n == 0:
        return 0.0, 1.0
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    share, weight = hits / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class RankTest:
    """Mann and Whitney's test: `u` of the first sample, two-sided p, and how often the second is the larger."""

    u: float
    p: float
    second_larger: float


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Do two samples come from the same distribution? Normal approximation with ties and continuity corrected."""
    ordered = sorted(second)
    # Pairs where the first is the larger, ties count half.
    u = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in first)
    pairs, n = len(first) * len(second), len(first) + len(second)
    pooled = sorted([*first, *second])
    ties = sum(count**3 - count for count in _runs(pooled))
    variance = pairs / 12 * (n + 1 - ties / (n * (n - 1))) if n > 1 else 0.0
    if variance <= 0:
        return RankTest(u, 1.0, 0.5)
    distance = max(0.0, abs(u - pairs / 2) - 0.5)
    p = min(1.0, 2 * (1 - NORMAL.cdf(distance / math.sqrt(variance))))
    return RankTest(u, p, 1 - u / pairs)


def _runs(ordered: Sequence[float]) -> list[int]:
    runs: list[int] = []
    for index, value in enumerate(ordered):
        if index and value == ordered[index - 1]:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs


def median_difference_interval(
    first: Sequence[float], second: Sequence[float], *, seed: int, rounds: int = 2000, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap of median(second) - median(first)."""
    draw = random.Random(seed)
    found = [
        median(draw.choices(second, k=len(second))) - median(draw.choices(first, k=len(first))) for _ in range(rounds)
    ]
    tail = (1 - confidence) / 2
    return quantile(found, tail), quantile(found, 1 - tail)


def holm(values: Sequence[float]) -> list[float]:
    """P values adjusted by Holm's step-down method, in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, highest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, values[index] * (len(values) - rank)))
        adjusted[index] = highest
    return adjusted
