"""One beat of the minute timer."""

import asyncio

from shared.errors import Unavailable
from shared.pulse.backlog import BacklogWatch
from shared.pulse.canary import Canary
from shared.pulse.ports import OperatorSwitches
from shared.pulse.roll_up_turns import MINUTE_SECONDS, TurnRollUp
from shared.pulse.ticks import Ticks


class Pulse:
    """Does each part at most once per tick over all instances; what fails is done with the next tick."""

    def __init__(
        self,
        *,
        ticks: Ticks,
        switches: OperatorSwitches,
        backlog: BacklogWatch,
        roll_up: TurnRollUp,
        canary: Canary,
        canary_seconds: float,
    ) -> None:
        """Takes the parts; no canary flies when `canary_seconds` is 0."""
        self._ticks, self._switches, self._backlog, self._roll_up = ticks, switches, backlog, roll_up
        self._canary, self._canary_seconds = canary, canary_seconds

    async def beat(self) -> None:
        """Does what is due.

        Raises:
            Unavailable: The store did not answer to one of the parts; the others were done.
        """
        await self._switches.look()
        if await self._ticks.claim("minute", MINUTE_SECONDS):
            done = await asyncio.gather(self._backlog.look(), self._roll_up.roll_up(), return_exceptions=True)
            for fault in done:
                if isinstance(fault, BaseException) and not isinstance(fault, Unavailable):
                    raise fault
            for fault in done:
                if isinstance(fault, Unavailable):
                    raise fault
        if self._canary_seconds and await self._ticks.claim("canary", self._canary_seconds):
            await self._canary.fly()
