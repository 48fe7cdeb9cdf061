"""Similarity of vectors, exact (brute force)."""

import math
import operator
from typing import Any, Final

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.values import UNDEFINED

COSINE, DOT_PRODUCT, EUCLIDEAN = "cosine", "dotproduct", "euclidean"
MEASURES: Final = (COSINE, DOT_PRODUCT, EUCLIDEAN)
_NUMBERS: Final = frozenset({int, float})


def measure_named(name: Any) -> str:
    """The distance function of a policy or of a query's options.

    Raises:
        QueryError: There is none of that name.
    """
    if not isinstance(name, str) or name.lower() not in MEASURES:
        raise QueryError(f"distanceFunction must be one of {', '.join(MEASURES)}.")
    return name.lower()


def most_similar_is_largest(measure: str) -> bool:
    """Whether larger scores mean more similar vectors."""
    return measure != EUCLIDEAN


def score(left: Any, right: Any, measure: str) -> Any:
    """Cosine similarity, dot product or Euclidean distance.

    Returns:
        The score, or undefined when either is no vector of numbers or their lengths differ.
    """
    if type(left) is not list or type(right) is not list or len(left) != len(right) or not left:
        return UNDEFINED
    if not (set(map(type, left)) <= _NUMBERS and set(map(type, right)) <= _NUMBERS):
        return UNDEFINED
    if measure == EUCLIDEAN:
        return math.dist(left, right)
    product = sum(map(operator.mul, left, right))
    if measure == DOT_PRODUCT:
        return product
    lengths = math.hypot(*left) * math.hypot(*right)
    return product / lengths if lengths else UNDEFINED
