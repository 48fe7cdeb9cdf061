"""Which operators are run by a stage of our own, and by which."""

from local.insights.kql import anomalies, columns, evaluate, make_series, weighted, windows
from local.insights.kql.session import Session
from local.insights.kql.syntax import Node, Stage

_STAGES = (make_series, evaluate, columns, anomalies, windows, weighted)


def is_ours(operator: Node) -> bool:
    """Whether duckdb-kql must not see this operator."""
    return any(stage.matches(operator) for stage in _STAGES)


def run(stage: Stage, session: Session) -> str:
    """Runs an operator; returns the pipeline that now stands for it and everything before it."""
    chosen = next(candidate for candidate in _STAGES if candidate.matches(stage.operator))
    pipeline: str = chosen.run(stage, session)
    return pipeline
