"""One evaluation from the command line: run, results, verdict."""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evals.client import Installation, gate_json, item_json
from evals.compare_judge import compare_judge
from evals.follow import Wish, follow, request_of, say
from evals.orders import planted
from shared.evaluation.baseline import Baseline, baseline_of, load_baseline, save_baseline
from shared.evaluation.datasets.own import read_own
from shared.evaluation.gates import load_gates
from shared.evaluation.records import Item, Score
from shared.evaluation.scorecard.page import to_html
from shared.evaluation.scorecard.report import Report, to_json
from shared.evaluation.trust import Agreement, agreement_from_json
from shared.evaluation.verdict import Verdict, decide


def evaluate(target: Installation, wish: Wish) -> int:
    """Runs an evaluation and writes down what came out.

    Returns:
        The exit code: 0 for GO, 1 for NO-GO, 2 for HOLD, 3 when the run did not come to its end.
    """
    if wish.labelled is not None:
        return compare_judge(target, wish)
    if wish.suite is not None:
        return _suite(target, wish)
    dataset = read_own(wish.items)
    gates = load_gates(wish.gates)
    baseline = None if wish.baseline is None else load_baseline(wish.baseline)
    demands: dict[str, Any] = {
        "gates": [gate_json(gate) for gate in gates.gates],
        "regression_level": gates.regression_level,
    }
    if gates.judge is not None:
        demands["judge_bar"] = asdict(gates.judge)
    request = {**request_of(wish, dataset.name), **demands}
    questions = _drawn(dataset.items, wish)
    run = follow(target, request, [item_json(item) for item in questions] + planted(questions))
    scores = target.scores(run["evaluation_id"])
    found = target.report(run["evaluation_id"])
    verdict = decide(gates, scores, baseline, _agreements(found))
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
    run = follow(target, _suite_request(wish), ())
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
    return {**request_of(wish, wish.suite or ""), "suite": wish.suite, **size}


def _report(run: dict[str, Any], verdict: Verdict, scores: Sequence[Score], dataset: str, wish: Wish) -> Report:
    found = run.get("report", {})
    return Report(
        title=run["name"],
        system=". ".join(part for part in (found.get("system", ""), wish.note) if part),
        created=run["created_at"],
        verdict=verdict,
        scores=scores,
        datasets=[dataset],
        agreements=_agreements(run),
        answer_cost_usd=found.get("cost", {}).get("answers_usd", 0.0),
    )


def _agreements(run: dict[str, Any]) -> dict[str, Agreement]:
    kept = run.get("report", {}).get("agreements", {})
    return {name: agreement_from_json(found) for name, found in kept.items()}


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
