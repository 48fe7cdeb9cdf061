"""The accounts of a model's deployments, as its line and those who keep room for others see them."""

import asyncio
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from shared.capacity.deployment_state import DeploymentState
from shared.operating.operations import Switches
from shared.policies.fairness import TenantShares
from shared.policies.ledger import LedgerState, slot_of
from shared.policies.supply import reserve_requests, reserve_tokens
from shared.ports import Clock

PARTS = 20
"""Shares are rounded up to one in so many, so that a reserve is worked out once for many."""


@dataclass(slots=True)
class Pool:
    """Implements `shared.capacity.waiting_line.Accounts`."""

    states: Mapping[str, DeploymentState]
    clock: Clock
    switches: Switches
    names: list[str]
    shares: TenantShares
    _open: Mapping[str, LedgerState] = field(default_factory=dict)
    _reserves: dict[float, tuple[float, int]] = field(default_factory=dict)
    _known_for: object = None

    def all(self) -> Mapping[str, LedgerState]:
        return {name: self._account(self.states[name]) for name in self.names if not self.switches.drains(name)}

    def open(self) -> Mapping[str, LedgerState]:
        now = self.clock.now()
        return {name: state for name, state in self.all().items() if state.cooling_until <= now}

    def _account(self, state: DeploymentState) -> LedgerState:
        """One that rests for a fault is to the line like one that cools."""
        account, rests = state.budget.account.now, state.breaker.wait_seconds(self.clock.monotonic())
        back_at = self.clock.now() + rests
        return replace(account, cooling_until=max(account.cooling_until, back_at)) if rests > 0 else account

    def strangers(self, tenants: Collection[str]) -> float:
        return self.shares.others_share(self.clock.monotonic(), tenants)

    def kept_at(self, name: str, *, strangers: float) -> tuple[float, int]:
        """Tokens and requests to leave at a deployment, so that the pool keeps its reserve for strangers."""
        key = (slot_of(self.clock.now()), self.stamp())
        if key != self._known_for:
            self._open, self._reserves, self._known_for = self.open(), {}, key
        part = math.ceil(PARTS * strangers) / PARTS
        if part not in self._reserves:
            accounts = self._open.values()
            self._reserves[part] = (
                reserve_tokens(accounts, strangers=part),
                reserve_requests(accounts, strangers=part),
            )
        tokens, requests = self._reserves[part]
        others = [state for other, state in self._open.items() if other != name]
        return (
            max(0.0, tokens - sum(max(0.0, state.token_room) for state in others)),
            max(0, requests - sum(state.request_room for state in others)),
        )

    def stamp(self) -> object:
        monotonic = self.clock.monotonic()
        return tuple(
            (id(state.budget.account.known), state.breaker.wait_seconds(monotonic) > 0, self.switches.drains(name))
            for name, state in ((name, self.states[name]) for name in self.names)
        )

    async def look(self, *, older_than_seconds: float) -> None:
        old = [
            account
            for account in (self.states[name].budget.account for name in self.names)
            if account.age_seconds > older_than_seconds
        ]
        await asyncio.gather(*(account.look() for account in old))
