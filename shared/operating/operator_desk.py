"""What operators see of the lanes and deployments, and what they may switch."""

from typing import Any

from shared.capacity.capacity import Capacity
from shared.errors import InvalidRequest
from shared.operating.operations import Switches
from shared.ports import TurnStore
from shared.turns import Lane

USUAL_TOKENS = 1000.0


class OperatorDesk:
    """Reads and switches for the whole installation, whichever instance is asked."""

    def __init__(self, *, capacity: Capacity, store: TurnStore, switches: Switches) -> None:
        """Takes what it works with."""
        self._capacity, self._store, self._switches = capacity, store, switches

    async def view(self) -> dict[str, Any]:
        """Lanes with their state, waiting turns and expected wait; deployments as `Capacity.describe` gives them.

        Raises:
            Unavailable: The store does not answer.
        """
        await self._switches.look()
        return {
            "lanes": [await self._lane(lane) for lane in Lane],
            "deployments": self._capacity.describe(),
        }

    async def pause(self, lane: Lane, *, paused: bool) -> dict[str, Any]:
        """Pauses a lane or lets it go on; the lane as it is then.

        Raises:
            Unavailable: Nothing was switched.
        """
        await self._switches.pause(lane, paused=paused)
        return await self._lane(lane)

    async def drain(self, name: str, *, draining: bool) -> dict[str, Any]:
        """Takes a deployment out or back in; the deployment as it is then.

        Raises:
            InvalidRequest: There is no such deployment.
            Unavailable: Nothing was switched.
        """
        names = [entry["name"] for entry in self._capacity.describe()]
        if name not in names:
            raise InvalidRequest(f"There is no deployment {name}. Choose one of {', '.join(names)}.")
        await self._switches.drain(name, draining=draining)
        return next(entry for entry in self._capacity.describe() if entry["name"] == name)

    async def _lane(self, lane: Lane) -> dict[str, Any]:
        waits = []
        for model in self._capacity.models:
            line = self._capacity.line(model)
            await line.look()
            if line.anybody:
                waits.append(line.outlook(lane, "", USUAL_TOKENS))
        return {
            "lane": lane.value,
            "paused": lane.value in self._switches.positions.paused,
            "waiting": await self._store.depth(lane),
            "expected_wait_seconds": round(max(waits, default=0.0), 1),
        }
