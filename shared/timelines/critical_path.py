"""Steps that ran beside or after one another: which of them the turn waited for, and how short the wait could be."""

from collections.abc import Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]
"""`name`, `start_ms` and `duration_ms`; `part_of` when it lies inside another, `needs` with names it has to follow."""


def critical(steps: Sequence[Step]) -> list[str]:
    """Names of the steps that made up the wait, first to last: going back from the one that ended last."""
    left = [step for step in steps if "part_of" not in step]
    path: list[str] = []
    until = float("inf")
    while left:
        over = [step for step in left if _end(step) <= until]
        if not over:
            break
        last = max(over, key=_end)
        path.append(str(last["name"]))
        until = float(last["start_ms"]) + TOLERANCE_MS
        left = [step for step in left if step is not last]
    return path[::-1]


def span_ms(steps: Sequence[Step]) -> float:
    """From the first beginning to the last end."""
    return max(map(_end, steps), default=0.0) - min((float(step["start_ms"]) for step in steps), default=0.0)


def least_ms(steps: Sequence[Step]) -> float:
    """How long the steps would take if each began as soon as what it needs is there."""
    by_name = {str(step["name"]): step for step in steps}
    ends: dict[str, float] = {}

    def end(name: str, seen: tuple[str, ...] = ()) -> float:
        if name not in by_name or name in seen:
            return 0.0
        if name not in ends:
            step = by_name[name]
            begin = max((end(other, (*seen, name)) for other in step.get("needs", ())), default=0.0)
            ends[name] = begin + float(step["duration_ms"])
        return ends[name]

    return max((end(str(step["name"])) for step in steps), default=0.0)


def _end(step: Step) -> float:
    return float(step["start_ms"]) + float(step["duration_ms"])


TOLERANCE_MS = 0.5
"""A step that began this little before another's end still followed it."""
