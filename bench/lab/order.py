"""Order inside a lane and tenant: who was there first should start first."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from bench.lab.facts import Journey


def neighbours(journeys: Iterable[Journey]) -> list[tuple[Journey, Journey]]:
    """Pairs of turns of one lane and tenant of which one was surely there before the other.

    The neighbour of a turn is the last one whose acceptance its caller had been told of when this turn was sent; turns
    whose requests overlapped have no order that anybody could keep. Only turns that were started are paired.
    """
    lines = defaultdict[tuple[str, str], list[Journey]](list)
    for journey in journeys:
        if journey.accepted and journey.started_at is not None:
            lines[journey.planned.lane, journey.planned.tenant].append(journey)
    pairs = []
    for line in lines.values():
        line.sort(key=lambda journey: journey.record.accepted_at or 0.0)
        told = [journey.record.accepted_at or 0.0 for journey in line]
        for journey in line:
            before = bisect_left(told, journey.record.sent_at)
            if before:
                pairs.append((line[before - 1], journey))
    return pairs


def inversions(journeys: Iterable[Journey], *, by_more_than_seconds: float = 0.0) -> tuple[float | None, int]:
    """The share of neighbours of which the later one started first, and how many pairs there were.

    0 for first come, first served; one half for a random order. None without pairs.
    """
    pairs = neighbours(journeys)
    wrong = sum(
        (first.started_at or 0.0) - (second.started_at or 0.0) > by_more_than_seconds for first, second in pairs
    )
    return (wrong / len(pairs) if pairs else None), len(pairs)
