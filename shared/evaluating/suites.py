"""The public test sets as the app asks them: items, and for each the prompt of its suite."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.evaluation import suites
from shared.evaluation.datasets.truthfulqa import read_truth_judgements
from shared.evaluation.estimate import Estimate
from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.suites import Ask, Suite

JUDGEMENTS = "judgements"


@dataclass(frozen=True, slots=True)
class ReadSuite:
    """A test set, read.

    Attributes:
        prompts: What is asked, by item id.
        version: Name of the set and which bytes.
        answers: Answers that are there already, by item id.
    """

    items: Sequence[Item]
    prompts: Mapping[str, str]
    version: str
    answers: Mapping[str, str] = field(default_factory=dict)


async def read_suite(folder: Path, name: str, seed: int) -> ReadSuite:
    """Reads a suite from the folder of public test sets.

    Raises:
        EvaluationError: It is not there or was changed.
    """
    if name == JUDGEMENTS:
        return await asyncio.to_thread(_judgements, folder)
    prompts: dict[str, str] = {}

    async def note(item: Item, prompt: str) -> Answer:
        prompts[item.item_id] = prompt
        return Answer(item.item_id)

    suite = await asyncio.to_thread(_suite, folder, name, note, seed)
    dataset = suite.task.dataset
    for item in dataset.items:
        await suite.task.solver(item)
    return ReadSuite(dataset.items, prompts, f"{dataset.name} {dataset.version}")


def suite_estimates(folder: Path, name: str, seed: int, scores: Sequence[Score]) -> list[Estimate]:
    """The numbers that a suite reports, over these scores. Reads the set; call it in a thread."""
    if name == JUDGEMENTS:
        return [measure(Metric("answers found true", "truthfulness", Kind.RATE), scores)]
    return _suite(folder, name, _never, seed).estimates(scores)


def _judgements(folder: Path) -> ReadSuite:
    rows = read_truth_judgements(folder)
    items = [Item(row.item_id, row.question, target=row.label) for row in rows]
    prompts = {row.item_id: row.question for row in rows}
    answers = {row.item_id: row.answer for row in rows}
    return ReadSuite(items, prompts, f"truthfulqa/judgements {len(rows)} rows", answers)


def _suite(folder: Path, name: str, ask: Ask, seed: int) -> Suite:
    match name:
        case "mmlu":
            return suites.mmlu(folder, ask, shuffle_seed=seed)
        case "truthfulqa":
            return suites.truthfulqa(folder, ask, seed=seed)
        case "pubmedqa":
            return suites.pubmedqa(folder, ask)
        case "xstest":
            return suites.xstest(folder, ask)
        case _:
            return suites.bbq(folder, ask, seed=seed)


async def _never(item: Item, prompt: str) -> Answer:
    raise RuntimeError(f"{item.item_id} was to be asked while only numbers were wanted: {prompt[:40]}")
