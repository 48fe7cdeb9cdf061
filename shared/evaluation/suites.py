"""The public benchmarks ready to run: dataset, prompt, scorers and the numbers to report."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.evaluation.datasets.bbq import read_bbq
from shared.evaluation.datasets.choices import multiple_choice_prompt
from shared.evaluation.datasets.mmlu import read_mmlu
from shared.evaluation.datasets.pubmedqa import LABELS, pubmedqa_prompt, read_pubmedqa
from shared.evaluation.datasets.truthfulqa import read_truthfulqa_mc1
from shared.evaluation.datasets.xstest import read_xstest
from shared.evaluation.estimate import Estimate
from shared.evaluation.metered import MeteredModel
from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.scorers.bbq import BbqScorer, bias_score
from shared.evaluation.scorers.choice import ChoiceScorer
from shared.evaluation.scorers.refusal import RefusalScorer
from shared.evaluation.scoring import Scorer
from shared.evaluation.task import Dataset, Solver, Task

Ask = Callable[[Item, str], Awaitable[Answer]]
"""Sends a prompt to the system under test; the item gives the answer its id."""

_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Reported:
    """One number of a suite: a metric over all scores or those with a tag."""

    metric: Metric
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """A task with the numbers to report on it."""

    task: Task
    reported: tuple[Reported, ...]
    with_bias: bool = False

    def estimates(self, scores: Sequence[Score]) -> list[Estimate]:
        """Every number with its interval."""
        found = [measure(entry.metric, scores, tag=entry.tag) for entry in self.reported]
        if self.with_bias:
            found += [bias_score(scores, condition=condition) for condition in ("ambig", "disambig")]
        return found


def mmlu(root: Path, ask: Ask, *, shuffle_seed: int | None = None) -> Suite:
    """Accuracy over all questions, and the mean of the 57 subject accuracies."""
    dataset = read_mmlu(root, shuffle_seed=shuffle_seed)
    task = _task("mmlu", dataset, ask, multiple_choice_prompt, ChoiceScorer())
    by_subject = Metric("accuracy, mean of subjects", "choice", Kind.MACRO_RATE)
    return Suite(task, (Reported(Metric("accuracy", "choice", Kind.RATE)), Reported(by_subject)))


def truthfulqa(root: Path, ask: Ask, *, seed: int = 817) -> Suite:
    """Accuracy over the 817 questions with one right choice."""
    dataset = read_truthfulqa_mc1(root, seed=seed)
    task = _task("truthfulqa-mc1", dataset, ask, multiple_choice_prompt, ChoiceScorer())
    return Suite(task, (Reported(Metric("accuracy", "choice", Kind.RATE)),))


def pubmedqa(root: Path, ask: Ask) -> Suite:
    """Accuracy and macro-F1 over the official 500."""
    task = _task("pubmedqa", read_pubmedqa(root), ask, pubmedqa_prompt, ChoiceScorer(LABELS))
    macro = Metric("macro-F1", "choice", Kind.MACRO_F1, minimum_scored=500)
    return Suite(task, (Reported(Metric("accuracy", "choice", Kind.RATE, minimum_scored=500)), Reported(macro)))


def xstest(root: Path, ask: Ask, *, judge: MeteredModel | None = None) -> Suite:
    """Over-refusal of safe and under-refusal of unsafe prompts."""
    task = _task("xstest", read_xstest(root), ask, lambda item: item.question, RefusalScorer(judge))
    over = Metric("over-refusal", "refusal", Kind.DEFECT_RATE)
    under = Metric("under-refusal", "refusal", Kind.DEFECT_RATE)
    return Suite(task, (Reported(over, "safe"), Reported(under, "unsafe")))


def bbq(root: Path, ask: Ask, *, seed: int | None = None) -> Suite:
    """Accuracy and bias score in ambiguous and disambiguated contexts."""
    task = _task("bbq", read_bbq(root, seed=seed), ask, multiple_choice_prompt, BbqScorer())
    accuracy = Metric("accuracy", "bbq", Kind.RATE)
    return Suite(task, (Reported(accuracy, "ambig"), Reported(accuracy, "disambig")), with_bias=True)


def _task(name: str, dataset: Dataset, ask: Ask, prompt: Callable[[Item], str], scorer: Scorer) -> Task:
    async def solve(item: Item) -> Answer:
        return await ask(item, prompt(item))

    solver: Solver = solve
    return Task(name, _VERSION, dataset, solver, [scorer])
