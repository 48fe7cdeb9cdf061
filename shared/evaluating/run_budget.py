"""How much a run may spend on judges at a moment: in all, and in each hour since it began."""

from shared.evaluating.runs import EvaluationRun

HOUR_SECONDS = 3600.0
BUDGET_SECONDS = 3.0
"""The pause until what others have reserved is asked for again."""


def calls_allowed(run: EvaluationRun, now: float) -> int | None:
    """The judge calls that may have been made by now; None without bound. What an hour left over is not lost."""
    bounds = [] if run.max_calls is None else [run.max_calls]
    if run.max_calls_per_hour is not None:
        bounds.append(run.max_calls_per_hour * (_hours_begun(run, now) + 1))
    return min(bounds, default=None)


def pause_for_budget(run: EvaluationRun, *, calls: int, cost_usd: float, patient: bool, now: float) -> float | None:
    """Seconds after which an answer that was refused its part may ask again; None when the budget is used up.

    Args:
        run: The run as it stands after the refusal. Others may have settled in between, so there may be room again.
        calls: The most calls that the answer can take.
        cost_usd: The most money that it can take, likewise.
        patient: Whether to wait for what others have reserved and may give back.
        now: Seconds since 1970.
    """
    in_total = _fits(run.calls + run.reserved_calls + calls, run.max_calls)
    affordable = _fits(run.cost_usd + run.reserved_cost_usd + cost_usd, run.max_cost_usd)
    if in_total and affordable:
        return _seconds_to_next_hour(run, calls, now) or BUDGET_SECONDS
    return BUDGET_SECONDS if patient and run.reserved_calls > 0 else None


def _fits(spent: float, bound: float | None) -> bool:
    return bound is None or spent <= bound


def _seconds_to_next_hour(run: EvaluationRun, calls: int, now: float) -> float | None:
    """None when this hour has room."""
    if run.max_calls_per_hour is None:
        return None
    hours = _hours_begun(run, now) + 1
    if run.calls + run.reserved_calls + calls <= run.max_calls_per_hour * hours:
        return None
    return run.created_at + HOUR_SECONDS * hours - now


def _hours_begun(run: EvaluationRun, now: float) -> int:
    return max(0, int((now - run.created_at) // HOUR_SECONDS))
