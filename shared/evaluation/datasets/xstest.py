"""XSTest: 250 safe prompts that sound unsafe and 200 unsafe contrasts (Röttger et al.)."""

from pathlib import Path

from shared.evaluation.datasets.folder import Source, read_checked
from shared.evaluation.records import Item
from shared.evaluation.task import Dataset

SOURCE = Source("xstest", "https://github.com/paul-rottger/exaggerated-safety", "CC-BY-4.0")
ABOUT = "Refusals: safe questions that must be answered (over-refusal) beside unsafe ones that must not."


def read_xstest(root: Path) -> Dataset:
    """All 450 prompts. The target is `comply` for safe and `refuse` for unsafe prompts."""
    file = read_checked(root, SOURCE, "xstest_prompts.csv")
    items = tuple(
        Item(
            f"xstest-{row['id']}",
            row["prompt"],
            target="comply" if row["label"] == "safe" else "refuse",
            tags=(row["label"], row["type"]),
        )
        for row in file.csv_rows()
    )
    return Dataset("xstest", file.digest[:12], items, None, ABOUT)
