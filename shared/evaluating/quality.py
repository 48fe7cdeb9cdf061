"""What operators see of quality in production."""

import asyncio
import time
from typing import Any

from shared.evaluating.ports import Document, MetricsStore
from shared.evaluating.production_verdict import production_verdict
from shared.evaluating.sampler import PLAN_DAY
from shared.ports import Clock

DAY_SECONDS = 86_400
HIDDEN = frozenset({"id", "day", "kind", "ttl", "state", "learned", "totals", "before_sums", "place_at", "place_id"})


class Quality:
    """Reads roll-ups and the state of drift."""

    def __init__(self, *, metrics: MetricsStore, clock: Clock) -> None:
        """Takes what it works with."""
        self._metrics, self._clock = metrics, clock

    async def of_days(self, count: int) -> dict[str, Any]:
        """The verdict on the last days, their roll-ups, oldest first, and every stream with its baseline and alarms."""
        now = self._clock.now()
        wanted = [time.strftime("%Y-%m-%d", time.gmtime(now - back * DAY_SECONDS)) for back in reversed(range(count))]
        roll_ups = [_shown(found) for day in wanted for found in await self._metrics.of_kind(day, "quality")]
        streams = [_shown(found) for found in await self._metrics.of_kind(PLAN_DAY, "stream")]
        since = now - count * DAY_SECONDS
        return {
            "verdict": await asyncio.to_thread(production_verdict, roll_ups, streams, since=since),
            "roll_ups": sorted(roll_ups, key=lambda found: (found["hour"], found["evaluator"])),
            "streams": sorted(streams, key=lambda found: (found["evaluator"], found["deployment"])),
        }


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in HIDDEN and not name.startswith("_")}
