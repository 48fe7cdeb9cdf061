"""Publishes how production is sampled: rates within the hourly cap, and which versions are new.

The cap is kept by lowering the rates beforehand, which leaves estimates unbiased.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from shared.evaluating.ports import Document, EvaluationStore, MetricsStore
from shared.evaluating.sampler import PLAN_DAY, PLAN_ID, base_plan, production_run, written_hour
from shared.evaluation.sampling import SamplingPlan, Stratum, fitted
from shared.ports import Clock
from shared.telemetry import log

HOUR_SECONDS = 3600.0
MOST_VERSIONS = 100
ROOM = 0.9
"""Part of the cap that the rates aim at, so that a somewhat busier hour still fits."""


class CapKeeper:
    """Publishes the rates that the samplers of all instances use."""

    def __init__(
        self, *, share: float, most_per_hour: int, store: EvaluationStore, metrics: MetricsStore, clock: Clock
    ) -> None:
        """Takes what it works with."""
        self._share, self._most, self._store = share, most_per_hour, store
        self._metrics, self._clock = metrics, clock

    async def keep(self) -> None:
        """Fits the rates to the traffic of the last hour.

        Raises:
            Unavailable: The store does not answer.
        """
        if self._share == 0 or self._most == 0:
            return
        now = self._clock.now()
        samples = [
            sample
            for hour in (written_hour(now - HOUR_SECONDS), written_hour(now))
            for sample in await self._store.of_kind(production_run(hour[:10]), "sample", hour=hour)
            if sample["changed_at"] >= now - HOUR_SECONDS
        ]
        base = base_plan(self._share)
        plan = fitted(base, turns_per_hour=turns_per_hour(samples), max_per_hour=self._most * ROOM)
        known = await self._metrics.get(PLAN_DAY, PLAN_ID)
        first_seen = versions_seen(None if known is None else known.get("first_seen"), samples)
        await self._metrics.put({**_document(self._share, plan), "first_seen": first_seen})
        if plan != base:
            log.info("lower_sampling", base_rate=round(plan.base_rate, 6), samples=len(samples))


def turns_per_hour(samples: Sequence[Document]) -> dict[Stratum | None, float]:
    """How many turns an hour had in each stratum: each sample stands for one over its probability."""
    turns: dict[Stratum | None, float] = defaultdict(float)
    for sample in samples:
        strata = [Stratum(name) for name in sample["strata"]]
        turns[strata[-1] if strata else None] += 1 / sample["probability"]
    return dict(turns)


def versions_seen(known: Mapping[str, float] | None, samples: Sequence[Document]) -> dict[str, float]:
    """When each prompt version and deployment was first seen, in seconds since 1970; 0 for those of the beginning."""
    found = dict(known or {})
    for sample in sorted(samples, key=lambda sample: sample["changed_at"]):
        for name in (sample["prompt_version"], sample.get("deployment")):
            if name:
                found.setdefault(name, sample["changed_at"] if known else 0.0)
    return dict(sorted(found.items(), key=lambda entry: entry[1])[-MOST_VERSIONS:])


def _document(share: float, plan: SamplingPlan) -> Document:
    return {
        "id": PLAN_ID,
        "day": PLAN_DAY,
        "kind": "sampling",
        "share": share,
        "base_rate": plan.base_rate,
        "stratum_rates": {stratum.value: rate for stratum, rate in plan.stratum_rates.items()},
    }
