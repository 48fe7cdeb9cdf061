"""A deployment's shared account as one instance knows it: read, taken from and changed by conditional writes."""

import dataclasses
import math
from collections.abc import Callable, Sequence

from shared.policies.ledger import (
    Ask,
    LedgerState,
    acquired,
    advanced,
    ceiling,
    fitting,
    opened,
    slot_of,
    spent,
)
from shared.ports import Clock, Ledger, LedgerEntry
from shared.settings import Deployment

TRIES = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Spending:
    """Tokens and requests to add to the account beside the calls that ask: debts, and what is taken ahead of need."""

    tokens: float = 0.0
    requests: int = 0
    urgent: float = 0.0


NOTHING = Spending()


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """Which calls were acquired, in their order, and whether what was to be taken ahead was too."""

    served: list[bool]
    ahead: bool = False


class Contended(Exception):
    """Others were quicker every time; nothing was acquired or settled."""


class LedgerAccount:
    """Every operation may raise Unavailable; what was known before stays known."""

    def __init__(self, deployment: Deployment, ledger: Ledger, clock: Clock) -> None:
        """Starts without knowledge."""
        self.deployment, self._ledger, self._clock = deployment, ledger, clock
        self.known: LedgerState | None = None
        self.known_at = -math.inf
        self._version: str | None = None
        self._now: tuple[LedgerState | None, LedgerState] | None = None

    @property
    def age_seconds(self) -> float:
        """How old the knowledge is; infinity when there is none."""
        return self._clock.monotonic() - self.known_at

    @property
    def now(self) -> LedgerState:
        """The account at this moment, as far as is known; an unused one when nothing is."""
        slot = slot_of(self._clock.now())
        if self._now is None or self._now[0] is not self.known or self._now[1].slot != slot:
            # It is asked for several times a turn and changes with what is known and with the slot.
            self._now = (self.known, self._opened() if self.known is None else advanced(self.known, slot))
        return self._now[1]

    async def look(self) -> None:
        """Brings the knowledge up to date."""
        found = await self._ledger.read(self.deployment.name)
        if found is not None:
            self._learn(found)

    async def take(self, asks: Sequence[Ask], *, debt: Spending = NOTHING, ahead: Spending = NOTHING) -> Taken:
        """Acquires those calls that there is room for, in order, and settles the debt whatever the room.

        Args:
            asks: The calls.
            debt: What was spent already.
            ahead: What to acquire beyond the calls, when all of it fits; else none of it is.

        Raises:
            Contended: Others were quicker every time; nothing was settled.
        """
        for _ in range(TRIES):
            slot = slot_of(self._clock.now())
            if await self._take_all(slot, asks, debt, ahead):
                return Taken([True] * len(asks), ahead=ahead is not NOTHING)
            found = await self._ledger.read(self.deployment.name)
            if found is not None and self._opens(found, slot):
                # Another instance has opened the slot: adding to it meets no rival, replacing it meets all of them.
                self._learn(found)
                if await self._take_all(slot, asks, debt, ahead):
                    return Taken([True] * len(asks), ahead=ahead is not NOTHING)
            served = await self._take_fitting(found, slot, asks, debt)
            if served is not None:
                return Taken(served)
        raise Contended

    async def change(self, edit: Callable[[LedgerState], LedgerState | None]) -> bool:
        """Applies an edit to the newest account; False when the edit says no, or others were quicker every time."""
        slot = slot_of(self._clock.now())
        for _ in range(TRIES):
            found = await self._ledger.read(self.deployment.name)
            state = advanced(self._opened() if found is None else self._state(found), slot)
            after = edit(state)
            if after is None:
                if found is not None:
                    self._learn(found)
                return False
            if await self._write(after, None if found is None else found.version):
                return True
        return False

    async def _take_all(self, slot: int, asks: Sequence[Ask], debt: Spending, ahead: Spending) -> bool:
        """One conditional increment on the newest slot; False when that is not known, or it does not hold them all."""
        known = self.known
        if known is None or known.slot != slot or self._version is None or known.failing:
            return False
        tokens = sum(ask.tokens for ask in asks) + debt.tokens + ahead.tokens
        highest = min((ceiling(known, ask) for ask in asks), default=known.token_ceiling)
        entry = await self._ledger.take(
            self.deployment.name,
            slot=slot,
            tokens=tokens,
            requests=len(asks) + debt.requests + ahead.requests,
            urgent=sum(ask.tokens for ask in asks if not ask.yields) + debt.urgent + ahead.urgent,
            token_ceiling=highest,
            request_ceiling=known.request_ceiling - max((ask.kept_requests for ask in asks), default=0),
        )
        if entry is not None:
            self._learn(entry)
        return entry is not None

    def _opens(self, found: LedgerEntry, slot: int) -> bool:
        """It is in this slot, and not known here as that already."""
        return found.version != self._version and self._state(found).slot == slot

    async def _take_fitting(
        self, found: LedgerEntry | None, slot: int, asks: Sequence[Ask], debt: Spending
    ) -> list[bool] | None:
        """Moves the account to the slot and takes what fits, in one write; None when another was quicker."""
        state = advanced(self._opened() if found is None else self._state(found), slot)
        state = spent(state, tokens=debt.tokens, requests=debt.requests, urgent=debt.urgent)
        served = fitting(state, asks)
        if found is not None and not any(served) and not debt.requests:
            self._learn(found)
            return served
        for ask, fits in zip(asks, served, strict=True):
            state = (acquired(state, ask) or state) if fits else state
        return served if await self._write(state, None if found is None else found.version) else None

    async def _write(self, state: LedgerState, version: str | None) -> bool:
        entry = await self._ledger.write(self.deployment.name, dataclasses.asdict(state), version=version)
        if entry is not None:
            self._learn(entry)
        return entry is not None

    def _learn(self, entry: LedgerEntry) -> None:
        self.known, self._version = self._state(entry), entry.version
        self.known_at = self._clock.monotonic()

    def _opened(self) -> LedgerState:
        return opened(
            slot_of(self._clock.now()),
            limit_tokens=self.deployment.tokens_per_minute,
            limit_requests=self.deployment.requests_per_minute,
        )

    def _state(self, entry: LedgerEntry) -> LedgerState:
        """The stored account under the limits of the settings, which may have changed since it was written."""
        fields = {field.name for field in dataclasses.fields(LedgerState)}
        values = {name: value for name, value in entry.account.items() if name in fields}
        values["token_marks"], values["request_marks"] = tuple(values["token_marks"]), tuple(values["request_marks"])
        return dataclasses.replace(
            LedgerState(**values),
            limit_tokens=self.deployment.tokens_per_minute,
            limit_requests=self.deployment.requests_per_minute,
        )
