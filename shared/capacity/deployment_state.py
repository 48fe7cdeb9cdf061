"""One deployment as this instance knows it: its budget, its faults, and how fast it answers."""

import math
from dataclasses import dataclass, field
from typing import Any

from shared.capacity.shared_budget import SharedBudget
from shared.policies.breaker import CLOSED, Breaker
from shared.policies.choice import Candidate
from shared.policies.classify import Outcome, Verdict
from shared.policies.hedging import FirstTokens
from shared.policies.lateness import Lateness
from shared.policies.ledger import Ask
from shared.settings import Deployment, Tier

SMOOTHING = 0.2
FORGET_SECONDS = 60.0
"""A deployment that was slow and is left alone counts half as slow after this long, so that it is asked again."""
COOLING_WHEN_UNSAID_SECONDS, MOST_DOUBLINGS = 2.0, 2
"""Cooling after an overload that does not say how long; doubled while the next call meets the same."""
LONGEST_COOLING_SECONDS = 300.0
"""A longer wait is asked about again after this, or one strange answer would shut a deployment for a day."""


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

    def answered(self, monotonic: float, seconds: float, *, late: bool) -> None:
        """See `Capacity.answered`."""
        known = self.expected_seconds(monotonic)
        self.first_token_seconds = seconds if known == 0 else known + SMOOTHING * (seconds - known)
        self.answered_at = monotonic
        if not late:
            self.lateness = self.lateness.called(monotonic, late=False)
        self.first_tokens.add(seconds)
        self.breaker, self.unsaid_overloads = self.breaker.succeeded(), 0
        self.budget.answered()

    def refused(self, monotonic: float, verdict: Verdict, *, epoch: int) -> None:
        """See `Capacity.refused`."""
        if verdict.outcome is Outcome.OVERLOAD:
            self.overloads += 1
            self.breaker = self.breaker.succeeded()
            cooling = self._cooling_seconds(verdict, epoch)
            self.budget.overload(epoch=epoch, cooling_seconds=cooling, tokens_per_minute=verdict.limit_tokens)
        elif verdict.retryable:
            self._failed(monotonic, verdict.retry_after_seconds)

    def _failed(self, monotonic: float, retry_after_seconds: float | None) -> None:
        self.faults += 1
        before = self.breaker
        self.breaker = before.failed(monotonic, rest_seconds=retry_after_seconds)
        if self.breaker.opened:
            self.budget.faulty(1 if before.opened else self.breaker.faults, retry_after_seconds)
        elif self.budget.account.now.failing:
            self.budget.faulty(1, retry_after_seconds)

    def _cooling_seconds(self, verdict: Verdict, epoch: int) -> float:
        if verdict.retry_after_seconds is not None:
            return min(verdict.retry_after_seconds, LONGEST_COOLING_SECONDS)
        cooling = COOLING_WHEN_UNSAID_SECONDS * 2.0 ** min(self.unsaid_overloads, MOST_DOUBLINGS)
        if epoch == self.budget.epoch:
            # Calls that were under way together say the same thing once.
            self.unsaid_overloads += 1
        return cooling

    def describe(self, monotonic: float, *, draining: bool) -> dict[str, Any]:
        """What operators see."""
        return {
            "name": self.deployment.name,
            "model": self.deployment.model,
            "region": self.deployment.region,
            "tier": self.deployment.tier.value,
            "limit_tokens_per_minute": self.budget.tokens_per_minute,
            "spent_tokens_by_this_instance": self.budget.window.spent(monotonic),
            "utilisation": self.budget.utilisation,
            "pace_factor": round(self.budget.account.now.factor_now, 3),
            "ledger_away": self.budget.degraded,
            "failing": self.budget.account.now.failing,
            "draining": draining,
            "cooling_seconds": round(self.rests_for(monotonic), 3),
            "first_token_ms": round(self.first_token_seconds * 1000, 1),
            "late_share": round(self.lateness.share(monotonic), 4),
            "calls": self.calls,
            "overloads": self.overloads,
            "faults": self.faults,
        }
