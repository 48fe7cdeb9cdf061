"""What this instance knows of its deployments: budget, cooling, speed; and who takes the next attempt."""

from dataclasses import dataclass
from typing import Any

from shared.policies.budget import BudgetWindow
from shared.policies.choice import Candidate, Choice, choose
from shared.policies.classify import Outcome, Verdict
from shared.settings import Deployment, Tier

SMOOTHING = 0.2
COOLING_WHEN_UNSAID_SECONDS = 2.0
COOLING_AFTER_FAULT_SECONDS = 1.0


@dataclass(slots=True)
class DeploymentState:
    """One deployment and its recent past. Times are monotonic seconds."""

    deployment: Deployment
    budget: BudgetWindow
    cooling_until: float = 0.0
    first_token_seconds: float = 0.0
    calls: int = 0
    overloads: int = 0
    faults: int = 0

    def candidate(self, now: float, tokens: float) -> Candidate:
        """What the choice needs to know."""
        return Candidate(
            name=self.deployment.name,
            provisioned=self.deployment.tier is Tier.PROVISIONED,
            wait_seconds=self.budget.wait_seconds(now, tokens),
            cooling_seconds=max(0.0, self.cooling_until - now),
            first_token_seconds=self.first_token_seconds,
        )


class Capacity:
    """The chat deployments by model name, as far as this instance can tell."""

    def __init__(self, deployments: tuple[Deployment, ...], *, share: float) -> None:
        """Builds the pools.

        Args:
            deployments: All deployments; those that do not chat are left out.
            share: The part of each quota that this instance may use, in (0, 1].
        """
        self._states = {
            deployment.name: DeploymentState(
                deployment,
                BudgetWindow(
                    limit_tokens=deployment.tokens_per_minute * share,
                    limit_requests=deployment.requests_per_minute * share,
                ),
            )
            for deployment in deployments
            if deployment.kind == "chat"
        }
        self._share = share

    @property
    def models(self) -> tuple[str, ...]:
        """The model names that some deployment answers for, in order of first mention."""
        return tuple(dict.fromkeys(state.deployment.model for state in self._states.values()))

    @property
    def tokens_per_minute(self) -> float:
        """What all chat deployments together take in a minute."""
        return sum(state.budget.limit_tokens for state in self._states.values())

    def choose(self, model: str, *, now: float, tokens: float, tried: frozenset[str] = frozenset()) -> Choice:
        """The deployment for a call of `tokens` now, or the wait until one can take it."""
        pool = [state.candidate(now, tokens) for state in self._pool(model)]
        return choose(pool, tried=tried)

    def deployment(self, name: str) -> Deployment:
        """The deployment with this name."""
        return self._states[name].deployment

    def spend(self, name: str, *, now: float, tokens: float) -> None:
        """Notes a call that starts now."""
        state = self._states[name]
        state.budget.spend(now, tokens)
        state.calls += 1

    def first_token(self, name: str, seconds: float) -> None:
        """Notes an observed time to first token."""
        state = self._states[name]
        known = state.first_token_seconds
        state.first_token_seconds = seconds if known == 0 else known + SMOOTHING * (seconds - known)

    def refused(self, name: str, verdict: Verdict, *, now: float) -> None:
        """Notes a refusal: an overload cools the deployment, a passing fault does so briefly."""
        state = self._states[name]
        if verdict.outcome is Outcome.OVERLOAD:
            state.overloads += 1
            wait = verdict.retry_after_seconds
            cooling = COOLING_WHEN_UNSAID_SECONDS if wait is None else wait
            if verdict.limit_tokens is not None:
                state.budget.limit_tokens = verdict.limit_tokens * self._share
        elif verdict.retryable:
            state.faults += 1
            cooling = verdict.retry_after_seconds or COOLING_AFTER_FAULT_SECONDS
        else:
            return
        # A later, shorter answer must not shorten what an earlier one asked for, and a longer one extends it.
        state.cooling_until = max(state.cooling_until, now + cooling)

    def describe(self, now: float) -> list[dict[str, Any]]:
        """What operators see of each deployment."""
        return [
            {
                "name": state.deployment.name,
                "model": state.deployment.model,
                "region": state.deployment.region,
                "tier": state.deployment.tier.value,
                "limit_tokens_per_minute": state.budget.limit_tokens,
                "spent_tokens": state.budget.spent(now),
                "cooling_seconds": round(max(0.0, state.cooling_until - now), 3),
                "first_token_ms": round(state.first_token_seconds * 1000, 1),
                "calls": state.calls,
                "overloads": state.overloads,
                "faults": state.faults,
            }
            for state in self._states.values()
        ]

    def _pool(self, model: str) -> list[DeploymentState]:
        return [state for state in self._states.values() if state.deployment.model == model]
