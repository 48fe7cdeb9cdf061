"""The interval every estimate carries, and the normal quantile it is built from."""

from functools import cache
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A two-sided confidence interval."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        """Whether `value` lies inside, ends included."""
        return isinstance(value, int | float) and self.low <= value <= self.high


@cache
def normal_quantile(confidence: float = CONFIDENCE) -> float:
    """The z of a two-sided interval: 1.96 for 95 %."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
