"""What this instance knows of its deployments: budget, cooling, speed; and who takes the next attempt."""

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.capacity.deployment_state import DeploymentState
from shared.capacity.pool import Pool
from shared.capacity.shared_budget import SharedBudget
from shared.capacity.waiting_line import WaitingLine
from shared.errors import Unavailable
from shared.operating.operations import Switches
from shared.policies.choice import Candidate, Choice, choose
from shared.policies.classify import Verdict
from shared.policies.fairness import CROWD, TenantShares
from shared.policies.hedging import FirstTokens, HedgeBudget, first_token_deadline_seconds
from shared.policies.ledger import Ask
from shared.policies.line import Ticket
from shared.policies.spill import SpillRule, spill_models
from shared.ports import Clock, Ledger
from shared.settings import Deployment, Tier
from shared.telemetry import log
from shared.turns import Lane

LARGE = 1.25
SPARE = 0.8
"""Above this utilisation a deployment has nothing to spare for second calls."""
_NO_HISTORY = FirstTokens()


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
            model: Pool(self._states, clock, switches, self._names(model), self._shares[model]) for model in self.models
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

    def limit_named(self, name: str, tokens_per_minute: float | None) -> None:
        """Notes the limit that an answer's headers name; None when they name none."""
        if tokens_per_minute is not None:
            self._states[name].budget.limit_named(tokens_per_minute)

    def answered(self, name: str, seconds: float, *, late: bool = False) -> None:
        """Notes a first token and when it came; `late` was told before."""
        state = self._states[name]
        self._first_tokens[state.deployment.model].add(seconds)
        state.answered(self._clock.monotonic(), seconds, late=late)

    def refused(self, name: str, verdict: Verdict, *, epoch: int) -> None:
        """Notes a refusal: an overload cools the deployment for all instances, faults in a row may open it for all."""
        self._states[name].refused(self._clock.monotonic(), verdict, epoch=epoch)

    def describe(self) -> list[dict[str, Any]]:
        """What operators see of each deployment."""
        monotonic = self._clock.monotonic()
        return [state.describe(monotonic, draining=self._switches.drains(name)) for name, state in self._states.items()]

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
