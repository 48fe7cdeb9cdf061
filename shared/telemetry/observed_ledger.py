"""The ledger with an observer beside it: which grants were asked for, what became of them and how long it took."""

from collections.abc import Awaitable
from typing import Any

from shared.ports import Clock, Ledger, LedgerEntry
from shared.telemetry.facts import LedgerAsked
from shared.telemetry.observer import Observer

DONE, REFUSED, AWAY = "done", "refused", "away"


class ObservedLedger:
    """See `shared.ports.Ledger`."""

    def __init__(self, ledger: Ledger, observer: Observer, clock: Clock) -> None:
        """Takes the ledger and who is told."""
        self._ledger, self._observer, self._clock = ledger, observer, clock

    async def read(self, name: str) -> LedgerEntry | None:
        """See `shared.ports.Ledger`. That there is no account yet is an answer, too."""
        return await self._told(name, "read", self._ledger.read(name), empty=DONE)

    async def write(
        self, name: str, account: dict[str, Any], *, version: str | None, lasting: bool = False
    ) -> LedgerEntry | None:
        """See `shared.ports.Ledger`. Refused when another instance was quicker."""
        work = self._ledger.write(name, account, version=version, lasting=lasting)
        return await self._told(name, "write", work)

    async def take(
        self,
        name: str,
        *,
        slot: int,
        tokens: float,
        requests: int,
        urgent: float,
        token_ceiling: float,
        request_ceiling: float,
    ) -> LedgerEntry | None:
        """See `shared.ports.Ledger`. Refused when a ceiling does not hold or the slot is over."""
        work = self._ledger.take(
            name,
            slot=slot,
            tokens=tokens,
            requests=requests,
            urgent=urgent,
            token_ceiling=token_ceiling,
            request_ceiling=request_ceiling,
        )
        return await self._told(name, "take", work)

    async def _told(
        self, item: str, operation: str, work: Awaitable[LedgerEntry | None], *, empty: str = REFUSED
    ) -> LedgerEntry | None:
        began, outcome = self._clock.monotonic(), AWAY
        try:
            entry = await work
            outcome = DONE if entry is not None else empty
        finally:
            self._observer.tell(LedgerAsked(item, operation, outcome, self._clock.monotonic() - began))
        return entry
