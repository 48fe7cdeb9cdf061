"""MMLU: 14,042 four-choice questions from 57 school and professional subjects (Hendrycks et al.)."""

from pathlib import Path

from shared.evaluation.datasets.choices import Question, lettered
from shared.evaluation.datasets.folder import Source, read_checked
from shared.evaluation.records import Item
from shared.evaluation.task import Dataset

SOURCE = Source("mmlu", "https://github.com/hendrycks/test", "MIT")
ABOUT = "General knowledge: four-choice exam questions from 57 subjects; guessing scores 25 %."


def read_mmlu(root: Path, *, split: str = "test", shuffle_seed: int | None = None) -> Dataset:
    """Read `split` (`test` or `dev`).

    The published order of the choices is kept unless `shuffle_seed` is given. In the published order the right
    letters are not evenly spread: always answering D scores 26.9 %.
    """
    file = read_checked(root, SOURCE, f"{split}.jsonl")
    rows = list(file.json_lines())
    shown = lettered([Question(row["choices"], row["answer"]) for row in rows], shuffle_seed)
    items = tuple(
        Item(
            f"mmlu-{split}-{number}",
            row["question"],
            reference=row["choices"][row["answer"]],
            choices=choices,
            target=target,
            tags=(row["subject"],),
            metadata={"group": row["subject"]},
        )
        for number, (row, (choices, target)) in enumerate(zip(rows, shown, strict=True))
    )
    return Dataset(f"mmlu/{split}", file.digest[:12], items, shuffle_seed, ABOUT)
