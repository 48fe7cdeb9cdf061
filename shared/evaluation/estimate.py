"""A measured number with everything needed to judge how sure it is."""

from dataclasses import dataclass

from shared.evaluation.stats.interval import Interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric's value over many scores.

    `value` is None when nothing was scored. Skipped and judge-error rows are counted beside it and never inside.
    """

    metric: str
    value: float | None
    standard_error: float
    interval: Interval
    scored: int
    skipped: int = 0
    judge_errors: int = 0
    minimum_scored: int = 1
    effective_count: float = 0.0
    method: str = ""
    tag: str = ""
    """The tag the scores were filtered by; empty for all."""

    @property
    def enough(self) -> bool:
        """Whether the minimum number of scored items is reached."""
        return self.scored >= self.minimum_scored

    @property
    def judge_error_rate(self) -> float:
        """Judge errors among all rows the evaluator applied to."""
        applied = self.scored + self.judge_errors
        return self.judge_errors / applied if applied else 0.0
