"""The bars of a scenario, held against the figures of an arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.lab.scenario import Bar


@dataclass(frozen=True, slots=True)
class Check:
    """One bar and how the run stands to it; a figure that was not measured does not pass."""

    bar: Bar
    value: float | None
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """For the result file."""
        wanted = {"at_most": self.bar.at_most, "at_least": self.bar.at_least, "relative_to": self.bar.relative_to}
        given = {key: value for key, value in wanted.items() if value is not None}
        value = None if self.value is None else round(self.value, 4)
        return {"what": self.bar.what, **given, "value": value, "passed": self.passed}


def check(bars: Sequence[Bar], figures: Mapping[str, Any]) -> list[Check]:
    """All bars in their order."""
    return [Check(bar, value := _value(bar, figures), _holds(bar, value)) for bar in bars]


def look_up(figures: Any, path: str) -> float | None:
    """The number at a dotted path, with list positions as numbers; None where there is none."""
    for part in path.split("."):
        if isinstance(figures, Mapping):
            figures = figures.get(part)
        elif isinstance(figures, list) and part.isdecimal() and int(part) < len(figures):
            figures = figures[int(part)]
        else:
            return None
    return float(figures) if isinstance(figures, int | float) and not isinstance(figures, bool) else None


def _value(bar: Bar, figures: Mapping[str, Any]) -> float | None:
    value = look_up(figures, bar.what)
    if value is None or bar.relative_to is None:
        return value
    base = look_up(figures, bar.relative_to)
    return value / base if base else None


def _holds(bar: Bar, value: float | None) -> bool:
    if value is None:
        return False
    return (bar.at_most is None or value <= bar.at_most) and (bar.at_least is None or value >= bar.at_least)
