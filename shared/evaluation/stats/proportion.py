"""Proportions: Wilson's score interval and the number of items a decision needs."""

import math
from collections.abc import Callable

from shared.evaluation.stats.interval import CONFIDENCE, Interval, normal_quantile

_MOST_ITEMS = 1_000_000


def wilson(successes: float, count: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval without continuity correction.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). `count` may be an effective sample size. With no items
    nothing is known: the interval is 0 to 1.
    """
    if count <= 0:
        return Interval(0.0, 1.0)
    z = normal_quantile(confidence)
    rate = successes / count
    centre = rate + z * z / (2 * count)
    half = z * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    low = 0.0 if successes <= 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if successes >= count else min(1.0, (centre + half) / scale)
    return Interval(low, high)


def standard_error(rate: float, count: float) -> float:
    """sqrt(p(1-p)/n); 0 without items."""
    return math.sqrt(rate * (1 - rate) / count) if count > 0 else 0.0


def items_until_below(rate: float, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """The fewest items at which the upper bound is at most `limit` if the rate stays; None when it never will be."""
    if rate >= limit:
        return None
    return _fewest(lambda count: wilson(rate * count, count, confidence).high <= limit)


def items_until_above(rate: float, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """The fewest items at which the lower bound is at least `limit` if the rate stays; None when it never will be."""
    return items_until_below(1 - rate, 1 - limit, confidence)


def _fewest(decided: Callable[[int], bool]) -> int | None:
    low, high = 1, 1
    while not decided(high):
        low, high = high + 1, high * 2
        if high > _MOST_ITEMS:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle + 1, high)
    return low
