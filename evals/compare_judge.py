"""Compares the judge of an installation with people: agreement, kappa and what is missing to the bar."""

import random
from pathlib import Path
from typing import Any

from evals.client import Installation, labelled_json
from evals.follow import Wish, follow, request_of, say
from shared.evaluation.datasets.own import read_own
from shared.evaluation.gates import load_gates
from shared.evaluation.trust import TrustBar, agreement_from_json, shortfalls

ROWS = 400


def compare_judge(target: Installation, wish: Wish) -> int:
    """Runs the comparison.

    Returns:
        The exit code: 0 when the judge reaches the bar, 2 when not, 3 when the run did not come to its end.
    """
    request = {**request_of(wish, "Judge against people"), "compare_judge": True}
    items = list[dict[str, Any]]()
    if wish.labelled:
        rows = read_own(Path(wish.labelled)).items
        drawn = random.Random(wish.seed).sample(rows, min(wish.sample_size or ROWS, len(rows)))  # noqa: S311
        items = [labelled_json(item) for item in drawn]
        request["evaluators"] = [wish.labelled_for]
    else:
        request |= {"suite": "judgements", "sample_size": wish.sample_size or ROWS}
    run = follow(target, request, items)
    if run["state"] != "finished":
        say(f"  The run was {run['state']}: {run.get('stopped', '')}")
        return 3
    bar = load_gates(wish.gates).judge or TrustBar()
    found = target.report(run["evaluation_id"])["report"]["agreements"]
    told = [_told(name, entry, bar) for name, entry in found.items()]
    return 0 if told and all(told) else 2


def _told(evaluator: str, found: dict[str, Any], bar: TrustBar) -> bool:
    """Says how far the judge agrees; whether that is enough."""
    low, high = found["accuracy_interval"]
    kappa_low, kappa_high = found["kappa_interval"]
    say(f"  {evaluator}: the judge agrees with people in {found['accuracy']:.1%} ({low:.1%} to {high:.1%})")
    say(f"    of {found['sampled']} answers; kappa {found['kappa']:.2f} ({kappa_low:.2f} to {kappa_high:.2f})")
    missing = shortfalls(agreement_from_json(found), bar)
    say(f"    {'It may judge.' if not missing else 'It may not judge: ' + '; '.join(missing) + '.'}")
    return not missing
