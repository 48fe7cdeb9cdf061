"""A run from its start to its end, as the person in front of the command line sees it."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.client import Installation

BAR = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for. See its help."""

    items: Path
    gates: Path
    results: Path
    baseline: Path | None
    accept: Path | None
    suite: str | None
    sample_size: int | None
    seed: int
    concurrency: int
    model: str | None
    max_judge_calls: int | None
    max_cost_usd: float | None
    note: str
    max_calls_per_hour: int | None = None
    labelled: str | None = None
    labelled_for: str = "similarity"


def say(text: str = "", *, end: str = "\n") -> None:
    """Tells the person in front of it."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def request_of(wish: Wish, name: str) -> dict[str, Any]:
    """What every run is started with."""
    request = {
        "name": name,
        "seed": wish.seed,
        "concurrency": wish.concurrency,
        "model": wish.model,
        "max_judge_calls": wish.max_judge_calls,
        "max_judge_calls_per_hour": wish.max_calls_per_hour,
        "max_cost_usd": wish.max_cost_usd,
    }
    return {key: value for key, value in request.items() if value is not None}


def follow(target: Installation, request: dict[str, Any], items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Starts a run and shows its progress until it is over; an interrupt cancels it."""
    run = target.start(request, items)
    say(f"Evaluation {run['evaluation_id']}")
    try:
        run = target.follow(run["evaluation_id"], Progress().show)
    except KeyboardInterrupt:
        say("\nCancelling ...")
        target.cancel(run["evaluation_id"])
        raise
    say()
    return run


class Progress:
    """A bar that redraws itself on a terminal, and a line for every tenth elsewhere."""

    def __init__(self) -> None:
        """Starts the clock."""
        self._began, self._tenths = time.monotonic(), -1

    def show(self, run: dict[str, Any]) -> None:
        """Shows how far a run is."""
        done, planned = run["progress"]["done"], run["progress"].get("planned")
        share = done / planned if planned else 0.0
        tenths = int(10 * share)
        if not sys.stdout.isatty() and tenths == self._tenths:
            return
        self._tenths = tenths
        bar = "#" * int(BAR * share) + "." * (BAR - int(BAR * share))
        seconds, calls = time.monotonic() - self._began, run["budget"]["judge_calls"]
        line = f"  [{bar}] {done} of {planned or '?'}  {seconds:.0f} s  {calls} judge calls "
        say(f"\r{line}", end="") if sys.stdout.isatty() else say(line)
