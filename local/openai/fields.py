"""Strict reading of JSON objects: every mistake is named by its path, and nothing unknown is ignored."""

import math
from collections.abc import Mapping
from typing import Any


class FieldError(ValueError):
    """One field is wrong.

    Attributes:
        path: Where, as `latency.spread` or `deployments[2].name`.
        problem: What, as a phrase that follows the path.
    """

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path} {problem}" if path else problem)


class Fields:
    """Reads one JSON object field by field and remembers which ones were asked for."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise FieldError(path, "must be an object")
        self._values: Mapping[str, Any] = value
        self._known: set[str] = set()
        self._path = path

    def path(self, name: str) -> str:
        """The full path of one field."""
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        self._known.add(name)
        return self._values.get(name) is not None

    def raw(self, name: str) -> Any:
        """The value as it came, None when absent."""
        self._known.add(name)
        return self._values.get(name)

    def text(self, name: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
        """A string that is not empty, one of `choices` when given."""
        value = self.raw(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value:
            raise FieldError(self.path(name), "must be a string that is not empty")
        if choices and value not in choices:
            raise FieldError(self.path(name), f"must be one of {', '.join(choices)}")
        return value

    def number(
        self, name: str, default: float | None = None, *, low: float = -math.inf, high: float = math.inf
    ) -> float:
        """A finite number between `low` and `high`."""
        value = self.raw(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FieldError(self.path(name), "must be a number")
        if not math.isfinite(value) or not low <= value <= high:
            raise FieldError(self.path(name), _range("a number", low, high))
        return float(value)

    def integer(self, name: str, default: int | None = None, *, low: float = -math.inf, high: float = math.inf) -> int:
        """A whole number between `low` and `high`."""
        value = self.raw(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(self.path(name), "must be an integer")
        if not low <= value <= high:
            raise FieldError(self.path(name), _range("an integer", low, high))
        return value

    def boolean(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise FieldError(self.path(name), "must be true or false")
        return value

    def items(self, name: str) -> list[Any]:
        """A list, empty when absent."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise FieldError(self.path(name), "must be an array")
        return value

    def unknown(self) -> list[str]:
        """The fields that are there and that nobody asked for."""
        return [name for name in self._values if name not in self._known]

    def done(self) -> None:
        """Refuses fields that nobody asked for.

        Raises:
            FieldError: There is one; the known names are in the message.
        """
        if unknown := self.unknown():
            known = ", ".join(sorted(self._known))
            raise FieldError(self.path(unknown[0]), f"is not known here (known: {known})")


def _range(kind: str, low: float, high: float) -> str:
    if math.isinf(high):
        return f"must be {kind} of at least {low:.12g}"
    return f"must be {kind} between {low:.12g} and {high:.12g}"
