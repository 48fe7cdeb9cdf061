"""What operators switch by hand for all instances: lanes that pause, deployments that drain."""

import asyncio
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Unavailable
from shared.ports import Clock, Ledger
from shared.telemetry import log
from shared.turns import Lane

NAME = "switches"
FRESH_SECONDS = 1.0
TRIES = 5


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the switches stand: lanes whose turns wait, and deployments that get no new calls."""

    paused: frozenset[str] = frozenset()
    draining: frozenset[str] = frozenset()


class Switches:
    """The switches as this instance knows them; every use may cause a look, none waits for it."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        """Starts with nothing switched."""
        self._ledger, self._clock = ledger, clock
        self._positions = Positions()
        self._known_at = -math.inf
        self._looking: asyncio.Task[None] | None = None

    @property
    def positions(self) -> Positions:
        """As far as is known."""
        return self._positions

    def drains(self, deployment: str) -> bool:
        """True when the deployment is to get no new calls."""
        return deployment in self._positions.draining

    def pauses(self, lane: Lane) -> bool:
        """True when the turns of the lane wait until an operator says otherwise."""
        self._look_soon()
        return lane.value in self._positions.paused

    async def pause(self, lane: Lane, *, paused: bool) -> None:
        """Pauses a lane, or lets it go on.

        Raises:
            Unavailable: The ledger does not answer; nothing is switched.
        """
        await self._set(lambda known: dataclasses.replace(known, paused=_put(known.paused, lane.value, inside=paused)))
        log.info("switch_lane", lane=lane.value, paused=paused)

    async def drain(self, deployment: str, *, draining: bool) -> None:
        """Takes a deployment out, or back in; calls under way go on.

        Raises:
            Unavailable: The ledger does not answer; nothing is switched.
        """
        await self._set(
            lambda known: dataclasses.replace(known, draining=_put(known.draining, deployment, inside=draining))
        )
        log.info("switch_deployment", deployment=deployment, draining=draining)

    async def look(self) -> None:
        """Brings the knowledge up to date; keeps what is known while the ledger is away."""
        self._known_at = self._clock.monotonic()
        try:
            await self._read()
        except Unavailable:
            log.warning("miss_switches")

    async def close(self) -> None:
        """Stops looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _look_soon(self) -> None:
        old = self._clock.monotonic() - self._known_at > FRESH_SECONDS
        if old and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self.look())

    async def _read(self) -> str | None:
        found = await self._ledger.read(NAME)
        self._known_at = self._clock.monotonic()
        account = {} if found is None else found.account
        self._positions = Positions(frozenset(account.get("paused", ())), frozenset(account.get("draining", ())))
        return None if found is None else found.version

    async def _set(self, edit: Callable[[Positions], Positions]) -> None:
        for _ in range(TRIES):
            version = await self._read()
            wanted = edit(self._positions)
            account = {"paused": sorted(wanted.paused), "draining": sorted(wanted.draining)}
            if await self._ledger.write(NAME, account, version=version, lasting=True) is not None:
                self._positions = wanted
                return
        raise Unavailable("Others are switching at the same time. Try again.", retry_after_seconds=1.0)


def _put(names: frozenset[str], name: str, *, inside: bool) -> frozenset[str]:
    return names | {name} if inside else names - {name}
