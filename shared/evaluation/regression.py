"""Has quality fallen against the baseline? Paired tests over the items both runs share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.evaluation.baseline import Baseline, Past
from shared.evaluation.gates import Gate, GateSet
from shared.evaluation.metrics import SEED, Kind
from shared.evaluation.records import Score, State
from shared.evaluation.stats.interval import Interval
from shared.evaluation.stats.mean import bootstrap, mean
from shared.evaluation.stats.paired import holm, mcnemar_p

_RATES = (Kind.RATE, Kind.DEFECT_RATE, Kind.MACRO_RATE, Kind.MACRO_F1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One gate, overall or for a tag, against the baseline."""

    gate: str
    tag: str
    pairs: int
    change: float
    """New minus old, in pass rate or mean."""
    p_value: float
    method: str
    worse: bool
    """Whether the change is for the worse, significant or not."""
    significant: bool = False
    note: str = ""
    forbids: bool = False
    """Whether a significant fall here is NO-GO."""

    @property
    def regressed(self) -> bool:
        """Whether quality fell significantly."""
        return self.worse and self.significant


def compare(gates: GateSet, scores: Sequence[Score], baseline: Baseline) -> list[Comparison]:
    """Test every gate that asks for it, overall and per tag, with Holm's correction over all tests."""
    found = [
        replace(_compare(gate, tag, scores, baseline), forbids=gate.regression_forbids)
        for gate in gates.gates
        if gate.regression
        for tag in ("", *gate.tags)
    ]
    rejected = holm([comparison.p_value for comparison in found], gates.regression_level)
    return [replace(comparison, significant=flag) for comparison, flag in zip(found, rejected, strict=True)]


def _compare(gate: Gate, tag: str, scores: Iterable[Score], baseline: Baseline) -> Comparison:
    past = baseline.of(gate.evaluator)
    mine = [
        score
        for score in scores
        if score.evaluator == gate.evaluator and score.state is State.SCORED and (not tag or tag in score.tags)
    ]
    pairs = [(score, past[score.item_id]) for score in mine if _comparable(score, past)]
    if not pairs:
        versions = sorted({entry.version for entry in past.values()})
        note = f"no shared items of one version (baseline: {', '.join(versions) or 'no results'})"
        return Comparison(gate.name, tag, 0, 0.0, 1.0, "none", worse=False, note=note)
    return _passes(gate, tag, pairs) if gate.statistic in _RATES else _values(gate, tag, pairs)


def _comparable(score: Score, past: Mapping[str, Past]) -> bool:
    return score.item_id in past and past[score.item_id].version == score.version


def _passes(gate: Gate, tag: str, pairs: Sequence[tuple[Score, Past]]) -> Comparison:
    worse = sum(old.passed is True and new.passed is not True for new, old in pairs)
    better = sum(old.passed is not True and new.passed is True for new, old in pairs)
    change = (better - worse) / len(pairs)
    p_value = mcnemar_p(worse, better)
    return Comparison(gate.name, tag, len(pairs), change, p_value, "McNemar, exact", worse=worse > better)


def _values(gate: Gate, tag: str, pairs: Sequence[tuple[Score, Past]]) -> Comparison:
    changes = [new.value - old.value for new, old in pairs if new.value is not None and old.value is not None]
    if not changes:
        return Comparison(gate.name, tag, 0, 0.0, 1.0, "none", worse=False, note="no values to compare")
    change = mean(changes)
    lower_is_better = gate.at_most is not None
    worse = change > 0 if lower_is_better else change < 0
    p_value = _bootstrap_p(changes)
    return Comparison(gate.name, tag, len(changes), change, p_value, f"paired bootstrap, seed {SEED}", worse=worse)


def _bootstrap_p(changes: Sequence[float]) -> float:
    """The smallest of a few standard levels at which the bootstrap interval leaves out zero; 1 when none does."""
    for level in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05):
        interval: Interval = bootstrap(changes, mean, seed=SEED, confidence=1 - level, resamples=4_000)
        if 0.0 not in interval:
            return level
    return 1.0
