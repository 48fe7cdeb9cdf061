"""A task: a dataset, the system under test and the evaluators of its answers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.evaluation.records import Answer, Item
from shared.evaluation.scoring import Scorer

Solver = Callable[[Item], Awaitable[Answer]]
"""The system under test: answers one item. An exception counts as a failed row."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Items with their origin, so that a result can be repeated."""

    name: str
    version: str
    """Where the data comes from and which bytes: the first characters of the files' checksums."""
    items: tuple[Item, ...]
    seed: int | None = None
    """The seed of shuffled choices; None when the published order is kept."""
    about: str = ""
    """One sentence for readers who do not know the set."""

    def head(self, count: int) -> "Dataset":
        """The first `count` items; the version says so."""
        return Dataset(self.name, f"{self.version}/first-{count}", self.items[:count], self.seed, self.about)


@dataclass(frozen=True, slots=True)
class Task:
    """Dataset, solver and scorers under one name and version."""

    name: str
    version: str
    dataset: Dataset
    solver: Solver
    scorers: Sequence[Scorer]
