"""The gates of the shop on one version, compared with the accepted one."""

import random
import re
from dataclasses import dataclass

from bench.regression.recording import GOLDEN, ROOT, Recorded
from shared.evaluation.baseline import baseline_of
from shared.evaluation.gates import load_gates
from shared.evaluation.verdict import Decision, decide

QUESTIONS = 120
TOPIC_NAMED = re.compile(r"\[(.+?)\]: worse than the baseline")


@dataclass(frozen=True, slots=True)
class Decided:
    """Whether a version may be launched, and which topics its refusal names."""

    no_go: bool
    topics: tuple[str, ...]


def decide_on(recorded: Recorded, version: str, seed: int) -> Decided:
    """A run over a sample of the questions, against a run of the accepted version over the same ones."""
    draw = random.Random(f"before launch {version} {seed}")
    items = draw.sample(GOLDEN, QUESTIONS)
    past = [score for item in items for score in recorded.scores("accepted", item, draw)]
    now = [score for item in items for score in recorded.scores(version, item, draw)]
    verdict = decide(load_gates(ROOT / "evals" / "gates.toml"), now, baseline_of("accepted", past))
    topics = {found[1] for reason in verdict.reasons if (found := TOPIC_NAMED.search(reason))}
    return Decided(verdict.decision is Decision.NO_GO, tuple(sorted(topics)))
