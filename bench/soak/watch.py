"""Looks at ended turns while the soak goes on: what is over stays as it is."""

import asyncio
import hashlib
import time
from typing import Any

from azure.core.exceptions import AzureError

from bench.lab.outcomes import TERMINAL
from bench.soak.stack import SoakStack

EVERY_SECONDS = 20.0
BACK_SECONDS = 90.0
"""How far each look goes back, so that a store that was away, or whose clock was wrong, is not missed."""
ENDED = (
    "SELECT c.id, c.state, c.answer, c.finish_reason FROM c WHERE c._ts >= @since AND ARRAY_CONTAINS(@over, c.state)"
)


class Watch:
    """Remembers the first end that each turn was seen with.

    Attributes:
        ends: By turn id.
        changed: Turns that were seen with another end later.
        looks: How often the store was asked, and how often it did not answer.
    """

    def __init__(self, stack: SoakStack) -> None:
        self._stack = stack
        self.ends: dict[str, str] = {}
        self.changed: list[str] = []
        self.looks = {"answered": 0, "unanswered": 0}

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await asyncio.to_thread(self._try)

    def _try(self) -> None:
        try:
            self.look(since=time.time() - EVERY_SECONDS - BACK_SECONDS)
            self.looks["answered"] += 1
        except AzureError:
            # The store is away on purpose; the next look goes back far enough.
            self.looks["unanswered"] += 1

    def look(self, *, since: float) -> None:
        """All turns that have ended since then, in seconds since 1970.

        Raises:
            AzureError: The store does not answer.
        """
        over: dict[str, object] = {"name": "@over", "value": sorted(TERMINAL)}
        for turn in self._stack.rows("turns", ENDED, over, {"name": "@since", "value": int(since)}):
            self.note(turn)

    def note(self, turn: dict[str, Any]) -> None:
        """One turn that is over."""
        end = hashlib.sha256(repr((turn["state"], turn.get("answer"), turn.get("finish_reason"))).encode()).hexdigest()
        if self.ends.setdefault(turn["id"], end) != end:
            self.changed.append(turn["id"])
