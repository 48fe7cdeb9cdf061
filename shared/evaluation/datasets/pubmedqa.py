"""PubMedQA: research questions answered yes, no or maybe from an abstract (Jin et al.)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.evaluation.datasets.folder import Source, read_checked
from shared.evaluation.errors import DatasetFormatError
from shared.evaluation.records import Item
from shared.evaluation.task import Dataset

SOURCE = Source("pubmedqa", "https://github.com/pubmedqa/pubmedqa", "MIT")
ABOUT = "Reading of medical abstracts: yes, no or maybe; always answering yes scores 55.2 %, one human 78.0 %."
LABELS = ("yes", "no", "maybe")
INSTRUCTION = "Answer the question from the context with one word: yes, no or maybe."


def read_pubmedqa(root: Path) -> Dataset:
    """The official 500 test items.

    Raises:
        DatasetFormatError: an official test id is missing from the labelled file.
    """
    labelled_file = read_checked(root, SOURCE, "ori_pqal.json")
    truth_file = read_checked(root, SOURCE, "test_ground_truth.json")
    labelled, truth = json.loads(labelled_file.text), json.loads(truth_file.text)
    if missing := truth.keys() - labelled.keys():
        raise DatasetFormatError(f"{labelled_file.name}: {len(missing)} official test ids are missing")
    items = tuple(_item(key, labelled[key], label) for key, label in truth.items())
    return Dataset("pubmedqa/test", f"{labelled_file.digest[:6]}{truth_file.digest[:6]}", items, None, ABOUT)


def pubmedqa_prompt(item: Item) -> str:
    """The text a model is asked: abstract without its conclusion, question, how to reply."""
    return "\n".join(["Context:", *item.context, "", f"Question: {item.question}", "", INSTRUCTION])


def _item(key: str, row: Mapping[str, Any], label: str) -> Item:
    return Item(
        f"pubmedqa-{key}",
        row["QUESTION"],
        reference=row["LONG_ANSWER"],
        context=tuple(row["CONTEXTS"]),
        choices=LABELS,
        target=label,
        tags=(f"truth:{label}",),
    )
