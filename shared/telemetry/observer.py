"""Who is told what happens. The app knows this protocol only; OpenTelemetry is one observer, a list another."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from shared.errors import DeadlineExceeded, SpillwayError
from shared.telemetry.facts import Fact, RunStarted
from shared.turns import State


class RunView(Protocol):
    """An observed run under way."""

    def outcome(self, outcome: str, error: SpillwayError | None = None) -> None:
        """Says how the run ended: a state of the turn, `deferred` or `lost`, and the error when there is one."""


class Observer(Protocol):
    """Learns of facts. Never raises and never waits."""

    def tell(self, fact: Fact) -> None:
        """Something happened."""

    def run(self, started: RunStarted) -> AbstractContextManager[RunView]:
        """A run begins; what happens inside the block belongs to it."""

    def traceparent(self) -> str | None:
        """The W3C trace context of what is going on here, to be sent along; None when nothing is traced."""


def settled(error: SpillwayError | None) -> str:
    """The outcome of a run that could not answer, from the error that ended its turn; None means that it sleeps."""
    if error is None:
        return State.DEFERRED.value
    return (State.EXPIRED if isinstance(error, DeadlineExceeded) else State.FAILED).value


class _Unseen:
    """A run that nobody watches."""

    def outcome(self, outcome: str, error: SpillwayError | None = None) -> None:
        """Does nothing."""


class Silent:
    """Tells nobody."""

    def tell(self, fact: Fact) -> None:
        """Does nothing."""

    @contextmanager
    def run(self, started: RunStarted) -> Iterator[RunView]:  # noqa: ARG002  as the protocol says
        """Does nothing."""
        yield _UNSEEN

    def traceparent(self) -> str | None:
        """None."""
        return None


_UNSEEN = _Unseen()
SILENT = Silent()
