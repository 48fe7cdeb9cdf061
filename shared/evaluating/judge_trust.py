"""How far the judge agrees with people: measured by a run over labelled answers, kept, looked up for each report."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.evaluating.ports import MetricsStore
from shared.evaluating.sampler import PLAN_DAY
from shared.evaluation.records import Score, State
from shared.evaluation.trust import Agreement, agreement_from_json, agreement_of, agreement_to_json
from shared.telemetry import log

KIND = "trust"
PASS_OR_FAIL = frozenset({"pass", "fail"})


@dataclass(frozen=True, slots=True)
class JudgeTrust:
    """Keeps one agreement for each judge, evaluator and version: a new judge or rubric has to be compared anew."""

    metrics: MetricsStore
    judge: str | None

    async def keep(self, run_id: str, scores: Sequence[Score], labels: Mapping[str, str], seed: int) -> None:
        """Compares the scores of a run with what people said, and keeps the outcome.

        Args:
            run_id: The run.
            scores: Its scores.
            labels: What people said, by item id: the evaluator's own label, or pass or fail.
            seed: Of the sample.
        """
        for evaluator in sorted({score.evaluator for score in scores}):
            mine = [score for score in scores if score.evaluator == evaluator and score.item_id in labels]
            if not mine:
                continue
            pairs = [(labels[score.item_id], judged(score, labels[score.item_id])) for score in mine]
            found = agreement_of(pairs, seed=seed)
            version = mine[0].version
            key = hashlib.sha256(f"{self.judge}|{evaluator}|{version}".encode()).hexdigest()[:24]
            head = {"id": f"{KIND}-{key}", "day": PLAN_DAY, "kind": KIND, "judge": self.judge, "run": run_id}
            await self.metrics.put(
                {**head, "evaluator": evaluator, "version": version, "at": time.time(), **agreement_to_json(found)}
            )
            log.info("compare_judge", evaluator=evaluator, kappa=round(found.kappa.value, 3), rows=found.sampled)

    async def of(self, scores: Sequence[Score]) -> dict[str, Agreement]:
        """The agreements of this judge, by evaluator; those of another version than the scores' are left out."""
        versions = {score.evaluator: score.version for score in scores}
        kept = [found for found in await self.metrics.of_kind(PLAN_DAY, KIND) if found["judge"] == self.judge]
        return {
            found["evaluator"]: agreement_from_json(found)
            for found in sorted(kept, key=lambda found: found["at"])
            if versions.get(found["evaluator"], found["version"]) == found["version"]
        }


def judged(score: Score, human: str) -> str | None:
    """What the judge said, in the words of the human label; None when it said nothing."""
    if score.state is not State.SCORED:
        return None
    return ("pass" if score.passed else "fail") if human in PASS_OR_FAIL else score.label
