"""What this instance knows of its deployments: budget, cooling, speed; and who takes the next attempt."""

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.errors import Unavailable
from shared.operations import Switches
from shared.policies.breaker import CLOSED, Breaker
from shared.policies.choice import Candidate, Choice, choose
from shared.policies.classify import Outcome, Verdict
from shared.policies.fairness import CROWD, TenantShares
from shared.policies.hedging import FirstTokens, HedgeBudget, first_token_deadline_seconds
from shared.policies.lateness import Lateness
from shared.policies.ledger import Ask, LedgerState, slot_of
from shared.policies.line import Ticket
from shared.policies.spill import SpillRule, spill_models
from shared.policies.supply import reserve_requests, reserve_tokens
from shared.ports import Clock, Ledger
from shared.settings import Deployment, Tier
from shared.shared_budget import SharedBudget
from shared.telemetry import log
from shared.turns import Lane
from shared.waiting_line import WaitingLine

SMOOTHING = 0.2
FORGET_SECONDS = 60.0
"""A deployment that was slow and is left alone counts half as slow after this long, so that it is asked again."""
COOLING_WHEN_UNSAID_SECONDS, MOST_DOUBLINGS = 2.0, 2
"""Cooling after an overload that does not say how long; doubled while the next call meets the same."""
LARGE = 1.25
PARTS = 20
LONGEST_COOLING_SECONDS = 300.0
"""A longer wait is asked about again after this, or one strange answer would shut a deployment for a day."""
SPARE = 0.8
"""Above this utilisation a deployment has nothing to spare for second calls."""
_NO_HISTORY = FirstTokens()


@dataclass(slots=True)
class DeploymentState:
    """One deployment and its recent past."""

    deployment: Deployment
    budget: SharedBudget
    breaker: Breaker = CLOSED
    first_token_seconds: float = 0.0
    answered_at: float = 0.0
    first_tokens: FirstTokens = field(default_factory=FirstTokens)
    lateness: Lateness = field(default_factory=Lateness)
    calls: int = 0
    overloads: int = 0
    unsaid_overloads: int = 0
    faults: int = 0

    def rests_for(self, monotonic: float) -> float:
        """How long it is still to be left alone, after an overload or for a fault."""
        return max(self.budget.cooling_seconds, self.breaker.wait_seconds(monotonic))

    def expected_seconds(self, monotonic: float) -> float:
        """Time to first token by experience, which counts for less the older it is; 0 when there is none."""
        return self.first_token_seconds * math.pow(0.5, (monotonic - self.answered_at) / FORGET_SECONDS)

    def candidate(self, monotonic: float, ask: Ask, *, spill: bool, deadline: float) -> Candidate:
        """What the choice needs to know; `deadline` is the pool's for first tokens, 0 when there is none yet."""
        return Candidate(
            name=self.deployment.name,
            provisioned=self.deployment.tier is Tier.PROVISIONED,
            wait_seconds=self.budget.outlook(ask),
            cooling_seconds=self.rests_for(monotonic),
            first_token_seconds=self.expected_seconds(monotonic) + self.lateness.costs_seconds(monotonic, deadline),
            spill=spill,
            often_late=self.lateness.often(monotonic),
        )


@dataclass(frozen=True, slots=True)
class Want:
    """A turn that wants tokens of a pool.

    Attributes:
        tokens: The estimate.
        owner: The turn's id.
        ticket: Its place in line, when it stood there.
        due_at: Orders those who wait at the same moment, the earliest first; seconds since 1970.
    """

    model: str
    lane: Lane
    tenant: str
    tokens: float
    owner: str = ""
    ticket: Ticket | None = None
    due_at: float = math.inf

    @property
    def booked(self) -> bool:
        """It stood in line."""
        return self.ticket is not None


@dataclass(slots=True)
class _Pool:
    """The accounts of a model's deployments, for its line."""

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


class Capacity:
    """The chat deployments by model name. Budgets and lines are shared with all instances, the rest is experience."""

    def __init__(
        self,
        deployments: Iterable[Deployment],
        *,
        ledger: Ledger,
        clock: Clock,
        share: float,
        switches: Switches,
        interactive_share: float = 0.0,
        spill: Mapping[str, SpillRule] | None = None,
        costs: Mapping[str, float] | None = None,
    ) -> None:
        """Builds the pools.

        Args:
            deployments: All deployments; those that do not chat are left out.
            ledger: Where all instances settle what they spend.
            clock: Time.
            share: Part of each quota to use while the ledger is away and nothing else is known.
            switches: Which deployments operators drain.
            interactive_share: Part of each provisioned deployment that only the first lane may use.
            spill: Which other models may answer, by model.
            costs: Price of a turn by model, to compare.
        """
        self._clock, self._switches, self._interactive_share = clock, switches, interactive_share
        self._spill, self._costs = spill or {}, costs or {}
        self._states = {
            deployment.name: DeploymentState(deployment, SharedBudget(deployment, ledger, clock, share))
            for deployment in deployments
            if deployment.kind == "chat"
        }
        self._first_tokens = {model: FirstTokens() for model in self.models}
        self._hedges = HedgeBudget()
        self._shares = {model: TenantShares() for model in self.models}
        self._pools = {
            model: _Pool(self._states, clock, switches, self._names(model), self._shares[model])
            for model in self.models
        }
        self._lines = {model: WaitingLine(model, ledger, clock, pool) for model, pool in self._pools.items()}

    @property
    def models(self) -> tuple[str, ...]:
        """The model names that some deployment answers for, in order of first mention."""
        return tuple(dict.fromkeys(state.deployment.model for state in self._states.values()))

    def line(self, model: str) -> WaitingLine:
        """The line of those who wait for a model."""
        return self._lines[model]

    @property
    def ledger_away(self) -> dict[str, bool]:
        """Of which deployments the shared account is out of reach here; any thread may ask."""
        return {name: state.budget.degraded for name, state in self._states.items()}

    def behind_others(self, want: Want) -> bool:
        """Somebody waits whom a call that did not stand in line would overtake."""
        line = self.line(want.model)
        return not want.booked and (
            line.waits(want.lane, want.tenant) if want.lane is Lane.INTERACTIVE else line.anybody
        )

    def outlook(self, want: Want) -> Choice:
        """Who would take a call now, or the wait, as far as is known here; nothing is spent."""
        return choose(self._pool(want, ()))

    async def acquire(self, want: Want, *, tried: frozenset[str] = frozenset()) -> Choice:
        """Spends a call at the best deployment that has budget for it, or says how long to wait."""
        without_budget: dict[str, float] = {}
        while True:
            choice = choose(self._pool(want, without_budget), tried=tried)
            if choice.name is None:
                return Choice(None, min([choice.wait_seconds, *without_budget.values()]))
            state = self._states[choice.name]
            # Noted before the budget is asked for, or all who come meanwhile would be probes.
            before = state.breaker
            calling = state.breaker = before.calling(self._clock.monotonic())
            ask = self._ask(want, state.deployment)
            wait = await state.budget.acquire(ask, due_at=want.due_at, probes=before.probing)
            if wait > 0 and state.breaker is calling:
                state.breaker = before
            if wait == 0:
                state.calls += 1
                if not want.booked and want.lane is Lane.INTERACTIVE:
                    self._shares[want.model].spent(self._clock.monotonic(), want.tenant, want.tokens)
                return choice
            without_budget[choice.name] = wait

    async def reached(self, want: Want, *, until: float) -> float:
        """Waits till a turn that stood in line is due.

        Args:
            want: What it wants.
            until: The longest it waits; monotonic seconds.

        Returns:
            0 when it is due or did not stand in line, else the seconds that are left.
        """
        return 0.0 if want.ticket is None else await self.line(want.model).reached(want.ticket, until=until)

    async def denied(self, want: Want) -> None:
        """Tells the line that a turn which was due found no budget, unless smaller ones may use what it cannot."""
        if want.ticket is not None and not self.is_large(want):
            try:
                await self.line(want.model).rewind(want.ticket)
            except Unavailable:
                log.warning("miss_line", model=want.model)

    def first_token_deadline_seconds(self, want: Want, name: str) -> float | None:
        """After how long another deployment should be asked too; None when there is none, or too little is known."""
        if len(self._names(want.model)) < 2:
            return None
        self._hedges = self._hedges.called(want.tokens)
        return first_token_deadline_seconds(self._states[name].first_tokens, self._first_tokens[want.model])

    async def acquire_spare(self, want: Want, *, beside: str) -> str | None:
        """A deployment for a second call, out of budget that nobody waits for; None when there is none to spare."""
        if not self._hedges.allows(want.tokens) or self.line(want.model).anybody:
            return None
        own = [self._states[name] for name in self._names(want.model) if name != beside]
        idle = {state.deployment.name for state in own if (state.budget.utilisation or 0.0) <= SPARE}
        choice = await self.acquire(want, tried=frozenset(self._states) - idle)
        if choice.name is not None:
            self._hedges = self._hedges.hedged(want.tokens)
        return choice.name

    def late(self, name: str) -> None:
        """Notes that a first token did not come by its deadline."""
        state = self._states[name]
        state.lateness = state.lateness.called(self._clock.monotonic(), late=True)

    def is_large(self, want: Want) -> bool:
        """The call is larger than most of late, so that smaller ones could keep it from ever finding room."""
        sizes = [self._states[name].budget.account.now.call_tokens for name in self._names(want.model)]
        return want.tokens > LARGE * max(sizes) > 0

    def claim(self, want: Want) -> None:
        """Keeps room for a large call that has waited, at the deployment that will have it first."""
        waits = {name: self._states[name].budget.outlook(self._ask_of(want, name)) for name in self._names(want.model)}
        name = min(waits, key=lambda other: waits[other])
        if math.isfinite(waits[name]) and self.is_large(want):
            self._states[name].budget.claim(self._ask_of(want, name), waits[name])

    def deployment(self, name: str) -> Deployment:
        """The deployment with this name."""
        return self._states[name].deployment

    def epoch(self, name: str) -> int:
        """The epoch in which a call to the deployment is made now."""
        return self._states[name].budget.epoch

    def answered(self, name: str, seconds: float, *, tokens_per_minute: float | None, late: bool = False) -> None:
        """Notes a first token, when it came, and the limit that the answer's headers name; `late` was told before."""
        state, monotonic = self._states[name], self._clock.monotonic()
        known = state.expected_seconds(monotonic)
        state.first_token_seconds = seconds if known == 0 else known + SMOOTHING * (seconds - known)
        state.answered_at = monotonic
        if not late:
            state.lateness = state.lateness.called(monotonic, late=False)
        state.first_tokens.add(seconds)
        self._first_tokens[state.deployment.model].add(seconds)
        state.breaker, state.unsaid_overloads = state.breaker.succeeded(), 0
        state.budget.answered()
        if tokens_per_minute is not None:
            state.budget.limit_named(tokens_per_minute)

    def refused(self, name: str, verdict: Verdict, *, epoch: int) -> None:
        """Notes a refusal: an overload cools the deployment for all instances, faults in a row may open it for all."""
        state = self._states[name]
        if verdict.outcome is Outcome.OVERLOAD:
            state.overloads += 1
            state.breaker = state.breaker.succeeded()
            cooling = self._cooling_seconds(state, verdict, epoch)
            state.budget.overload(epoch=epoch, cooling_seconds=cooling, tokens_per_minute=verdict.limit_tokens)
        elif verdict.retryable:
            state.faults += 1
            before, monotonic = state.breaker, self._clock.monotonic()
            state.breaker = after = before.failed(monotonic, rest_seconds=verdict.retry_after_seconds)
            if after.opened:
                state.budget.faulty(1 if before.opened else after.faults, verdict.retry_after_seconds)
            elif state.budget.account.now.failing:
                state.budget.faulty(1, verdict.retry_after_seconds)

    @staticmethod
    def _cooling_seconds(state: DeploymentState, verdict: Verdict, epoch: int) -> float:
        if verdict.retry_after_seconds is not None:
            return min(verdict.retry_after_seconds, LONGEST_COOLING_SECONDS)
        cooling = COOLING_WHEN_UNSAID_SECONDS * 2.0 ** min(state.unsaid_overloads, MOST_DOUBLINGS)
        if epoch == state.budget.epoch:
            # Calls that were under way together say the same thing once.
            state.unsaid_overloads += 1
        return cooling

    def describe(self) -> list[dict[str, Any]]:
        """What operators see of each deployment."""
        monotonic = self._clock.monotonic()
        return [
            {
                "name": state.deployment.name,
                "model": state.deployment.model,
                "region": state.deployment.region,
                "tier": state.deployment.tier.value,
                "limit_tokens_per_minute": state.budget.tokens_per_minute,
                "spent_tokens_by_this_instance": state.budget.window.spent(monotonic),
                "utilisation": state.budget.utilisation,
                "pace_factor": round(state.budget.account.now.factor_now, 3),
                "ledger_away": state.budget.degraded,
                "draining": self._switches.drains(state.deployment.name),
                "cooling_seconds": round(state.rests_for(monotonic), 3),
                "first_token_ms": round(state.first_token_seconds * 1000, 1),
                "late_share": round(state.lateness.share(monotonic), 4),
                "calls": state.calls,
                "overloads": state.overloads,
                "faults": state.faults,
            }
            for state in self._states.values()
        ]

    async def close(self) -> None:
        """Stops settling."""
        await asyncio.gather(
            *(state.budget.close() for state in self._states.values()), *(line.close() for line in self._lines.values())
        )

    def _names(self, model: str) -> list[str]:
        return [name for name, state in self._states.items() if state.deployment.model == model]

    def _ask_of(self, want: Want, name: str) -> Ask:
        return self._ask(want, self._states[name].deployment)

    def _ask(self, want: Want, deployment: Deployment) -> Ask:
        first = want.lane is Lane.INTERACTIVE
        provisioned = deployment.tier is Tier.PROVISIONED
        kept = self._interactive_share * deployment.tokens_per_minute if provisioned and not first else 0.0
        if not want.booked and first:
            others = self._shares[want.model].others_share(self._clock.monotonic(), (want.tenant,))
            if others < 1 - CROWD:
                kept += others * self._states[deployment.name].budget.account.now.urgent_per_second * 60
        yields, requests = want.booked or not first, 0
        if yields:
            pool = self._pools[want.model]
            strangers = pool.strangers((want.tenant,)) if first else 1.0
            tokens, requests = pool.kept_at(deployment.name, strangers=strangers)
            kept += tokens
        return Ask(want.tokens, yields=yields, kept=kept, owner=want.owner, kept_requests=requests)

    def _pool(self, want: Want, without: Collection[str]) -> list[Candidate]:
        monotonic = self._clock.monotonic()
        spill = spill_models(self._spill, self._costs, model=want.model, lane=want.lane.value) if self._spill else ()
        models = {want.model, *spill}
        deadline = first_token_deadline_seconds(_NO_HISTORY, self._first_tokens.get(want.model, _NO_HISTORY)) or 0.0
        return [
            state.candidate(
                monotonic,
                self._ask(want, state.deployment),
                spill=state.deployment.model != want.model,
                deadline=deadline,
            )
            for name, state in self._states.items()
            if state.deployment.model in models and name not in without and not self._switches.drains(name)
        ]
