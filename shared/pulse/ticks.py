"""Each tick of a timer is claimed once, whichever instances it fires on."""

from shared.evaluating.ports import MetricsStore
from shared.ports import Clock

DAY = "ticks"
TTL_SECONDS = 86_400


class Ticks:
    """Claims ticks in the store.

    On Azure a timer fires on one instance of an app; several hosts on one machine, two apps on one store, or an
    invocation by hand make it more. Whoever writes the tick's document first has it. Work of a claimer that dies is
    done with the next tick, so it has to pick up what was left.
    """

    def __init__(self, store: MetricsStore, clock: Clock) -> None:
        """Takes what it works with."""
        self._store, self._clock = store, clock

    async def claim(self, name: str, every_seconds: float) -> bool:
        """Whether this caller is the one to do the work of the tick that it is now.

        Raises:
            Unavailable: The store does not answer.
        """
        now = self._clock.now()
        tick = int(now // every_seconds)
        document = {"id": f"{name}-{every_seconds:g}-{tick}", "day": DAY, "kind": "tick", "at": now, "ttl": TTL_SECONDS}
        return await self._store.replace_or_create(document)
