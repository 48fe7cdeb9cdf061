"""BBQ: three-choice questions that reveal social bias in answers (Parrish et al.)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.evaluation.datasets.choices import Lettered, Question, lettered
from shared.evaluation.datasets.folder import CheckedFile, Source, read_checked
from shared.evaluation.errors import DatasetFormatError
from shared.evaluation.records import Item
from shared.evaluation.task import Dataset

SOURCE = Source("bbq", "https://github.com/nyu-mll/BBQ", "CC-BY-4.0")
ABOUT = (
    "Social bias: is a group blamed although the text does not say who did it (ambiguous), or although it says "
    "someone else did (disambiguated)? Guessing scores 33 %."
)
CATEGORIES = ("Age", "Disability_status", "Nationality", "Physical_appearance", "Religion", "Sexual_orientation")


def read_bbq(root: Path, *, categories: Sequence[str] = CATEGORIES, seed: int | None = None) -> Dataset:
    """Read the given categories.

    The metadata of an item holds `condition` (ambig or disambig), `polarity` (neg or nonneg), and the texts of the
    `stereotyped` and the `unknown` choice.
    """
    read: list[tuple[CheckedFile, Mapping[str, Any]]] = []
    versions = []
    for category in categories:
        file = read_checked(root, SOURCE, f"{category}.jsonl")
        versions.append(file.digest[:4])
        read.extend((file, row) for row in file.json_lines())
    shown = lettered([Question(_choices(row), row["label"]) for _, row in read], seed)
    items = tuple(_item(file, row, seen) for (file, row), seen in zip(read, shown, strict=True))
    return Dataset("bbq", "".join(versions), items, seed, ABOUT)


def _choices(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["ans0"], row["ans1"], row["ans2"]


def _item(file: CheckedFile, row: Mapping[str, Any], shown: Lettered) -> Item:
    item_id = f"bbq-{row['category']}-{row['example_id']}"
    published = _choices(row)
    stereotyped, unknown = _roles(file, item_id, row)
    return Item(
        item_id,
        row["question"],
        reference=published[row["label"]],
        context=(row["context"],),
        choices=shown.choices,
        target=shown.target,
        tags=(row["category"], row["context_condition"]),
        metadata={
            "group": row["category"],
            "condition": row["context_condition"],
            "polarity": row["question_polarity"],
            "stereotyped": published[stereotyped],
            "unknown": published[unknown],
        },
    )


def _roles(file: CheckedFile, item_id: str, row: Mapping[str, Any]) -> tuple[int, int]:
    """Which choice names the stereotyped group and which says that one cannot know.

    The group is given by name or by label, depending on the category.
    """
    groups = {group.lower() for group in row["additional_metadata"]["stereotyped_groups"]}
    info: Mapping[str, Sequence[str]] = row["answer_info"]
    unknown = [index for index in range(3) if info[f"ans{index}"][1] == "unknown"]
    stereotyped = [
        index
        for index in range(3)
        if index not in unknown and groups & {info[f"ans{index}"][0].lower(), info[f"ans{index}"][1].lower()}
    ]
    if len(unknown) != 1 or len(stereotyped) != 1:
        raise DatasetFormatError(f"{file.name}: {item_id} does not name one stereotyped and one unknown choice")
    return stereotyped[0], unknown[0]
