"""Mathematical functions. What has no finite result is undefined."""

import math
import secrets
from collections.abc import Callable
from typing import Any

from local.cosmos.sql.functions.registry import NUMBERS, function
from local.cosmos.sql.values import UNDEFINED, number

_INT64 = 2**63


def _finite(compute: Callable[..., float]) -> Callable[..., Any]:
    def call(*arguments: float) -> Any:
        try:
            return number(compute(*map(float, arguments)))
        except (ValueError, OverflowError, ZeroDivisionError):
            return UNDEFINED

    return call


def _rounded(value: float, digits: float = 0.0) -> float:
    scale = 10.0 ** int(digits)
    scaled = abs(value) * scale
    if not math.isfinite(scaled) or scaled >= 2**52:
        return value
    return math.copysign(math.floor(scaled + 0.5) / scale, value)


for _name, _compute in (
    ("ABS", abs),
    ("ACOS", math.acos),
    ("ASIN", math.asin),
    ("ATAN", math.atan),
    ("CEILING", math.ceil),
    ("COS", math.cos),
    ("COT", lambda value: 1 / math.tan(value)),
    ("DEGREES", math.degrees),
    ("EXP", math.exp),
    ("FLOOR", math.floor),
    ("LOG10", math.log10),
    ("RADIANS", math.radians),
    ("SIGN", lambda value: (value > 0) - (value < 0)),
    ("SIN", math.sin),
    ("SQRT", math.sqrt),
    ("SQUARE", lambda value: value * value),
    ("TAN", math.tan),
    ("TRUNC", math.trunc),
):
    function(_name, NUMBERS)(_finite(_compute))

function("ATN2", NUMBERS, NUMBERS)(_finite(math.atan2))
function("POWER", NUMBERS, NUMBERS)(_finite(math.pow))
function("LOG", NUMBERS, NUMBERS, optional=1)(_finite(math.log))
function("ROUND", NUMBERS, NUMBERS, optional=1)(_finite(_rounded))
function("PI")(lambda: math.pi)
function("RAND")(secrets.SystemRandom().random)


@function("NUMBERBIN", NUMBERS, NUMBERS, optional=1)
def number_bin(value: float, size: float = 1) -> Any:
    """A number rounded down to a multiple of the bin size."""
    return number(math.floor(value / size) * size) if size > 0 and math.isfinite(value / size) else UNDEFINED


def _on_int64(compute: Callable[[int, int], int]) -> Callable[[float, float], Any]:
    def call(left: float, right: float) -> Any:
        if left != int(left) or right != int(right) or max(abs(left), abs(right)) >= _INT64:
            return UNDEFINED
        try:
            result = compute(int(left), int(right))
        except (ZeroDivisionError, ValueError):
            return UNDEFINED
        return (result + _INT64) % (2 * _INT64) - _INT64

    return call


def _shift_left(value: int, places: int) -> int:
    return value << _places(places)


def _shift_right(value: int, places: int) -> int:
    return value >> _places(places)


def _places(places: int) -> int:
    if not 0 <= places < 64:
        raise ValueError("a 64-bit number is shifted by 0 to 63 places")
    return places


def _truncated_quotient(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _truncated_remainder(left: int, right: int) -> int:
    return left - right * _truncated_quotient(left, right)


INTEGER_OPERATIONS: dict[str, Callable[[float, float], Any]] = {
    "&": _on_int64(int.__and__),
    "|": _on_int64(int.__or__),
    "^": _on_int64(int.__xor__),
    "<<": _on_int64(_shift_left),
    ">>": _on_int64(_shift_right),
    ">>>": _on_int64(lambda value, places: (value % (2 * _INT64)) >> _places(places)),
}

for _name, _integer in (
    ("INTADD", _on_int64(int.__add__)),
    ("INTSUB", _on_int64(int.__sub__)),
    ("INTMUL", _on_int64(int.__mul__)),
    ("INTDIV", _on_int64(_truncated_quotient)),
    ("INTMOD", _on_int64(_truncated_remainder)),
    ("INTBITAND", INTEGER_OPERATIONS["&"]),
    ("INTBITOR", INTEGER_OPERATIONS["|"]),
    ("INTBITXOR", INTEGER_OPERATIONS["^"]),
    ("INTBITLEFTSHIFT", INTEGER_OPERATIONS["<<"]),
    ("INTBITRIGHTSHIFT", INTEGER_OPERATIONS[">>"]),
):
    function(_name, NUMBERS, NUMBERS)(_integer)


@function("INTBITNOT", NUMBERS)
def bit_not(value: float) -> Any:
    """Every bit of a 64-bit integer flipped."""
    return ~int(value) if value == int(value) and abs(value) < _INT64 else UNDEFINED
