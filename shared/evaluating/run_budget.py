"""How much a run may spend on judges at a moment: in all, and in each hour since it began."""

from shared.evaluating.runs import EvaluationRun

HOUR_SECONDS = 3600.0


def calls_allowed(run: EvaluationRun, now: float) -> int | None:
    """The judge calls that may have been made by now; None without bound. What an hour left over is not lost."""
    bounds = [] if run.max_calls is None else [run.max_calls]
    if run.max_calls_per_hour is not None:
        bounds.append(run.max_calls_per_hour * (_hours_begun(run, now) + 1))
    return min(bounds, default=None)


def waits_for_next_hour(run: EvaluationRun, calls: int, now: float) -> float | None:
    """Seconds until more calls are allowed; None when waiting does not help.

    Args:
        run: The run as it stands.
        calls: The most calls that the next answer can take.
        now: Seconds since 1970.
    """
    if run.max_calls_per_hour is None:
        return None
    if run.max_calls is not None and run.calls + run.reserved_calls + calls > run.max_calls:
        return None
    if run.calls + run.reserved_calls + calls <= run.max_calls_per_hour * (_hours_begun(run, now) + 1):
        return None
    return run.created_at + HOUR_SECONDS * (_hours_begun(run, now) + 1) - now


def _hours_begun(run: EvaluationRun, now: float) -> int:
    return max(0, int((now - run.created_at) // HOUR_SECONDS))
