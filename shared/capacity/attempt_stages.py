"""The stages of an attempt, from the moments that its watch has noted."""

from typing import Any

from shared.capacity.calls import Answering
from shared.policies.classify import Outcome
from shared.telemetry.attempt_watch import ABANDONED, AttemptWatch
from shared.timelines import stages
from shared.timelines.timeline import Timeline


def mark_attempt(timeline: Timeline, answering: Answering) -> None:
    """Marks what led to the first token: calls that gave no answer, wait for budget, connection, the model itself.

    With several calls the time of those that gave no answer comes first and all waits for budget after it, whatever
    their real order; the lengths are exact.
    """
    watch, begin = answering.watch, timeline.end
    called, opened = timeline.moment(watch.began), timeline.moment(watch.opened)
    lost = _lost_seconds(answering.attempts, called - begin)
    if lost > 0:
        timeline.mark(stages.RETRY, min(begin + lost, called))
    timeline.mark(stages.GRANT, called)
    timeline.mark(stages.CONNECT, opened)
    timeline.mark(stages.FIRST_TOKEN)
    timeline.notes["deployment"] = answering.deployment.name
    timeline.notes["region"] = answering.deployment.region


def _lost_seconds(entries: list[dict[str, Any]], most: float) -> float:
    """Time of the calls that gave no answer; when a hedge won, all the time before it."""
    won = [entry for entry in entries if entry["outcome"] == Outcome.SUCCESS.value]
    if won and won[-1].get("hedge"):
        return most
    # A call that was given up ran beside the one that answered, so its time is not lost as well.
    refused = (entry for entry in entries if entry["outcome"] not in {Outcome.SUCCESS.value, ABANDONED})
    return sum(float(entry["duration_ms"]) for entry in refused) / 1000


def pauses(watch: AttemptWatch) -> dict[str, Any]:
    """Time between tokens: how many pieces of text came, their mean pause and the longest one."""
    mean, longest = watch.between_tokens_seconds, watch.longest_pause_seconds
    return {
        "pieces": watch.pieces,
        "between_ms": None if mean is None else round(mean * 1000, 3),
        "longest_ms": None if longest is None else round(longest * 1000, 3),
    }
