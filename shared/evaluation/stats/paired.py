"""Comparison of two runs over the same items."""

import math
from collections.abc import Sequence


def mcnemar_p(worse: int, better: int) -> float:
    """The exact two-sided p value of McNemar's test.

    Args:
        worse: items that passed in the baseline and fail now.
        better: items that failed in the baseline and pass now.
    """
    changed = worse + better
    if changed == 0:
        return 1.0
    term = math.comb(changed, 0)
    tail = term
    for successes in range(1, min(worse, better) + 1):
        term = term * (changed - successes + 1) // successes
        tail += term
    # Whole numbers until here, because 2^-n is zero as a float for n > 1,074.
    return min(1.0, (2 * tail * 10**18 >> changed) / 10**18)


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Which hypotheses Holm's step-down procedure rejects at a family-wise error of `level`."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    rejected = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > level / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected
