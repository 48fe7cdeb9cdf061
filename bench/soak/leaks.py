"""Whether memory and open files of the processes stay flat, although processes are killed and begin anew."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from bench.soak.processes import Sample

SETTLED_SECONDS = 480.0
"""A young process grows: it imports, connects, fills its caches, and its allocator finds its high water."""
APART_SECONDS = 180.0
"""Two samples say something of a slope when they are so far apart."""
LEAST_PAIRS = 60
MOST_GROWTH_SHARE, MOST_GROWTH_MIB = 0.10, 10.0
"""What a part may grow by in half an hour: so much of what it has, or so many MiB, whichever is more."""
CACHES_MIB = {"store": 20.0}
"""What a part keeps in memory on purpose and fills with time: the page caches of `local/cosmos/store.py`."""
MOST_HANDLES = 8.0
HALF_HOUR = 1800.0


def judge(samples: Sequence[Sample]) -> dict[str, Any]:
    """By part: memory and handles, their growth in half an hour, and whether that is flat.

    The growth is the median slope between any two samples of one process in the second half of the soak
    (Theil and Sen), and where there are samples enough no more than that of either half of that time: a leak goes on,
    while a pool of connections or an allocator makes a step and stays. A part of which too little is known, because it
    was killed too often, has no growth and counts as unknown.
    """
    if not samples:
        return {}
    begins, ends = samples[0].at, samples[-1].at
    by_part = defaultdict[str, list[Sample]](list)
    for sample in samples:
        by_part[sample.part].append(sample)
    return {part: _of_part(part, found, since=(begins + ends) / 2) for part, found in sorted(by_part.items())}


def _of_part(part: str, samples: list[Sample], *, since: float) -> dict[str, Any]:
    late = [sample for sample in samples if sample.at >= since and sample.age_seconds >= SETTLED_SECONDS]
    memory = lasting([(sample.pid, sample.at, sample.memory_mib) for sample in late])
    handles = lasting([(sample.pid, sample.at, float(sample.handles)) for sample in late])
    typical = median(sample.memory_mib for sample in samples)
    most = max(MOST_GROWTH_MIB, MOST_GROWTH_SHARE * typical, CACHES_MIB.get(part, 0.0))
    return {
        "processes": len({sample.pid for sample in samples}),
        "samples_used": len(late),
        "memory_mib": {"median": round(typical, 1), "most": max(sample.memory_mib for sample in samples)},
        "handles": {
            "median": median(sample.handles for sample in samples),
            "most": max(sample.handles for sample in samples),
        },
        "memory_growth_mib": _in_half_an_hour(memory),
        "memory_growth_allowed_mib": round(most, 1),
        "handles_growth": _in_half_an_hour(handles),
        "flat": None
        if memory is None or handles is None
        else memory * HALF_HOUR <= most and handles * HALF_HOUR <= MOST_HANDLES,
    }


def lasting(points: Sequence[tuple[int, float, float]]) -> float | None:
    """The slope of all points, or the least of it and those of both halves of their time; None when it is not known.

    Args:
        points: As in `slope`, in the order of time.
    """
    whole = slope(points)
    if whole is None:
        return None
    middle = (points[0][1] + points[-1][1]) / 2
    first = slope(point for point in points if point[1] <= middle)
    second = slope(point for point in points if point[1] > middle)
    return whole if first is None or second is None else min(whole, first, second)


def slope(points: Iterable[tuple[int, float, float]]) -> float | None:
    """The median slope a second between points of one process; None when there are too few.

    Args:
        points: Process id, time in seconds, value.
    """
    lives = defaultdict[int, list[tuple[float, float]]](list)
    for pid, at, value in points:
        lives[pid].append((at, value))
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for life in lives.values()
        for number, earlier in enumerate(life)
        for later in life[number + 1 :]
        if later[0] - earlier[0] >= APART_SECONDS
    ]
    return median(slopes) if len(slopes) >= LEAST_PAIRS else None


def _in_half_an_hour(value: float | None) -> float | None:
    return None if value is None else round(value * HALF_HOUR, 2)
