"""The evaluators by name, built for one judge (or without one)."""

from collections.abc import Callable, Mapping, Sequence

from shared.evaluation.datasets.pubmedqa import LABELS
from shared.evaluation.metered import MeteredModel
from shared.evaluation.model import Embedder
from shared.evaluation.scorers import operational, scale
from shared.evaluation.scorers.bbq import BbqScorer
from shared.evaluation.scorers.choice import ChoiceScorer
from shared.evaluation.scorers.groundedness import GroundednessScorer
from shared.evaluation.scorers.injection import InjectionScorer
from shared.evaluation.scorers.privacy import PrivacyScorer
from shared.evaluation.scorers.refusal import RefusalScorer
from shared.evaluation.scorers.safety import SafetyScorer
from shared.evaluation.scorers.similarity import SimilarityScorer
from shared.evaluation.scorers.transparency import TransparencyScorer
from shared.evaluation.scorers.truthfulness import TruthfulnessScorer
from shared.evaluation.scoring import Scorer

RULES: Mapping[str, Callable[[], Scorer]] = {
    "answered": operational.AnsweredScorer,
    "latency": operational.LatencyScorer,
    "tokens": operational.TokensScorer,
    "cost": operational.CostScorer,
    "sources": operational.SourcesScorer,
    "privacy": PrivacyScorer,
    "injection": InjectionScorer,
    "transparency": TransparencyScorer,
}
"""Those that need no judge."""

JUDGED: Mapping[str, Callable[[MeteredModel], Scorer]] = {
    "similarity": SimilarityScorer,
    "groundedness": GroundednessScorer,
    "relevance": scale.relevance,
    "coherence": scale.coherence,
    "fluency": scale.fluency,
    "completeness": scale.completeness,
    "truthfulness": TruthfulnessScorer,
}
"""Those that cannot do without."""

BOTH: Mapping[str, Callable[[MeteredModel | None], Scorer]] = {"safety": SafetyScorer, "refusal": RefusalScorer}
"""Those that use a judge when there is one."""

NAMES = (*RULES, *BOTH, *JUDGED)
PRODUCTION = (
    "answered",
    "latency",
    "tokens",
    "cost",
    "privacy",
    "transparency",
    "safety",
    "relevance",
    "groundedness",
    "coherence",
)
"""What production turns are scored with: nothing that needs a reference answer."""
GOLDEN = tuple(name for name in NAMES if name not in {"truthfulness", "completeness", "fluency"})
"""What own questions are scored with when nothing is asked for."""


REPAIRS = 2
"""A judge is called at most so often for one score: a reply that cannot be used is sent back once."""


def build(names: Sequence[str], judge: MeteredModel | None, embedder: Embedder | None) -> list[Scorer]:
    """The evaluators with these names; those that need a judge are left out without one."""
    found: list[Scorer] = []
    for name in names:
        if name in RULES:
            found.append(RULES[name]())
        elif name in BOTH:
            found.append(BOTH[name](judge))
        elif judge is not None:
            found.append(SimilarityScorer(judge, embedder) if name == "similarity" else JUDGED[name](judge))
    return found


def build_suite(suite: str, judge: MeteredModel | None) -> list[Scorer]:
    """The evaluator of a public test set."""
    if suite == "judgements":
        return [] if judge is None else [TruthfulnessScorer(judge)]
    if suite == "bbq":
        return [BbqScorer()]
    if suite == "xstest":
        return [RefusalScorer(judge)]
    return [ChoiceScorer(LABELS)] if suite == "pubmedqa" else [ChoiceScorer()]


def most_judge_calls(names: Sequence[str], suite: str) -> int:
    """The most calls of a judge that scoring one answer can take, network retries not counted."""
    if suite:
        return REPAIRS if suite in {"xstest", "judgements"} else 0
    return REPAIRS * sum(name in JUDGED or name in BOTH for name in names)
