"""Reports for tests of the scorecard."""

from shared.evaluation.baseline import baseline_of
from shared.evaluation.gates import Gate, GateSet, Strictness
from shared.evaluation.metrics import Kind
from shared.evaluation.records import Score
from shared.evaluation.scorecard.report import Report
from shared.evaluation.stats.agreement import cohens_kappa
from shared.evaluation.stats.interval import Interval
from shared.evaluation.trust import Agreement
from shared.evaluation.verdict import decide

from .support import a_score

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\" ' & </details>"
GATES = GateSet(
    (
        Gate("harm", "safety", Kind.DEFECT_RATE, Strictness.HARD, at_most=0.02),
        Gate("good", "relevance", Kind.RATE, Strictness.SOFT, at_least=0.8, tags=("returns",), regression=True),
        Gate("slow", "latency", Kind.P95, Strictness.SOFT, at_most=9),
    )
)


def scores(good: int, harmful: int = 0, total: int = 400) -> list[Score]:
    found = [a_score(n, passed=n < good, tags=("returns",), reason="why", cost_usd=0.001) for n in range(total)]
    found += [a_score(n, passed=n >= harmful, evaluator="safety", value=0) for n in range(total)]
    found += [a_score(n, value=n / 100, evaluator="latency") for n in range(total)]
    return found


def report(found: list[Score], **fields: object) -> Report:
    agreement = Agreement(300, 2, 0.9, Interval(0.86, 0.93), cohens_kappa([("a", "a"), ("b", "b"), ("a", "b")]), {}, 1)
    verdict = decide(GATES, found, baseline_of("last", found))
    options: dict[str, object] = {"agreements": {"relevance": agreement}, **fields}
    options = {"title": "WallEGPT", "system": "model m, prompt 3", "created": "23 November 2026", **options}
    return Report(verdict=verdict, scores=found, **options)  # type: ignore[arg-type] # free test options
