"""Advice on what would be saved, for operators: the newest answered turns, read and worked out off the event loop."""

import asyncio
from typing import Any, Protocol

from shared.advisor.advise import advise
from shared.advisor.finding import Needs
from shared.advisor.journeys import journeys
from shared.advisor.report import markdown
from shared.ports import Clock

HOUR_SECONDS = 3600.0


class Timelines(Protocol):
    """Where the timelines of turns are."""

    async def newest(self, *, since: float, limit: int) -> list[dict[str, Any]]:
        """Answered turns accepted since then, newest first.

        Each has path, model, deployment, usage, citations, attempts and timeline; neither texts nor names of people.
        """


class LatencyAdvice:
    """The use case."""

    def __init__(self, timelines: Timelines, clock: Clock) -> None:
        """Takes what it works with."""
        self._timelines, self._clock = timelines, clock

    async def report(self, *, hours: int, limit: int, needed_tokens: int | None) -> dict[str, Any]:
        """What would be saved, best first; see `shared.advisor.advise`.

        Args:
            hours: How far back to look.
            limit: How many turns at most.
            needed_tokens: What an answer needs; None to learn it from similar answers.
        """
        since = self._clock.now() - hours * HOUR_SECONDS
        turns = journeys(await self._timelines.newest(since=since, limit=limit))
        return await asyncio.to_thread(advise, turns, Needs(output_tokens=needed_tokens))

    def words(self, report: dict[str, Any]) -> str:
        """A report as Markdown."""
        return markdown(report)
