"""How long a new turn would wait in its lane, from what the store counts and what the deployments can take."""

from dataclasses import dataclass
from typing import Any

from shared.capacity import Capacity
from shared.ports import Clock, TurnStore
from shared.turns import Lane

FRESH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """Place in the lane, counted from 1, and the expected wait in seconds."""

    place: int
    wait_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """As callers see it."""
        return {"place": self.place, "expected_wait_seconds": round(self.wait_seconds, 1)}


class LaneWatch:
    """Counts the waiting turns of each lane, asking the store at most every two seconds."""

    def __init__(self, *, store: TurnStore, capacity: Capacity, clock: Clock) -> None:
        """Takes what it works with."""
        self._store, self._capacity, self._clock = store, capacity, clock
        self._depth: dict[Lane, int] = {}
        self._counted_at: dict[Lane, float] = {}
        self._looked_at: dict[str, float] = {}

    async def outlook(self, lane: Lane, model: str, tokens: int) -> Outlook:
        """Where a turn of `tokens` would stand.

        The wait is the length of the line for the model, or the time that the turns ahead need of all deployments'
        tokens a minute when that is longer; lanes before this one count in full.

        Raises:
            Unavailable: The store does not answer.
        """
        ahead = 0
        for other in Lane:
            ahead += await self._count(other)
            if other is lane:
                break
        budget = self._capacity.tokens_per_minute
        line_seconds = await self._line(model)
        return Outlook(ahead + 1, max(line_seconds, ahead * tokens / budget * 60 if budget else 0.0))

    def added(self, lane: Lane) -> None:
        """Notes a turn that this instance put into a lane since the last count."""
        self._depth[lane] = self._depth.get(lane, 0) + 1

    async def _line(self, model: str) -> float:
        now = self._clock.monotonic()
        if now - self._looked_at.get(model, float("-inf")) > FRESH_SECONDS:
            self._looked_at[model] = now
            return await self._capacity.look_at_line(model)
        return self._capacity.line_seconds(model)

    async def _count(self, lane: Lane) -> int:
        now = self._clock.monotonic()
        if now - self._counted_at.get(lane, float("-inf")) > FRESH_SECONDS:
            self._counted_at[lane] = now
            self._depth[lane] = await self._store.depth(lane)
        return self._depth.get(lane, 0)
