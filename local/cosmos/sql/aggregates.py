"""Aggregate functions. Undefined inputs are skipped; an input of a wrong type makes the result undefined."""

from abc import ABC, abstractmethod
from typing import Any, Final

from local.cosmos.sql.values import NO_VALUE, STRING, UNDEFINED, is_number, number, rank, sort_key


class Aggregate(ABC):
    """Takes values one by one and knows the result at any time."""

    __slots__ = ()

    @abstractmethod
    def add(self, value: Any) -> None:
        """Takes one more value."""

    @abstractmethod
    def result(self) -> Any:
        """The aggregate of all values taken."""


class Count(Aggregate):
    """How many values are defined."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Any) -> None:
        self._count += value is not UNDEFINED

    def result(self) -> Any:
        return self._count


class CountIf(Count):
    """How many values are true."""

    __slots__ = ()

    def add(self, value: Any) -> None:
        self._count += value is True


class Sum(Aggregate):
    """The sum of numbers; 0 when there are none."""

    __slots__ = ("_count", "_numbers_only", "_sum")

    def __init__(self) -> None:
        self._sum: float = 0
        self._count = 0
        self._numbers_only = True

    def add(self, value: Any) -> None:
        if is_number(value):
            self._sum += value
            self._count += 1
        elif value is not UNDEFINED:
            self._numbers_only = False

    def result(self) -> Any:
        return number(self._sum) if self._numbers_only else UNDEFINED


class Average(Sum):
    """The mean of numbers; undefined when there are none."""

    __slots__ = ()

    def result(self) -> Any:
        return number(self._sum / self._count) if self._numbers_only and self._count else UNDEFINED


class Minimum(Aggregate):
    """The first value in the order over types; arrays and objects make it undefined."""

    __slots__ = ("_best", "_scalars_only")

    def __init__(self) -> None:
        self._best: Any = UNDEFINED
        self._scalars_only = True

    def add(self, value: Any) -> None:
        kind = rank(value)
        if kind > STRING:
            self._scalars_only = False
        elif kind != NO_VALUE and (self._best is UNDEFINED or self._better(sort_key(value), sort_key(self._best))):
            self._best = value

    def result(self) -> Any:
        return self._best if self._scalars_only else UNDEFINED

    def _better(self, key: tuple[int, Any], best: tuple[int, Any]) -> bool:
        return key < best


class Maximum(Minimum):
    """The last value in the order over types."""

    __slots__ = ()

    def _better(self, key: tuple[int, Any], best: tuple[int, Any]) -> bool:
        return key > best


AGGREGATE_TYPES: Final[dict[str, type[Aggregate]]] = {
    "COUNT": Count,
    "COUNTIF": CountIf,
    "SUM": Sum,
    "AVG": Average,
    "MIN": Minimum,
    "MAX": Maximum,
}
