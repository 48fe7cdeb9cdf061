"""When a turn has had its tries."""


def faults_used_up(*, faults: int, max_runs: int) -> bool:
    """True when one more fault ends the turn; want of capacity is not a fault and is bounded by the deadline."""
    return faults + 1 >= max_runs


def crashed_too_often(*, run: int, copies: int, max_runs: int) -> bool:
    """True when instances died over a turn so often that the turn itself must be the cause.

    Every run after the first follows a deferral or a takeover; the takeovers are what is left.
    """
    return run - copies > max_runs
