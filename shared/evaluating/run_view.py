"""A run as callers see it."""

from typing import Any

from shared.evaluating.runs import EvaluationRun
from shared.instants import instant


def describe(run: EvaluationRun, done: int) -> dict[str, Any]:
    """A run as callers see it; what is not known yet is left out."""
    view: dict[str, Any] = {
        "evaluation_id": run.run_id,
        "name": run.name,
        "state": run.state.value,
        "created_at": instant(run.created_at),
        "dataset": run.dataset,
        "evaluators": list(run.evaluators),
        "seed": run.seed,
        "progress": {"population": run.population, "planned": run.planned, "done": done},
        "budget": {
            "judge_calls": run.calls,
            "cost_usd": run.cost_usd,
            "max_judge_calls": run.max_calls,
            "max_judge_calls_per_hour": run.max_calls_per_hour,
            "max_cost_usd": run.max_cost_usd,
        },
        "suite": run.suite or None,
        "model": run.model,
        "sample_size": run.sample_size,
        "baseline_run": run.baseline_run,
        "finished_at": None if run.finished_at is None else instant(run.finished_at),
        "stopped": run.stopped or None,
        "decision": run.decision,
        "reasons": list(run.reasons) if run.decision else None,
    }
    return {name: value for name, value in view.items() if value is not None}
