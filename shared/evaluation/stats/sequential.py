"""A comparison of two means that may be looked at after every observation, without more false alarms for it.

The mixture sequential probability ratio test: Johari, Koomen, Pekelis, Walsh, "Always valid inference" (2022). Under
equal means the ratio exceeds 1 / level at any time, ever, with a probability of at most `level`.
"""

import math
from dataclasses import dataclass

LEVEL = 0.001
"""Per stream; some twenty streams are watched at a time."""
LEAST_COUNT = 30
"""Fewer observations are not taken for normally distributed."""
EFFECT = 0.3
"""The change that is looked for first, in standard deviations; larger and smaller ones are found as well."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Weighted sums of observations, small enough to be kept in a document."""

    count: int = 0
    weight: float = 0.0
    weight_squares: float = 0.0
    sum: float = 0.0
    squares: float = 0.0

    def plus(self, value: float, weight: float = 1.0) -> "Sums":
        """With one more observation."""
        return Sums(
            self.count + 1,
            self.weight + weight,
            self.weight_squares + weight**2,
            self.sum + weight * value,
            self.squares + weight * value**2,
        )

    @property
    def mean(self) -> float:
        """The weighted mean; there is at least one observation."""
        return self.sum / self.weight

    @property
    def effective_count(self) -> float:
        """How many equally weighted observations would be as informative."""
        return self.weight**2 / self.weight_squares


def changed(before: Sums, after: Sums, *, least_deviation: float, level: float = LEVEL) -> str:
    """`fell` or `rose` when the means differ beyond chance, else empty.

    Args:
        before: Observations of the accepted state.
        after: Observations since.
        least_deviation: The standard deviation is taken for at least this much, so that the first failure of something
            that never failed is no alarm.
        level: The most false alarms, however often this is asked.
    """
    if min(before.count, after.count) < LEAST_COUNT:
        return ""
    deviation = max(_pooled_deviation(before, after), least_deviation)
    if deviation == 0:
        return ""
    difference = (after.mean - before.mean) / deviation
    variance = 1 / before.effective_count + 1 / after.effective_count
    spread = EFFECT**2
    log_ratio = 0.5 * math.log(variance / (variance + spread)) + spread * difference**2 / (
        2 * variance * (variance + spread)
    )
    if log_ratio < -math.log(level):
        return ""
    return "fell" if difference < 0 else "rose"


def _pooled_deviation(before: Sums, after: Sums) -> float:
    """Within the two groups, each with its effective count; a difference between them is no spread."""
    groups = (before, after)
    within = sum(group.effective_count * max(0.0, group.squares / group.weight - group.mean**2) for group in groups)
    return math.sqrt(within / sum(group.effective_count for group in groups))
