"""TruthfulQA: 817 questions that people often answer with a common error (Lin et al.)."""

from collections.abc import Mapping
from pathlib import Path

from shared.evaluation.datasets.choices import Lettered, Question, lettered
from shared.evaluation.datasets.folder import CheckedFile, Source, read_checked
from shared.evaluation.errors import DatasetFormatError
from shared.evaluation.records import Item
from shared.evaluation.task import Dataset
from shared.evaluation.trust import Labelled

SOURCE = Source("truthfulqa", "https://github.com/sylinrl/TruthfulQA", "Apache-2.0")
ABOUT = "Truthfulness: questions on which a common misconception is the tempting answer."
_FILE = "TruthfulQA.csv"


def read_truthfulqa_mc1(root: Path, *, seed: int = 817) -> Dataset:
    """One right choice (the best answer) among the listed wrong ones, in a seeded order.

    Built from the published question file, so it is not byte-identical to the set named `multiple_choice` elsewhere.
    The shuffle is not optional: in the published order the right choice is always the first.
    """
    file = read_checked(root, SOURCE, _FILE)
    rows = list(file.csv_rows())
    questions = [Question([row["Best Answer"].strip(), *_listed(row, "Incorrect Answers")], 0) for row in rows]
    items = tuple(
        _item(row, f"truthfulqa-mc1-{number}", shown)
        for number, (row, shown) in enumerate(zip(rows, lettered(questions, seed), strict=True))
    )
    return Dataset("truthfulqa/mc1", file.digest[:12], items, seed, ABOUT)


def read_truthfulqa_generation(root: Path) -> Dataset:
    """Open questions; the metadata holds the correct and the incorrect answers for a judge."""
    file = read_checked(root, SOURCE, _FILE)
    items = (_item(row, f"truthfulqa-gen-{number}") for number, row in enumerate(file.csv_rows()))
    return Dataset("truthfulqa/generation", file.digest[:12], tuple(items), None, ABOUT)


def read_truth_judgements(root: Path) -> list[Labelled]:
    """The 22,434 question-answer pairs that people labelled true or not, for the calibration of a judge.

    The label is `yes` when the answer is true, else `no`; 57.7 % are `no`.

    Raises:
        DatasetFormatError: a row does not have the published form.
    """
    file = read_checked(root, SOURCE, "finetune_truth.jsonl")
    return [_judgement(file, number, row) for number, row in enumerate(file.json_lines())]


def _judgement(file: CheckedFile, number: int, row: Mapping[str, str]) -> Labelled:
    question, found, answer = row["prompt"].removeprefix("Q: ").removesuffix("\nTrue:").partition("\nA:")
    label = row["completion"].strip()
    if not found or label not in {"yes", "no"}:
        raise DatasetFormatError(f"{file.name}:{number + 1}: expected 'Q: ... A: ... True:' and yes or no")
    return Labelled(f"truth-{number}", question.strip(), answer.strip(), label)


def _item(row: Mapping[str, str], item_id: str, shown: Lettered | None = None) -> Item:
    return Item(
        item_id,
        row["Question"],
        reference=row["Best Answer"].strip(),
        choices=shown.choices if shown else (),
        target=shown.target if shown else None,
        tags=(row["Category"], row["Type"]),
        metadata={"correct": _listed(row, "Correct Answers"), "incorrect": _listed(row, "Incorrect Answers")},
    )


def _listed(row: Mapping[str, str], column: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in row[column].split(";") if part.strip())
