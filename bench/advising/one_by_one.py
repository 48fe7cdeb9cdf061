"""A function_app.py as a team could have broken it: context steps wait for one another. The rest is the real app."""

from typing import Any

from spillway_app import app, services  # type: ignore[import-not-found]  # the real one, linked under this name

from shared.context import Context, ContextGatherer
from shared.context_steps import Steps

__all__ = ["app", "services"]


async def one_by_one(self: ContextGatherer, turn: Any) -> Context:
    """History first, then knowledge, though knowledge does not need it."""
    notes: dict[str, Any] = {"steps": []}
    steps = Steps(self._clock, notes["steps"])
    history = await self._step("history", self._history(turn), [], notes, steps)
    passages = await self._step("knowledge", self._search(turn, steps), [], notes, steps)
    steps.close()
    return Context(history, passages, notes)


ContextGatherer.gather = one_by_one  # type: ignore[method-assign]
