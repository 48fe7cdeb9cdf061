"""What a turn is answered from, gathered from all providers side by side."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.context.providers.base import NOTHING, ContextProvider, Found
from shared.context.providers.history import History
from shared.context.providers.knowledge import KnowledgeSearch
from shared.context.sources import Sources, Start
from shared.context.steps import Steps
from shared.errors import SpillwayError, Unavailable
from shared.ports import Clock, Passage
from shared.telemetry import log
from shared.telemetry.facts import ContextStepEnded
from shared.telemetry.observer import SILENT, Observer
from shared.turns import Message, Turn


@dataclass(frozen=True, slots=True)
class Context:
    """What was found in time. `notes` says for each step what it took and what was dropped."""

    history: list[Message] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)


class ContextGatherer:
    """Runs all steps at once, each under its time budget; a late or failing step is dropped and named."""

    def __init__(
        self, providers: Sequence[ContextProvider], *, clock: Clock, seconds: float, observer: Observer = SILENT
    ) -> None:
        """Takes its sources.

        Args:
            providers: One a step; what they find keeps their order.
            clock: Time.
            seconds: Time budget of each step.
            observer: Is told of each step.
        """
        self._providers, self._clock, self._seconds, self._observer = providers, clock, seconds, observer
        self._history = next((one for one in providers if isinstance(one, History)), None)
        self._knowledge = next((one for one in providers if isinstance(one, KnowledgeSearch)), None)

    def sources(self, turn: Turn, start: Start) -> Sources:
        """What the steps of a turn share with whoever else needs it; `start` makes tasks that somebody keeps."""
        return Sources(start, history=lambda: self._recent(turn), vector=lambda: self._vector(turn))

    def has_history(self, turn: Turn) -> bool:
        """Earlier turns of its session are looked for."""
        return turn.use_context and self._history is not None and self._history.applies(turn)

    def needs_vector(self, turn: Turn) -> bool:
        """The question's vector is needed to find passages."""
        return turn.use_context and self._knowledge is not None and self._knowledge.applies(turn)

    def is_personal(self, turn: Turn) -> bool:
        """More than the conversation and the tenant's documents is looked at."""
        others = [provider for provider in self._providers if provider not in (self._history, self._knowledge)]
        return turn.use_context and any(provider.applies(turn) for provider in others)

    async def _recent(self, turn: Turn) -> list[dict[str, Any]]:
        return [] if self._history is None else await self._history.recent(turn)

    async def _vector(self, turn: Turn) -> list[float]:
        if self._knowledge is None:
            raise Unavailable("This app looks nothing up, so it needs no vectors.")
        return await self._knowledge.vector(turn)

    async def gather(self, turn: Turn, sources: Sources | None = None) -> Context:
        """All steps for a turn; never raises for a failing step. With `sources`, nothing is fetched twice."""
        asked = [provider for provider in self._providers if turn.use_context and provider.applies(turn)]
        if not asked:
            return Context()
        notes: dict[str, Any] = {"steps": []}
        steps = Steps(self._clock, notes["steps"], sources)
        found = await asyncio.gather(*(self._step(provider, turn, notes, steps) for provider in asked))
        steps.close()
        for one in found:
            notes.update(one.notes)
        return Context(
            history=[message for one in found for message in one.messages],
            passages=[passage for one in found for passage in one.passages],
            facts=[fact for one in found for fact in one.facts],
            notes=notes,
        )

    async def _step(self, provider: ContextProvider, turn: Turn, notes: dict[str, Any], steps: Steps) -> Found:
        name, begin, dropped, found = provider.name, self._clock.monotonic(), None, NOTHING
        try:
            async with asyncio.timeout(self._seconds):
                found = await provider.gather(turn, steps)
        except (TimeoutError, SpillwayError) as fault:
            dropped = type(fault).__name__
            log.warning("drop_context", step=name, fault=dropped)
        except Exception as fault:  # noqa: BLE001  an answer without one step beats no answer
            dropped = type(fault).__name__
            log.failure("break_context", fault, step=name)
        if dropped is not None:
            notes.setdefault("dropped", []).append(name)
        seconds = self._clock.monotonic() - begin
        notes[f"{name}_ms"] = round(seconds * 1000, 3)
        steps.ended(name, begin)
        self._observer.tell(ContextStepEnded(name, seconds, dropped))
        return found
