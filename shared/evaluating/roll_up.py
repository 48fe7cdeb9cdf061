"""Quality in production by hour: estimates with intervals, for each evaluator, deployment and prompt version."""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.evaluating.ports import Document, EvaluationStore, MetricsStore
from shared.evaluating.report import finite
from shared.evaluating.sampler import production_run
from shared.evaluation.drift import StreamKey
from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Score, State
from shared.evaluation.store import score_from_json
from shared.telemetry import log

OVERLAP_SECONDS = 300.0
"""Changes from so long before the last time are looked at again, for scores that were being written then."""
MOST_LOOK_BACK_SECONDS = 7 * 86_400.0
PLACE_DAY, PLACE_ID = "current", "roll-up"
TTL_SECONDS = 400 * 86_400
SILENT_SAMPLES = 20
DAY_SECONDS = 86_400


class Hour(NamedTuple):
    """An hour of a day, both as they are written in the store."""

    day: str
    hour: str


class RollUp:
    """Sums up whole hours from their scores. Doing it again gives the same, or takes late scores in."""

    def __init__(self, *, store: EvaluationStore, metrics: MetricsStore) -> None:
        """Takes what it works with."""
        self._store, self._metrics = store, metrics

    async def changed(self, now: float) -> list[Hour]:
        """The hours in which something changed since the last time.

        Raises:
            Unavailable: The store does not answer.
        """
        place = await self._metrics.get(PLACE_DAY, PLACE_ID)
        since = max(now - MOST_LOOK_BACK_SECONDS, 0.0 if place is None else place["at"] - OVERLAP_SECONDS)
        return [
            Hour(day, hour)
            for day in days(since - DAY_SECONDS, now)
            for hour in await self._store.hours_scored_since(production_run(day), since)
        ]

    async def sum_up(self, hours: Sequence[Hour]) -> None:
        """Sums up whole hours."""
        for hour in hours:
            await self._hour(hour.day, hour.hour)

    async def remember(self, now: float) -> None:
        """Notes how far this came."""
        await self._metrics.put({"id": PLACE_ID, "day": PLACE_DAY, "kind": "place", "at": now})

    async def _hour(self, day: str, hour: str) -> None:
        run = production_run(day)
        samples = await self._store.of_kind(run, "sample", hour=hour)
        scores = by_stream(await self._store.of_kind(run, "score", hour=hour), samples)
        for key, found in scores.items():
            estimates = await asyncio.to_thread(_estimates, key.evaluator, found)
            await self._metrics.put(_document(day, hour, key, found, estimates))
        states = [sample["state"] for sample in samples]
        counts = {state: states.count(state) for state in ("waiting", "scored", "capped", "gone")}
        record = {"id": f"samples-{hour}", "day": day, "kind": "samples", "hour": hour, "ttl": TTL_SECONDS, **counts}
        await self._metrics.put(record)
        _warn_of_silence(hour, counts, scores)


def by_stream(documents: Sequence[Document], samples: Sequence[Document]) -> dict[StreamKey, list[Score]]:
    """Scores by evaluator, deployment and prompt version, with the weights that their samples have by now."""
    weights = {sample["turn_id"]: 1 / sample["probability"] for sample in samples}
    found: dict[StreamKey, list[Score]] = defaultdict(list)
    for document in documents:
        if document["item_id"] in weights:
            key = StreamKey(document["evaluator"], document["deployment"], document["prompt_version"])
            found[key].append(score_from_json({**document, "weight": weights[document["item_id"]]}))
    return dict(found)


def days(begin: float, end: float) -> list[str]:
    """The days from one moment to another, as days are written in the store."""
    first, last = int(begin // DAY_SECONDS), int(end // DAY_SECONDS)
    return [time.strftime("%Y-%m-%d", time.gmtime(day * DAY_SECONDS)) for day in range(first, last + 1)]


def stream_id(key: StreamKey) -> str:
    """A store id for a stream."""
    return hashlib.sha256("|".join(key).encode()).hexdigest()[:24]


def _estimates(evaluator: str, scores: Sequence[Score]) -> Mapping[str, Any]:
    mean = measure(Metric(evaluator, evaluator, Kind.MEAN, 1), scores)
    rate = measure(Metric(evaluator, evaluator, Kind.RATE, 1), scores)
    return {
        "mean": mean.value,
        "mean_interval": list(mean.interval),
        "pass_rate": rate.value,
        "pass_rate_interval": list(rate.interval),
        "effective_count": mean.effective_count,
    }


def _document(day: str, hour: str, key: StreamKey, scores: Sequence[Score], estimates: Mapping[str, Any]) -> Document:
    states = [score.state for score in scores]
    return {
        "id": f"quality-{hour}-{stream_id(key)}",
        "day": day,
        "kind": "quality",
        "hour": hour,
        **key._asdict(),
        "scored": states.count(State.SCORED),
        "skipped": states.count(State.SKIPPED),
        "judge_errors": states.count(State.JUDGE_ERROR),
        "turns": sum(score.weight for score in scores),
        "cost_usd": sum(score.cost_usd for score in scores),
        "tokens": sum(score.input_tokens + score.output_tokens for score in scores),
        "ttl": TTL_SECONDS,
        **{name: finite(value) for name, value in estimates.items()},
    }


def _warn_of_silence(hour: str, counts: Mapping[str, int], scores: Mapping[StreamKey, Sequence[Score]]) -> None:
    """A judge that fell silent looks like calm water from outside, so it is said."""
    if counts["scored"] + counts["waiting"] < SILENT_SAMPLES:
        return
    evaluators = {key.evaluator for key in scores}
    for evaluator in sorted(evaluators):
        mine = [score for key, found in scores.items() if key.evaluator == evaluator for score in found]
        errors = sum(score.state is State.JUDGE_ERROR for score in mine)
        if errors and not any(score.state is State.SCORED for score in mine):
            log.warning("silent_evaluator", evaluator=evaluator, hour=hour, judge_errors=errors)
    if counts["scored"] == 0:
        log.warning("silent_evaluation", hour=hour, waiting=counts["waiting"])
