"""A committed baseline: the results of the last accepted run, item by item."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.evaluation.errors import EvaluationError
from shared.evaluation.records import Score, State


@dataclass(frozen=True, slots=True)
class Past:
    """One old result."""

    version: str
    value: float | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """Old results by evaluator and item."""

    name: str
    results: Mapping[str, Mapping[str, Past]]

    def of(self, evaluator: str) -> Mapping[str, Past]:
        """The old results of one evaluator by item id."""
        return self.results.get(evaluator, {})


def baseline_of(name: str, scores: Iterable[Score]) -> Baseline:
    """Make a baseline out of the scored results of a run."""
    results: dict[str, dict[str, Past]] = {}
    for score in scores:
        if score.state is State.SCORED:
            past = Past(score.version, score.value, score.passed)
            results.setdefault(score.evaluator, {})[score.item_id] = past
    return Baseline(name, results)


def save_baseline(baseline: Baseline, path: Path) -> None:
    """Write it so that a diff shows one line per item."""
    rows = [
        json.dumps(
            {"evaluator": evaluator, "item": item, "version": past.version, "value": past.value, "passed": past.passed}
        )
        for evaluator, items in sorted(baseline.results.items())
        for item, past in sorted(items.items())
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([json.dumps({"baseline": baseline.name, "format": 1}), *rows]) + "\n", encoding="utf-8")


def load_baseline(path: Path) -> Baseline:
    """Read what `save_baseline` wrote.

    Raises:
        EvaluationError: the file is missing or malformed.
    """
    try:
        head, *rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        if head["format"] != 1:
            raise EvaluationError(f"{path.name}: unknown baseline format {head['format']}")
        results: dict[str, dict[str, Past]] = {}
        for row in rows:
            results.setdefault(row["evaluator"], {})[row["item"]] = Past(row["version"], row["value"], row["passed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{path}: not a baseline file ({error})") from error
    return Baseline(head["baseline"], results)
