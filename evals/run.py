"""One evaluation from the command line: run, results, verdict."""

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.client import Installation, gate_json, item_json
from evals.orders import planted
from shared.evaluation.baseline import Baseline, baseline_of, load_baseline, save_baseline
from shared.evaluation.datasets.own import read_own
from shared.evaluation.gates import load_gates
from shared.evaluation.records import Item, Score
from shared.evaluation.scorecard.page import to_html
from shared.evaluation.scorecard.report import Report, to_json
from shared.evaluation.verdict import Verdict, decide

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


def say(text: str = "", *, end: str = "\n") -> None:
    """Tells the person in front of it."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def evaluate(target: Installation, wish: Wish) -> int:
    """Runs an evaluation and writes down what came out.

    Returns:
        The exit code: 0 for GO, 1 for NO-GO, 2 for HOLD, 3 when the run did not come to its end.
    """
    if wish.suite is not None:
        return _suite(target, wish)
    dataset = read_own(wish.items)
    gates = load_gates(wish.gates)
    baseline = None if wish.baseline is None else load_baseline(wish.baseline)
    demands = {"gates": [gate_json(gate) for gate in gates.gates], "regression_level": gates.regression_level}
    request = {**_request(wish, dataset.name), **demands}
    questions = _drawn(dataset.items, wish)
    run = _run(target, request, [item_json(item) for item in questions] + planted(questions))
    scores = target.scores(run["evaluation_id"])
    verdict = decide(gates, scores, baseline)
    found = target.report(run["evaluation_id"])
    report = _report(found, verdict, scores, f"{dataset.name} {dataset.version}", wish)
    paths = _write(wish.results, dataset.name, report)
    if without := found.get("report", {}).get("answers_without_context"):
        say(f"\n  Caution: {without} answers were made without history or sources, because these came too late.")
    _say_verdict(verdict, run, paths, baseline)
    if wish.accept is not None:
        compared = {gate.evaluator for gate in gates.gates if gate.regression}
        kept = [score for score in scores if score.evaluator in compared]
        save_baseline(baseline_of(f"{dataset.name} of {report.created}", kept), wish.accept)
        say(f"The results are the baseline now: {wish.accept}")
    return verdict.exit_code if run["state"] == "finished" else 3


def _suite(target: Installation, wish: Wish) -> int:
    run = _run(target, _suite_request(wish), ())
    found = target.report(run["evaluation_id"]).get("report", {})
    for estimate in found.get("estimates", ()):
        value = "none" if estimate["value"] is None else f"{estimate['value']:.3f}"
        low, high = (f"{bound:.3f}" if bound is not None else "?" for bound in estimate["interval"])
        name = f"{estimate['metric']} [{estimate['tag']}]" if estimate["tag"] else estimate["metric"]
        say(f"  {name:<32} {value}  ({low} to {high}, n = {estimate['scored']})")
    wish.results.mkdir(parents=True, exist_ok=True)
    path = wish.results / f"{wish.suite}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"Results: {path}")
    return 0 if run["state"] == "finished" else 3


def _drawn(items: Sequence[Item], wish: Wish) -> Sequence[Item]:
    if wish.sample_size is None or wish.sample_size >= len(items):
        return items
    return random.Random(wish.seed).sample(items, wish.sample_size)  # noqa: S311  a draw that can be repeated


def _suite_request(wish: Wish) -> dict[str, Any]:
    size = {} if wish.sample_size is None else {"sample_size": wish.sample_size}
    return {**_request(wish, wish.suite or ""), "suite": wish.suite, **size}


def _request(wish: Wish, name: str) -> dict[str, Any]:
    request = {
        "name": name,
        "seed": wish.seed,
        "concurrency": wish.concurrency,
        "model": wish.model,
        "max_judge_calls": wish.max_judge_calls,
        "max_cost_usd": wish.max_cost_usd,
    }
    return {key: value for key, value in request.items() if value is not None}


def _run(target: Installation, request: dict[str, Any], items: Sequence[dict[str, Any]]) -> dict[str, Any]:
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


def _report(run: dict[str, Any], verdict: Verdict, scores: Sequence[Score], dataset: str, wish: Wish) -> Report:
    found = run.get("report", {})
    return Report(
        title=run["name"],
        system=". ".join(part for part in (found.get("system", ""), wish.note) if part),
        created=run["created_at"],
        verdict=verdict,
        scores=scores,
        datasets=[dataset],
        answer_cost_usd=found.get("cost", {}).get("answers_usd", 0.0),
    )


def _write(folder: Path, name: str, report: Report) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    paths = [stem.with_suffix(".json"), stem.with_suffix(".html")]
    paths[0].write_text(json.dumps(to_json(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    paths[1].write_text(to_html(report), encoding="utf-8")
    return paths


def _say_verdict(verdict: Verdict, run: dict[str, Any], paths: Sequence[Path], baseline: Baseline | None) -> None:
    say()
    ending = "" if run["state"] == "finished" else f"   (the run was {run['state']}: {run.get('stopped', '')})"
    say(f"  {verdict.decision.value}{ending}")
    for reason in verdict.reasons:
        say(f"    - {reason}")
    say()
    if baseline is None:
        say("Not compared with an earlier run; --baseline names one, --accept makes one.")
    for path in paths:
        say(f"Results: {path}")
