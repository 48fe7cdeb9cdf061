"""Watches each stream of scores for drift away from its first scores, and each new version for being worse."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.evaluating import compare_versions
from shared.evaluating.ports import Document, EvaluationStore, MetricsStore
from shared.evaluating.roll_up import Hour, by_stream, stream_id
from shared.evaluating.sampler import PLAN_DAY, production_run
from shared.evaluation.drift import DriftBaseline, DriftRule, DriftState, StreamKey, update
from shared.evaluation.records import State
from shared.ports import Clock
from shared.telemetry import log

BASELINE_SCORES = 300
"""How many of a stream's first scores make its baseline: a new prompt version is a new process. See `DriftRule`."""
SETTLE_SECONDS = 30.0
"""Scores younger than this are left for the next time, so that none is overtaken by a later one."""
MOST_ALARMS_KEPT = 20


@dataclass(frozen=True, slots=True)
class _Scored:
    at: float
    turn_id: str
    value: float
    weight: float


class DriftWatch:
    """Takes every score in once, in the order of scoring. Its place in each stream is kept in the store."""

    def __init__(self, *, store: EvaluationStore, metrics: MetricsStore, clock: Clock) -> None:
        """Takes what it works with."""
        self._store, self._metrics, self._clock = store, metrics, clock
        self._rule = DriftRule()

    async def watch(self, hours: Sequence[Hour]) -> list[Document]:
        """Takes in what is new in these hours; the streams that changed.

        Raises:
            Unavailable: The store does not answer.
        """
        before = self._clock.now() - SETTLE_SECONDS
        streams: dict[StreamKey, list[_Scored]] = {}
        for day, hour in hours:
            run = production_run(day)
            documents = await self._store.of_kind(run, "score", hour=hour)
            samples = await self._store.of_kind(run, "sample", hour=hour)
            for key, found in _in_order(documents, samples, before=before).items():
                streams.setdefault(key, []).extend(found)
        return [changed for key, found in streams.items() if (changed := await self._take(key, found)) is not None]

    async def _take(self, key: StreamKey, found: Sequence[_Scored]) -> Document | None:
        stream = await self._metrics.get(PLAN_DAY, f"drift-{stream_id(key)}") or await self._new(key)
        place = (stream["place_at"], stream["place_id"])
        fresh = sorted((s for s in found if (s.at, s.turn_id) > place), key=lambda s: (s.at, s.turn_id))
        if not fresh:
            return None
        for scored in fresh:
            _learn(stream, scored) if stream["baseline"] is None else self._compare(stream, scored)
            compare_versions.take(stream, scored.value, scored.weight)
        compare_versions.compare(stream, fresh[-1].at)
        stream["place_at"], stream["place_id"] = fresh[-1].at, fresh[-1].turn_id
        # Another instance that took the same scores in has won; its record stays.
        return stream if await self._metrics.replace_or_create(stream) else None

    async def _new(self, key: StreamKey) -> Document:
        return _new(key) | compare_versions.version_before(key, await self._metrics.of_kind(PLAN_DAY, "stream"))

    def _compare(self, stream: Document, scored: _Scored) -> None:
        outcome = update(
            DriftState(**stream["state"]),
            scored.value,
            DriftBaseline(**stream["baseline"]),
            self._rule,
            weight=scored.weight,
        )
        stream["state"] = dataclasses.asdict(outcome.state)
        if outcome.alarm:
            alarm = {"at": scored.at, "direction": outcome.alarm}
            stream["alarms"] = [*stream["alarms"], alarm][-MOST_ALARMS_KEPT:]
            log.warning(
                "drift_quality",
                evaluator=stream["evaluator"],
                deployment=stream["deployment"],
                prompt_version=stream["prompt_version"],
                direction=outcome.alarm,
            )


def _new(key: StreamKey) -> Document:
    return {
        "id": f"drift-{stream_id(key)}",
        "day": PLAN_DAY,
        "kind": "stream",
        **key._asdict(),
        "baseline": None,
        "learned": {"count": 0, "weight": 0.0, "sum": 0.0, "squares": 0.0},
        "state": dataclasses.asdict(DriftState()),
        "alarms": [],
        "place_at": 0.0,
        "place_id": "",
    }


def _learn(stream: Document, scored: _Scored) -> None:
    """One of the first scores; with the last of them the baseline is known."""
    learned: dict[str, Any] = stream["learned"]
    learned["count"] += 1
    learned["weight"] += scored.weight
    learned["sum"] += scored.weight * scored.value
    learned["squares"] += scored.weight * scored.value**2
    if learned["count"] >= BASELINE_SCORES:
        mean = learned["sum"] / learned["weight"]
        variance = max(0.0, learned["squares"] / learned["weight"] - mean**2)
        stream["baseline"] = {
            "mean": mean,
            "standard_deviation": math.sqrt(variance),
            "count": int(learned["count"]),
        }


def _in_order(
    documents: Sequence[Document], samples: Sequence[Document], *, before: float
) -> dict[StreamKey, list[_Scored]]:
    """Scored values by stream, of turns whose scoring has ended."""
    times = {sample["turn_id"]: sample["scored_at"] for sample in samples if sample.get("scored_at", before) < before}
    return {
        key: [
            _Scored(times[score.item_id], score.item_id, score.value, score.weight)
            for score in scores
            if score.state is State.SCORED and score.value is not None and score.item_id in times
        ]
        for key, scores in by_stream(documents, samples).items()
    }
