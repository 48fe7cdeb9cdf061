"""Scores of the golden set on local Azure: with the accepted instructions, and with worse ones."""

import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.client import installation, item_json
from evals.stack import ROOT, JudgedStack
from shared.evaluating.evaluators import PRODUCTION
from shared.evaluation.datasets.own import read_own
from shared.evaluation.records import Item, Score, State
from tests.acceptance.stack import OPERATOR

GOLDEN = read_own(ROOT / "evals" / "golden" / "wallegpt.jsonl").items
TOPIC = "policy"
EVALUATORS = tuple(dict.fromkeys((*PRODUCTION, "similarity", "refusal")))
SCALE = frozenset({"similarity", "groundedness", "relevance", "coherence"})
MOVES = 0.2
"""The share of judged scores that are one higher or lower from one answer to the next."""
PASSES_FROM = 4
OLD_RULE = (
    "formerly settled through regional voucher bureaus under legacy statute paragraph nine, with stamped paper forms, "
    "notarised witnesses, quarterly ledgers and written petitions."
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Scores by version, evaluator and item: (value, passed, version of the rubric)."""

    versions: Mapping[str, Mapping[str, Mapping[str, tuple[float, bool | None, str]]]]

    def as_dict(self) -> dict[str, Any]:
        """For a file."""
        return {"versions": self.versions}

    def scores(self, version: str, item: Item, draw: random.Random) -> list[Score]:
        """What one more answer of this version to this item would be given."""
        return [
            _varied(item, evaluator, found[item.item_id], draw)
            for evaluator, found in self.versions[version].items()
            if item.item_id in found
        ]


def _varied(item: Item, evaluator: str, known: tuple[float, bool | None, str], draw: random.Random) -> Score:
    value, passed, rubric = known
    if evaluator in SCALE and draw.random() < MOVES:
        value = min(5.0, max(1.0, value + draw.choice((-1, 1))))
        passed = value >= PASSES_FROM
    elif evaluator == "latency":
        value *= draw.lognormvariate(0, 0.3)
    return Score(item.item_id, evaluator, rubric, State.SCORED, value, passed, tags=item.tags)


def load(path: Path) -> Recorded:
    """Reads a recording."""
    return Recorded(json.loads(path.read_text(encoding="utf-8"))["versions"])


def record() -> Recorded:
    """Runs the golden set twice on local Azure."""
    with tempfile.TemporaryDirectory() as folder:
        stack = JudgedStack(Path(folder), host_options=("--instances", "2"), durable=False)
        try:
            stack.start()
            stack.seed()
            accepted = _scores(stack, "accepted")
            stack.settings["SPILLWAY_SYSTEM_PROMPT"] = worse_instructions()
            stack.parts["app"].stop()
            stack.start_app()
            return Recorded({"accepted": accepted, "worse": _scores(stack, "worse")})
        finally:
            stack.stop()


def worse_instructions(items: Sequence[Item] = GOLDEN) -> str:
    """Instructions with an outdated document for each of these questions about policies, left by a hasty edit."""
    outdated = []
    for number, item in enumerate(items):
        if TOPIC in item.tags:
            asked = item.question.rstrip("?!. ").replace("? ", ", ").replace(". ", ", ")
            outdated.append(f"[source: archive-{number}] {asked}\n{asked}, {asked}, {OLD_RULE}")
    return "You help customers of a shop.\n\n" + "\n\n".join(outdated)


def _scores(stack: JudgedStack, name: str) -> dict[str, dict[str, tuple[float, bool | None, str]]]:
    with installation(stack.url, OPERATOR) as target:
        run = target.start({"name": name, "evaluators": list(EVALUATORS)}, [item_json(item) for item in GOLDEN])
        target.follow(run["evaluation_id"], lambda _: None)
        found: dict[str, dict[str, tuple[float, bool | None, str]]] = {}
        for score in target.scores(run["evaluation_id"]):
            if score.state is State.SCORED and score.value is not None:
                entry = (round(score.value, 4), score.passed, score.version)
                found.setdefault(score.evaluator, {})[score.item_id] = entry
    return found
