"""What a turn is answered from: the conversation so far and the tenant's knowledge, gathered side by side."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.context_steps import Steps
from shared.errors import SpillwayError, Unavailable
from shared.ports import Clock, Embedder, Knowledge, Passage, SessionStore
from shared.sources import Sources, Start
from shared.telemetry import log
from shared.telemetry.facts import ContextStepEnded
from shared.telemetry.observer import SILENT, Observer
from shared.turns import Message, State, Turn
from shared.vectors import unpack

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """What was found in time. `notes` says for each step what it took and what was dropped."""

    history: list[Message] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)


class ContextGatherer:
    """Runs all steps at once, each under its time budget; a late or failing step is dropped and named."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        knowledge: Knowledge | None,
        embedder: Embedder | None,
        clock: Clock,
        history_turns: int,
        passages: int,
        seconds: float,
        observer: Observer = SILENT,
    ) -> None:
        """Takes its sources.

        Args:
            sessions: Where the history is.
            knowledge: Where the passages are; None when the app answers without.
            embedder: Turns the question into a vector; None likewise.
            clock: Time.
            history_turns: How many earlier turns the model sees.
            passages: How many passages the model sees.
            seconds: Time budget of each step.
            observer: Is told of each step.
        """
        self._observer = observer
        self._sessions, self._knowledge, self._embedder, self._clock = sessions, knowledge, embedder, clock
        self._history_turns, self._passages, self._seconds = history_turns, passages, seconds

    def sources(self, turn: Turn, start: Start) -> Sources:
        """What the steps of a turn share with whoever else needs it; `start` makes tasks that somebody keeps."""
        return Sources(start, history=lambda: self._recent(turn), vector=lambda: self._embed(turn))

    async def gather(self, turn: Turn, sources: Sources | None = None) -> Context:
        """All steps for a turn; never raises for a failing step. With `sources`, nothing is fetched twice."""
        if not turn.use_context or (self._knowledge is None and not self.has_history(turn)):
            return Context()
        notes: dict[str, Any] = {"steps": []}
        steps = Steps(self._clock, notes["steps"])
        history, passages = await asyncio.gather(
            self._step("history", self._history(turn, sources), [], notes, steps),
            self._step("knowledge", self._search(turn, steps, sources), [], notes, steps),
        )
        steps.close()
        return Context(history, passages, notes)

    async def _step(self, name: str, work: Awaitable[T], otherwise: T, notes: dict[str, Any], steps: Steps) -> T:
        begin, dropped = self._clock.monotonic(), None
        try:
            async with asyncio.timeout(self._seconds):
                found = await work
        except (TimeoutError, SpillwayError) as fault:
            dropped = type(fault).__name__
            log.warning("drop_context", step=name, fault=dropped)
            notes.setdefault("dropped", []).append(name)
            found = otherwise
        except Exception as fault:  # noqa: BLE001  an answer without one step beats no answer
            dropped = type(fault).__name__
            log.failure("break_context", fault, step=name)
            notes.setdefault("dropped", []).append(name)
            found = otherwise
        seconds = self._clock.monotonic() - begin
        notes[f"{name}_ms"] = round(seconds * 1000, 3)
        steps.ended(name, begin)
        self._observer.tell(ContextStepEnded(name, seconds, dropped))
        return found

    def has_history(self, turn: Turn) -> bool:
        """Earlier turns of its session are looked for."""
        return turn.use_context and self._history_turns > 0 and not turn.new_session and len(turn.messages) == 1

    def needs_vector(self, turn: Turn) -> bool:
        """The question's vector is needed to find passages."""
        return turn.use_context and self._knowledge is not None and self._embedder is not None

    async def _recent(self, turn: Turn) -> list[dict[str, Any]]:
        return await self._sessions.recent(turn.tenant, turn.session_id, self._history_turns)

    async def _history(self, turn: Turn, sources: Sources | None) -> list[Message]:
        if not self.has_history(turn):
            return []
        earlier = await (self._recent(turn) if sources is None else sources.history())
        answered = [
            entry for entry in earlier if entry["state"] == State.SUCCEEDED.value and entry["turn_id"] != turn.turn_id
        ]
        pairs = [(Message("user", entry["question"]), Message("assistant", entry["answer"])) for entry in answered]
        return [message for pair in pairs for message in pair]

    async def _embed(self, turn: Turn) -> list[float]:
        if turn.question_vector is not None:
            return unpack(turn.question_vector)
        if self._embedder is None:
            raise Unavailable("No deployment of kind embeddings is configured.")
        return (await self._embedder.embed([turn.question]))[0]

    async def _search(self, turn: Turn, steps: Steps, sources: Sources | None) -> list[Passage]:
        if self._knowledge is None or self._embedder is None:
            return []
        begin = self._clock.monotonic()
        vector = await (self._embed(turn) if sources is None else sources.vector())
        steps.ended("embedding", begin, part_of="knowledge")
        begin = self._clock.monotonic()
        found = await self._knowledge.search(turn.tenant, vector, self._passages)
        steps.ended("search", begin, part_of="knowledge", needs=["embedding"])
        return found
