"""Type checks. They look at undefined too, so that it is they who answer false, never undefined."""

from collections.abc import Callable
from typing import Any, Final

from local.cosmos.sql.functions.dates import is_date_time
from local.cosmos.sql.values import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, UNDEFINED, is_number, rank


def _of_kind(kind: int) -> Callable[[Any], bool]:
    return lambda value: rank(value) == kind


def _is_integer(value: Any) -> bool:
    return is_number(value) and value == int(value) and abs(value) < 2**63


TYPE_CHECKS: Final[dict[str, Callable[[Any], bool]]] = {
    "IS_ARRAY": _of_kind(ARRAY),
    "IS_BOOL": _of_kind(BOOLEAN),
    "IS_DATETIME": is_date_time,
    "IS_DEFINED": lambda value: value is not UNDEFINED,
    "IS_FINITE_NUMBER": is_number,
    "IS_INTEGER": _is_integer,
    "IS_NULL": _of_kind(NULL),
    "IS_NUMBER": _of_kind(NUMBER),
    "IS_OBJECT": _of_kind(OBJECT),
    "IS_PRIMITIVE": lambda value: NULL <= rank(value) <= STRING,
    "IS_STRING": _of_kind(STRING),
}
