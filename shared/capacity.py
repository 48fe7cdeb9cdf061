"""What this instance knows of its deployments: budget, cooling, speed; and who takes the next attempt."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from shared.errors import Unavailable
from shared.policies.choice import Candidate, Choice, choose
from shared.policies.classify import Outcome, Verdict
from shared.ports import Clock, Ledger
from shared.settings import Deployment, Tier
from shared.shared_budget import SharedBudget

SMOOTHING = 0.2
PACE = 1.03
"""The line moves a little faster than quota comes back: a moment early costs a short sleep, late wastes quota."""
COOLING_WHEN_UNSAID_SECONDS = 2.0
COOLING_AFTER_FAULT_SECONDS = 1.0


@dataclass(slots=True)
class DeploymentState:
    """One deployment and its recent past. `faulty_until` is in monotonic seconds."""

    deployment: Deployment
    budget: SharedBudget
    faulty_until: float = 0.0
    first_token_seconds: float = 0.0
    calls: int = 0
    overloads: int = 0
    faults: int = 0

    def candidate(self, monotonic: float, tokens: float) -> Candidate:
        """What the choice needs to know."""
        return Candidate(
            name=self.deployment.name,
            provisioned=self.deployment.tier is Tier.PROVISIONED,
            wait_seconds=self.budget.outlook(tokens),
            cooling_seconds=max(self.budget.cooling_seconds, self.faulty_until - monotonic),
            first_token_seconds=self.first_token_seconds,
        )


class Capacity:
    """The chat deployments by model name. Budgets are shared with all instances, the rest is this one's experience."""

    def __init__(self, deployments: tuple[Deployment, ...], *, ledger: Ledger, clock: Clock, share: float) -> None:
        """Builds the pools.

        Args:
            deployments: All deployments; those that do not chat are left out.
            ledger: Where all instances settle what they spend.
            clock: Time.
            share: Part of each quota to use while the ledger is away and nothing else is known.
        """
        self._clock, self._ledger = clock, ledger
        self._line_ends: dict[str, float] = {}
        self._states = {
            deployment.name: DeploymentState(deployment, SharedBudget(deployment, ledger, clock, share=share))
            for deployment in deployments
            if deployment.kind == "chat"
        }

    @property
    def models(self) -> tuple[str, ...]:
        """The model names that some deployment answers for, in order of first mention."""
        return tuple(dict.fromkeys(state.deployment.model for state in self._states.values()))

    @property
    def tokens_per_minute(self) -> float:
        """What all chat deployments together take in a minute."""
        return sum(state.budget.limit_tokens for state in self._states.values())

    @property
    def ledger_away(self) -> dict[str, bool]:
        """Of which deployments the shared account is out of reach here; any thread may ask."""
        return {name: state.budget.degraded for name, state in self._states.items()}

    def outlook(self, model: str, *, tokens: float) -> Choice:
        """Who would take a call of `tokens` now, or the wait, as far as is known here; nothing is spent."""
        return choose(self._pool(model, tokens, frozenset()))

    async def acquire(self, model: str, *, tokens: float, tried: frozenset[str] = frozenset()) -> Choice:
        """Spends a call of `tokens` at the best deployment that has budget for it, or says how long to wait."""
        without_budget: dict[str, float] = {}
        while True:
            choice = choose(self._pool(model, tokens, without_budget.keys()), tried=tried)
            if choice.name is None:
                return Choice(None, min([choice.wait_seconds, *without_budget.values()]))
            wait = await self._states[choice.name].budget.acquire(tokens)
            if wait == 0:
                self._states[choice.name].calls += 1
                return choice
            without_budget[choice.name] = wait

    async def line_up(self, model: str, *, tokens: float, wait_seconds: float) -> float:
        """Seconds until this call's turn in the line of all that wait for the model, in order of asking.

        The line moves at the pace at which the pool's quota comes back. Without the ledger the wait stays as it is.
        """
        pace = PACE * sum(state.budget.limit_tokens for state in self._of(model)) / 60
        now = self._clock.now()
        try:
            begin = await self._ledger.line_up(model, seconds=tokens / pace, earliest=now + wait_seconds)
        except Unavailable:
            return wait_seconds
        self._line_ends[model] = begin + tokens / pace
        return max(0.0, begin - now)

    async def look_at_line(self, model: str) -> float:
        """How long the line for a model is now, in seconds.

        Raises:
            Unavailable: The ledger does not answer.
        """
        self._line_ends[model] = await self._ledger.line_end(model)
        return self.line_seconds(model)

    def line_seconds(self, model: str) -> float:
        """How long the line for a model is, as far as is known here; 0 when there is none."""
        return max(0.0, self._line_ends.get(model, 0.0) - self._clock.now())

    def deployment(self, name: str) -> Deployment:
        """The deployment with this name."""
        return self._states[name].deployment

    def first_token(self, name: str, seconds: float) -> None:
        """Notes an observed time to first token."""
        state = self._states[name]
        known = state.first_token_seconds
        state.first_token_seconds = seconds if known == 0 else known + SMOOTHING * (seconds - known)

    def refused(self, name: str, verdict: Verdict) -> None:
        """Notes a refusal: an overload cools the deployment for all instances, a passing fault for this one."""
        state = self._states[name]
        if verdict.outcome is Outcome.OVERLOAD:
            state.overloads += 1
            wait = verdict.retry_after_seconds
            state.budget.cool(COOLING_WHEN_UNSAID_SECONDS if wait is None else wait, limit_tokens=verdict.limit_tokens)
        elif verdict.retryable:
            state.faults += 1
            cooling = verdict.retry_after_seconds or COOLING_AFTER_FAULT_SECONDS
            # A later, shorter answer must not shorten what an earlier one asked for.
            state.faulty_until = max(state.faulty_until, self._clock.monotonic() + cooling)

    def describe(self) -> list[dict[str, Any]]:
        """What operators see of each deployment."""
        monotonic = self._clock.monotonic()
        return [
            {
                "name": state.deployment.name,
                "model": state.deployment.model,
                "region": state.deployment.region,
                "tier": state.deployment.tier.value,
                "limit_tokens_per_minute": state.budget.limit_tokens,
                "spent_tokens_by_this_instance": state.budget.window.spent(monotonic),
                "utilisation": state.budget.utilisation,
                "ledger_away": state.budget.degraded,
                "cooling_seconds": round(max(state.budget.cooling_seconds, state.faulty_until - monotonic, 0.0), 3),
                "first_token_ms": round(state.first_token_seconds * 1000, 1),
                "calls": state.calls,
                "overloads": state.overloads,
                "faults": state.faults,
            }
            for state in self._states.values()
        ]

    async def close(self) -> None:
        """Stops settling."""
        await asyncio.gather(*(state.budget.close() for state in self._states.values()))

    def _of(self, model: str) -> list[DeploymentState]:
        return [state for state in self._states.values() if state.deployment.model == model]

    def _pool(self, model: str, tokens: float, without: Collection[str]) -> list[Candidate]:
        monotonic = self._clock.monotonic()
        return [
            state.candidate(monotonic, tokens)
            for name, state in self._states.items()
            if state.deployment.model == model and name not in without
        ]
