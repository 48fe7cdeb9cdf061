"""How many calls beyond the first of a run are allowed: a part of the calls that succeed.

Each instance keeps its own account; since every instance's retries are bounded by a part of its successes, so are the
fleet's. When it is used up, a turn sleeps instead of trying the next deployment at once.
Source: "Addressing Cascading Failures", Site Reliability Engineering, chapter 22, on retry budgets.
"""

from dataclasses import dataclass, replace

PER_SUCCESS, MOST = 0.1, 10.0


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """`left` retries may be made now."""

    left: float = MOST

    @property
    def allows(self) -> bool:
        """One more retry is within the budget."""
        return self.left >= 1

    def succeeded(self) -> "RetryBudget":
        """A call was answered."""
        return replace(self, left=min(MOST, self.left + PER_SUCCESS))

    def retried(self) -> "RetryBudget":
        """A retry was made."""
        return replace(self, left=self.left - 1)
