"""Questions in flight on this instance: the first of equal ones asks the model, the others follow its stream."""

from collections.abc import AsyncIterator

from shared.answering.live import Signal
from shared.caching.ports import CachedAnswer

LOOK_SECONDS = 5.0
"""A follower looks again after so long without news; news wakes it at once."""
FlightKey = tuple[str, str, str]
"""Tenant, key of the answer, version of the knowledge."""


class Flight:
    """One answer under way. Whoever leads it adds text and ends it; followers only read."""

    def __init__(self, key: FlightKey, turn_id: str) -> None:
        """Begins without text; `turn_id` is the leader's."""
        self.key, self.turn_id = key, turn_id
        self.parts: list[str] = []
        self.over = False
        self.answer: CachedAnswer | None = None
        self._followers: set[Signal] = set()

    def tell(self) -> None:
        """There is more in `parts`."""
        for follower in self._followers:
            follower.set()

    def end(self, answer: CachedAnswer | None) -> None:
        """The whole answer is there, or None: it will not come from here. Only the first end counts."""
        if not self.over:
            self.over, self.answer = True, answer
            self.tell()

    async def texts(self) -> AsyncIterator[str]:
        """The leader's text from its beginning, until the flight is over."""
        changed, taken = Signal(), 0
        self._followers.add(changed)
        try:
            while True:
                changed.clear()
                if len(self.parts) > taken:
                    text = "".join(self.parts[taken:])
                    taken = len(self.parts)
                    yield text
                elif self.over:
                    return
                else:
                    await changed.wait(LOOK_SECONDS)
        finally:
            self._followers.discard(changed)


class Flights:
    """All flights of this instance."""

    def __init__(self) -> None:
        """None yet."""
        self._flights: dict[FlightKey, Flight] = {}

    def find(self, key: FlightKey) -> Flight | None:
        """The flight of equal questions; None when there is none that could still end well."""
        flight = self._flights.get(key)
        return None if flight is None or (flight.over and flight.answer is None) else flight

    def lead(self, key: FlightKey, turn_id: str) -> Flight | None:
        """Begins a flight; None when somebody else leads one."""
        if self.find(key) is not None:
            return None
        flight = self._flights[key] = Flight(key, turn_id)
        return flight

    def land(self, flight: Flight) -> None:
        """Forgets a flight; those who follow it keep it."""
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._flights)
