"""JSON values plus `undefined`: their types, equality, order and canonical form.

The order over types is undefined < null < boolean < number < string < array < object, as the service documents for
ORDER BY. Comparing values of different types gives undefined, not false.
"""

import enum
import math
from typing import Any, Final

import orjson


class Undefined(enum.Enum):
    """The value of what is not there. It is not null."""

    UNDEFINED = "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED

NO_VALUE, NULL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT = range(7)
_RANKS: Final[dict[type, int]] = {
    Undefined: NO_VALUE,
    type(None): NULL,
    bool: BOOLEAN,
    int: NUMBER,
    float: NUMBER,
    str: STRING,
    list: ARRAY,
    dict: OBJECT,
}
EXACT_INTEGERS: Final = 2**53


def rank(value: Any) -> int:
    """The place of a value's type in the order over types."""
    return _RANKS[type(value)]


def is_number(value: Any) -> bool:
    """Whether the value is a number; true and false are not."""
    return type(value) is int or type(value) is float


def number(value: float) -> Any:
    """A computed number as JSON can carry it: integral doubles as integers, no infinity, no NaN.

    Returns:
        The number, or undefined when the result has no JSON form.
    """
    if type(value) is int:
        return value if -EXACT_INTEGERS <= value <= EXACT_INTEGERS else _double(value)
    if not math.isfinite(value):
        return UNDEFINED
    return int(value) if value.is_integer() and abs(value) <= EXACT_INTEGERS else value


def _double(value: int) -> Any:
    try:
        return float(value)
    except OverflowError:
        return UNDEFINED


def same(left: Any, right: Any) -> bool:
    """Deep equality of two defined values; true is not 1."""
    kind = _RANKS[type(left)]
    if kind != _RANKS[type(right)]:
        return False
    if kind == ARRAY:
        return len(left) == len(right) and all(map(same, left, right))
    if kind == OBJECT:
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    return bool(left == right)


def equals(left: Any, right: Any) -> Any:
    """`left = right` in three-valued logic: undefined for different types or for undefined."""
    kind = _RANKS[type(left)]
    if kind != _RANKS[type(right)] or kind == NO_VALUE:
        return UNDEFINED
    return same(left, right) if kind >= ARRAY else left == right


def differs(left: Any, right: Any) -> Any:
    """`left != right` in three-valued logic."""
    result = equals(left, right)
    return result if result is UNDEFINED else not result


def sort_key(value: Any) -> tuple[int, Any]:
    """A key under which any two values, of whatever types, have one order."""
    kind = _RANKS[type(value)]
    if kind <= NULL:
        return (kind, 0)
    if kind >= ARRAY:
        return (kind, canonical(value))
    return (kind, value)


def canonical(value: Any) -> bytes:
    """Bytes that are the same for equal values and different for others; undefined is empty."""
    if value is UNDEFINED:
        return b""
    return orjson.dumps(_with_plain_numbers(value), option=orjson.OPT_SORT_KEYS)


def _with_plain_numbers(value: Any) -> Any:
    if type(value) is float:
        return number(value)
    if type(value) is list:
        return [_with_plain_numbers(item) for item in value]
    if type(value) is dict:
        return {key: _with_plain_numbers(item) for key, item in value.items()}
    return value
