"""The scorecard's content, one structure for JSON and HTML."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Score, State
from shared.evaluation.trust import Agreement, agreement_to_json
from shared.evaluation.verdict import GateResult, Verdict

EXAMPLES = 3
_JUDGED_TOPICS_MOST = 60


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a scorecard shows."""

    title: str
    system: str
    """What was tested: deployment, model and prompt version, in words."""
    created: str
    """Date and time as the reader should see it."""
    verdict: Verdict
    scores: Sequence[Score]
    datasets: Sequence[str] = ()
    """Name and version of each dataset."""
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    """How far the judge of an evaluator agrees with people, by evaluator."""
    answer_cost_usd: float = 0.0
    """What the answers under test cost."""
    answers_per_month: float = 0.0
    """Expected traffic, for the monthly cost; 0 when unknown."""
    progress: tuple[int, int] | None = None
    """Questions done and planned while the run is under way; None once it is over."""

    @property
    def judge_cost_usd(self) -> float:
        """What the evaluation itself cost."""
        return sum(score.cost_usd for score in self.scores)

    @property
    def evaluators(self) -> list[str]:
        """The evaluators in the order of their first score."""
        return list(dict.fromkeys(score.evaluator for score in self.scores))

    def topics(self) -> dict[str, dict[str, tuple[int, int]]]:
        """(passed, scored) by tag and evaluator, the largest tags first."""
        found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        for score in self.scores:
            if score.state is State.SCORED and score.passed is not None:
                for name in score.tags:
                    cell = found[name][score.evaluator]
                    cell[0] += score.passed
                    cell[1] += 1
        sizes = {name: max(total for _, total in cells.values()) for name, cells in found.items()}
        largest = sorted(found, key=lambda name: (-sizes[name], name))[:_JUDGED_TOPICS_MOST]
        return {name: {key: (cell[0], cell[1]) for key, cell in found[name].items()} for name in largest}

    def examples(self, *, good: bool) -> list[Score]:
        """A few results worth reading: the worst per evaluator, or passed ones with a reason."""
        wanted = [
            score
            for score in self.scores
            if score.state is State.SCORED and score.passed is good and score.answer.strip()
        ]
        per_evaluator: Counter[str] = Counter()
        chosen = []
        for score in wanted:
            per_evaluator[score.evaluator] += 1
            if per_evaluator[score.evaluator] <= EXAMPLES:
                chosen.append(score)
        return chosen

    def distribution(self, evaluator: str) -> list[tuple[str, int]]:
        """How often each value (or label) occurs; many different values are put into ten bins."""
        mine = [score for score in self.scores if score.evaluator == evaluator and score.state is State.SCORED]
        values = [score.value for score in mine if score.value is not None]
        if len(set(values)) <= 11:
            return [(f"{value:g}", count) for value, count in sorted(Counter(values).items())]
        low, high = min(values), max(values)
        step = (high - low) / 10
        bins = Counter(min(9, int((value - low) / step)) for value in values)
        return [(f"{low + place * step:.3g} to {low + (place + 1) * step:.3g}", bins[place]) for place in range(10)]

    def states(self, evaluator: str) -> Counter[State]:
        """How many scores ended in which state."""
        return Counter(score.state for score in self.scores if score.evaluator == evaluator)


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain values. Infinite bounds of unknown numbers become None."""
    return {
        "format": 1,
        "title": report.title,
        "system": report.system,
        "created": report.created,
        "decision": report.verdict.decision.value,
        "reasons": list(report.verdict.reasons),
        "datasets": list(report.datasets),
        "gates": [_gate(result) for result in report.verdict.results],
        "comparisons": [asdict(found) | {"regressed": found.regressed} for found in report.verdict.comparisons],
        "evaluators": {name: _evaluator(report, name) for name in report.evaluators},
        "agreements": {name: agreement_to_json(found) for name, found in report.agreements.items()},
        "cost": {"answers_usd": report.answer_cost_usd, "judges_usd": report.judge_cost_usd},
        "scores": [asdict(score) for score in report.scores],
    }


def _gate(result: GateResult) -> dict[str, Any]:
    low, high = result.estimate.interval
    return {
        "name": result.gate.name,
        "tag": result.tag,
        "strictness": result.gate.strictness.value,
        "status": result.status.value,
        "reason": result.reason,
        "demand": result.gate.demand(result.tag),
        "items_needed": result.items_needed,
        **asdict(result.estimate),
        "interval": [_finite(low), _finite(high)],
    }


def _evaluator(report: Report, name: str) -> dict[str, Any]:
    mean = measure(Metric(name, name, Kind.MEAN, 1), report.scores)
    states = report.states(name)
    return {
        "states": {state.value: states[state] for state in State},
        "mean": mean.value,
        "standard_error": mean.standard_error,
        "interval": [_finite(bound) for bound in mean.interval],
        "versions": sorted({score.version for score in report.scores if score.evaluator == name}),
        "distribution": report.distribution(name),
    }


def _finite(bound: float) -> float | None:
    return bound if abs(bound) != float("inf") else None
