"""Agreement of two raters beyond chance."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from shared.evaluation.stats.interval import CONFIDENCE, Interval
from shared.evaluation.stats.proportion import wilson


class Kappa(NamedTuple):
    """Cohen's kappa with its large-sample standard error and interval."""

    value: float
    standard_error: float
    interval: Interval


def cohens_kappa(pairs: Sequence[tuple[str, str]], confidence: float = CONFIDENCE) -> Kappa:
    """Cohen's kappa, with the variance of Fleiss, Cohen and Everitt (1969).

    kappa = (observed - expected) / (1 - expected). When both raters use one and the same label throughout there is no
    chance-corrected agreement to speak of: kappa is 0 and its interval -1 to 1.
    """
    count = len(pairs)
    cells = {cell: number / count for cell, number in Counter(pairs).items()}
    labels = sorted({label for pair in pairs for label in pair})
    first = {label: sum(share for (a, _), share in cells.items() if a == label) for label in labels}
    second = {label: sum(share for (_, b), share in cells.items() if b == label) for label in labels}
    observed = sum(cells.get((label, label), 0.0) for label in labels)
    expected = sum(first[label] * second[label] for label in labels)
    if count == 0 or expected >= 1:
        return Kappa(0.0, 0.0, Interval(-1.0, 1.0))
    kappa = (observed - expected) / (1 - expected)
    on_diagonal = sum(
        cells.get((label, label), 0.0) * (1 - (first[label] + second[label]) * (1 - kappa)) ** 2 for label in labels
    )
    off_diagonal = sum(share * (second[a] + first[b]) ** 2 for (a, b), share in cells.items() if a != b)
    correction = (kappa - expected * (1 - kappa)) ** 2
    variance = (on_diagonal + off_diagonal * (1 - kappa) ** 2 - correction) / (count * (1 - expected) ** 2)
    error = math.sqrt(max(0.0, variance))
    return Kappa(kappa, error, _interval(observed, expected, error, count, confidence))


def _interval(observed: float, expected: float, error: float, count: int, confidence: float) -> Interval:
    """Wilson's interval of the observed agreement at the count that gives kappa's error, on the scale of kappa.

    Near perfect agreement kappa +- 1.96 errors covers too seldom, and shrinks to a point when all rows agree.
    """
    spread = observed * (1 - observed)
    effective = spread / (error * (1 - expected)) ** 2 if spread > 0 and error > 0 else count
    low, high = wilson(observed * effective, effective, confidence)
    return Interval((low - expected) / (1 - expected), (high - expected) / (1 - expected))
