"""What the operators compute, in three-valued logic: a wrong type gives undefined."""

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from local.cosmos.sql.functions.numbers import INTEGER_OPERATIONS
from local.cosmos.sql.functions.registry import bounded
from local.cosmos.sql.values import (
    BOOLEAN,
    NULL,
    STRING,
    UNDEFINED,
    differs,
    equals,
    is_number,
    number,
    rank,
)

Operator = Callable[[Any, Any], Any]


def _comparison(compare: Operator, *, for_nulls: bool) -> Operator:
    def call(left: Any, right: Any) -> Any:
        kind = rank(left)
        if kind != rank(right):
            return UNDEFINED
        if kind == NULL:
            return for_nulls
        return compare(left, right) if BOOLEAN <= kind <= STRING else UNDEFINED

    return call


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Operator:
    def call(left: Any, right: Any) -> Any:
        if not (is_number(left) and is_number(right)):
            return UNDEFINED
        try:
            return number(compute(left, right))
        except (ZeroDivisionError, ValueError, OverflowError):
            return UNDEFINED

    return call


def _bitwise(compute: Operator) -> Operator:
    def call(left: Any, right: Any) -> Any:
        return compute(left, right) if is_number(left) and is_number(right) else UNDEFINED

    return call


def _concatenate(left: Any, right: Any) -> Any:
    if type(left) is not str or type(right) is not str:
        return UNDEFINED
    bounded(len(left) + len(right))
    return left + right


BINARY: Final[dict[str, Operator]] = {
    "=": equals,
    "!=": differs,
    "<": _comparison(operator.lt, for_nulls=False),
    "<=": _comparison(operator.le, for_nulls=True),
    ">": _comparison(operator.gt, for_nulls=False),
    ">=": _comparison(operator.ge, for_nulls=True),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(operator.truediv),
    "%": _arithmetic(math.fmod),
    "||": _concatenate,
    **{sign: _bitwise(compute) for sign, compute in INTEGER_OPERATIONS.items()},
}


def negate(value: Any) -> Any:
    """NOT: undefined for anything but true and false."""
    return not value if type(value) is bool else UNDEFINED


def minus(value: Any) -> Any:
    """Unary minus."""
    return -value if is_number(value) else UNDEFINED


def plus(value: Any) -> Any:
    """Unary plus."""
    return value if is_number(value) else UNDEFINED


def complement(value: Any) -> Any:
    """Every bit of an integer flipped."""
    return ~int(value) if is_number(value) and value == int(value) else UNDEFINED


UNARY: Final[dict[str, Callable[[Any], Any]]] = {"NOT": negate, "-": minus, "+": plus, "~": complement}
