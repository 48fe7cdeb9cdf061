"""What came out of a run: scores, verdict, scorecard."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.evaluating.judge_trust import JudgeTrust
from shared.evaluating.ports import Document, EvaluationStore
from shared.evaluating.runs import DONE, RUN_ID, EvaluationRun, run_of
from shared.evaluating.suites import suite_estimates
from shared.evaluation.baseline import Baseline, baseline_of
from shared.evaluation.gates import Gate, GateSet, Strictness
from shared.evaluation.metrics import Kind
from shared.evaluation.records import Score
from shared.evaluation.scorecard.page import to_html
from shared.evaluation.scorecard.report import Report, to_json
from shared.evaluation.store import score_from_json
from shared.evaluation.trust import TrustBar
from shared.evaluation.verdict import Decision, Verdict, decide
from shared.instants import instant

NO_DEMANDS = "no demands were given, so nothing was decided"


@dataclass(frozen=True, slots=True)
class Reports:
    """Makes reports of runs. The arithmetic runs in a thread: bootstraps take a moment.

    Attributes:
        datasets: Folder of the public test sets, None when there is none.
        default_model: What is tested when a run names no model.
        prompt_version: Of the instructions in force.
        judge: Model name of the judge, None without one.
    """

    store: EvaluationStore
    datasets: Path | None
    default_model: str
    prompt_version: str
    judge: str | None
    trust: JudgeTrust

    async def verdict(self, run: EvaluationRun) -> Verdict | None:
        """The verdict on a run as far as it is; None when it has no gates."""
        if not run.gates:
            return None
        scores, baseline = await self.scores(run.run_id), await self._baseline(run)
        return await asyncio.to_thread(decide, gates_of(run), scores, baseline, await self.trust.of(scores))

    async def scores(self, run_id: str) -> list[Score]:
        """All scores of a run, by item and evaluator."""
        found = [score_from_json(document) for document in await self.store.of_kind(run_id, "score")]
        return sorted(found, key=lambda score: (score.item_id, score.evaluator))

    async def compare_judge(self, run: EvaluationRun) -> None:
        """Keeps how far the judge agrees with the people who labelled the items of this run."""
        items = await self.store.of_kind(run.run_id, "item")
        labels = {item["item_id"]: item["record"]["target"] for item in items if item["record"].get("target")}
        await self.trust.keep(run.run_id, await self.scores(run.run_id), labels, run.seed)

    async def page(self, run: EvaluationRun) -> str:
        """The scorecard as an HTML page."""
        report = await self._report(run, await self.store.of_kind(run.run_id, "item"))
        return await asyncio.to_thread(to_html, report)

    async def summary(self, run: EvaluationRun) -> dict[str, Any] | None:
        """The report without single scores; None when nothing was scored yet."""
        items = await self.store.of_kind(run.run_id, "item")
        report = await self._report(run, items)
        if not report.scores:
            return None
        summary = await asyncio.to_thread(to_json, report)
        del summary["scores"]
        summary["answers_without_context"] = sum(bool(item.get("dropped")) for item in items)
        if run.suite and self.datasets is not None:
            estimates = await asyncio.to_thread(suite_estimates, self.datasets, run.suite, run.seed, report.scores)
            summary["estimates"] = [asdict(estimate) for estimate in estimates]
        return {name: finite(entry) for name, entry in summary.items()}

    async def _report(self, run: EvaluationRun, items: Sequence[Document]) -> Report:
        scores, baseline = await self.scores(run.run_id), await self._baseline(run)
        agreements = await self.trust.of(scores)
        verdict = Verdict(Decision.HOLD, (NO_DEMANDS,), (), ())
        if run.gates:
            verdict = await asyncio.to_thread(decide, gates_of(run), scores, baseline, agreements)
        costs = [float(item.get("answer_cost_usd", 0.0)) for item in items]
        judge = f"Answers judged by the model “{self.judge}”" if self.judge else "No judge"
        done = sum(item["state"] == DONE for item in items)
        return Report(
            title=run.name,
            system=f"{run.model or self.default_model} with instructions {self.prompt_version}. {judge}",
            created=instant(run.created_at),
            verdict=verdict,
            scores=scores,
            datasets=[run.dataset] if run.dataset else [],
            agreements=agreements,
            progress=None if run.state.over else (done, run.planned or run.population),
            answer_cost_usd=sum(costs),
        )

    async def _baseline(self, run: EvaluationRun) -> Baseline | None:
        if run.baseline_run is None:
            return None
        document = await self.store.get(run.baseline_run, RUN_ID)
        if document is None:
            return None
        return baseline_of(run_of(document).name, await self.scores(run.baseline_run))


def gates_of(run: EvaluationRun) -> GateSet:
    """The demands on a run."""
    bar = None if run.judge_bar is None else TrustBar(**run.judge_bar)
    return GateSet(tuple(_gate(entry) for entry in run.gates), judge=bar, regression_level=run.regression_level)


def _gate(entry: dict[str, Any]) -> Gate:
    return Gate(
        **{
            **entry,
            "statistic": Kind(entry["statistic"]),
            "strictness": Strictness(entry["strictness"]),
            "tags": tuple(entry["tags"]),
        }
    )


def finite(value: Any) -> Any:
    """The same value with infinite numbers as None, which JSON cannot express."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(entry) for name, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite(entry) for entry in value]
    return value
