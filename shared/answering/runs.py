"""A run of a turn: what it holds while it streams, where its answer comes from, and how it ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.caching.flights import Flight
from shared.caching.lookup import Lookup
from shared.capacity.capacity import Want
from shared.errors import SpillwayError
from shared.events import News
from shared.timelines.timeline import Timeline
from shared.turns import State, Turn, Usage

Publish = Callable[[News], None]
"""Takes news for whoever follows a turn; returns at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run ended in a terminal state. `lost` means that another run took over and this one left no trace."""

    state: State
    error: SpillwayError | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """The run has to be continued later: no capacity, or a fault with other tries left.

    Attributes:
        wait_seconds: Until a deployment is expected to have budget; infinity when unknown.
        faulted: It was a fault that ended the run.
        attempts: What was tried.
        want: What no deployment had; None after a fault.
    """

    wait_seconds: float
    faulted: bool
    attempts: list[dict[str, Any]]
    want: Want | None = None


@dataclass(slots=True)
class Run:
    """A run under way: its turn, who is told of it, and what grows while it streams.

    Attributes:
        stored: Done when the turn is in the store; text is held back until then. None when it is there already.
        lookup: Its look into the cache; None without one.
        flight: Others follow this run's text.
        told: The conversation may have been told how this run ended.
    """

    turn: Turn
    publish: Publish
    timeline: Timeline
    stored: asyncio.Future[Any] | None
    lookup: Lookup | None = None
    flight: Flight | None = None
    parts: list[str] = field(default_factory=list)
    length: int = 0
    finish_reason: str | None = None
    usage: Usage | None = None
    ending: bool = False
    told: bool = False

    def add(self, text: str) -> None:
        """The answer goes on."""
        self.parts.append(text)
        self.length += len(text)
        if self.flight is not None:
            self.flight.tell()

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from: a deployment, or the cache.

    Attributes:
        attempts: Calls that were made for it.
        cached: As in `Turn`.
    """

    citations: list[dict[str, Any]]
    model: str | None
    deployment: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    between_tokens_seconds: float | None = None
    cached: dict[str, Any] | None = None
