"""Whether this instance can do its work: the store and the queue answer."""

import asyncio
from typing import Any

from shared.errors import SpillwayError
from shared.ports import Clock, LaneQueues, TurnStore
from shared.turns import NO_TURN, Lane

FRESH_SECONDS = 5.0
CHECK_SECONDS = 4.0


class Health:
    """Checks what the instance depends on, at most every five seconds."""

    def __init__(self, *, store: TurnStore, queues: LaneQueues, clock: Clock) -> None:
        """Takes what it checks."""
        self._store, self._queues, self._clock = store, queues, clock
        self._checked_at = float("-inf")
        self._checks: dict[str, str] = {}

    async def ready(self) -> dict[str, Any]:
        """`status` is ready or unavailable; `checks` says for each dependency ok or what is wrong."""
        if self._clock.monotonic() - self._checked_at > FRESH_SECONDS:
            store, queue = await asyncio.gather(
                _check(self._store.get(NO_TURN)),
                _check(self._queues.peek_dead_letters(Lane.INTERACTIVE, 1, 0)),
            )
            self._checks, self._checked_at = {"store": store, "queue": queue}, self._clock.monotonic()
        well = all(state == "ok" for state in self._checks.values())
        return {"status": "ready" if well else "unavailable", "checks": self._checks}


async def _check(work: Any) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await work
    except (SpillwayError, TimeoutError) as fault:
        return str(fault) or "does not answer in time"
    return "ok"
