"""Is a worse prompt version caught? Offline by the gates, online by sampling; and is an unchanged one left alone?

The scores come from two runs of the golden set on local Azure, one with the shop's instructions and one with
instructions that carry outdated documents about the shop's policies. Over 20 seeds each score is then made to vary as a
model's does from one answer to the next, and the app's own code decides.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from bench.machine import RESULTS, machine, write
from bench.regression import before_launch, in_production
from bench.regression.recording import Recorded, load, record

SEEDS = range(1, 21)
SCORES = RESULTS / "regression-scores.json"


def run() -> dict[str, Any]:
    """Records, decides, writes the results."""
    description = machine()
    recorded = record()
    SCORES.write_text(json.dumps(recorded.as_dict(), separators=(",", ":")) + "\n", encoding="utf-8")
    result = {"machine": description, **asyncio.run(decided(recorded, SEEDS))}
    write("regression", result)
    return result


def recorded_scores(path: Path = SCORES) -> Recorded:
    """The scores of the last recording."""
    return load(path)


async def decided(recorded: Recorded, seeds: range) -> dict[str, Any]:
    """Both parts over all seeds."""
    offline = {name: [before_launch.decide_on(recorded, name, seed) for seed in seeds] for name in recorded.versions}
    online = {name: [await in_production.live(recorded, name, seed) for seed in seeds] for name in recorded.versions}
    worse = [found.turns_until_told for found in online["worse"] if found.turns_until_told is not None]
    return {
        "seeds": len(seeds),
        "before_launch": {
            "questions": before_launch.QUESTIONS,
            "worse_version": {
                "no_go": sum(found.no_go for found in offline["worse"]),
                "topics_named": dict(Counter(topic for found in offline["worse"] for topic in found.topics)),
            },
            "unchanged_version": {"no_go": sum(found.no_go for found in offline["accepted"])},
        },
        "in_production": {
            "share_sampled": in_production.SHARE,
            "turns_with_the_accepted_version": in_production.TURNS_BEFORE,
            "turns_allowed": in_production.TURNS_AFTER,
            "worse_version": {
                "detected": len(worse),
                "turns_until_told": {
                    "median": sorted(worse)[len(worse) // 2] if worse else None,
                    "most": max(worse, default=None),
                },
                "evaluators": dict(Counter(name for found in online["worse"] for name in found.told)),
                "turns_scored": _mean([found.scored for found in online["worse"]]),
            },
            "unchanged_version": {
                "false_alarms": sum(bool(found.told) for found in online["accepted"]),
                "drift_alarms": sum(bool(found.drifted) for found in online["accepted"]),
            },
        },
    }


def _mean(values: list[int]) -> float:
    return round(sum(values) / len(values), 1)
