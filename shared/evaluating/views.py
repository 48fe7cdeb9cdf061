"""What the evaluation routes give."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProgressView(_View):
    """How far a run is. `planned` is known once the items were chosen."""

    population: int
    planned: int | None = None
    done: int


class BudgetView(_View):
    """What judges took so far, and the most they may take."""

    judge_calls: int
    cost_usd: float
    max_judge_calls: int | None = None
    max_judge_calls_per_hour: int | None = None
    max_cost_usd: float | None = None


class EvaluationView(_View):
    """An evaluation run. `report` is there once something was scored and the run was asked for by itself."""

    evaluation_id: str
    name: str
    state: Literal["collecting", "running", "closing", "finished", "stopped", "cancelled"]
    created_at: str
    dataset: str
    evaluators: list[str]
    seed: int
    progress: ProgressView
    budget: BudgetView
    suite: str | None = None
    model: str | None = None
    sample_size: int | None = None
    baseline_run: str | None = None
    finished_at: str | None = None
    stopped: str | None = None
    decision: Literal["GO", "HOLD", "NO-GO"] | None = None
    reasons: list[str] | None = None
    report: dict[str, Any] | None = None


class EvaluationsReply(_View):
    """The latest runs, newest first."""

    evaluations: list[EvaluationView]


class EvaluationScoresReply(_View):
    """Scores of a run in a fixed order. `after` leads to the next page; it is missing on the last one."""

    evaluation_id: str
    scores: list[dict[str, Any]]
    after: str | None = None


class ProductionVerdictView(_View):
    """The launch's demands held against the sampled turns of the days that were asked for."""

    decision: Literal["GO", "HOLD", "NO-GO"]
    reasons: list[str]


class QualityReply(_View):
    """Quality in production by hour, evaluator, deployment and prompt version, with what drifted."""

    verdict: ProductionVerdictView
    roll_ups: list[dict[str, Any]]
    streams: list[dict[str, Any]]
