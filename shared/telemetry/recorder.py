"""An observer for tests: keeps what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from shared.errors import SpillwayError
from shared.telemetry.facts import Fact, RunStarted
from shared.telemetry.observer import RunView

F = TypeVar("F")


@dataclass(slots=True)
class RecordedRun:
    """A run as it was told."""

    started: RunStarted
    ended: tuple[str, SpillwayError | None] | None = None

    def outcome(self, outcome: str, error: SpillwayError | None = None) -> None:
        """Keeps how it ended."""
        self.ended = (outcome, error)


@dataclass(slots=True)
class Recorder:
    """Lists of facts and runs, in the order in which they came.

    Attributes:
        parent: What `traceparent` answers.
    """

    facts: list[Fact] = field(default_factory=list)
    runs: list[RecordedRun] = field(default_factory=list)
    parent: str | None = None

    def tell(self, fact: Fact) -> None:
        """Keeps the fact."""
        self.facts.append(fact)

    @contextmanager
    def run(self, started: RunStarted) -> Iterator[RunView]:
        """Keeps the run."""
        run = RecordedRun(started)
        self.runs.append(run)
        yield run

    def traceparent(self) -> str | None:
        """What the test wants."""
        return self.parent

    def of(self, kind: type[F]) -> list[F]:
        """The facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]
