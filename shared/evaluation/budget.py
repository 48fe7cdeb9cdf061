"""A cap on calls and money that holds while calls run at the same time."""

from dataclasses import dataclass

from shared.evaluation.errors import BudgetExhaustedError


@dataclass(slots=True)
class Budget:
    """Counts what judges spend. None means no cap.

    A call first reserves its worst case and settles to its real cost afterwards. A call is admitted only while
    spent + reserved + its worst case <= cap, so the cap holds however many calls are under way.
    """

    max_calls: int | None = None
    max_cost_usd: float | None = None
    calls: int = 0
    spent_usd: float = 0.0
    reserved_usd: float = 0.0

    def reserve(self, worst_cost_usd: float) -> None:
        """Take one call and its worst cost out of the budget.

        Raises:
            BudgetExhaustedError: the call does not fit any more.
        """
        if self.max_calls is not None and self.calls >= self.max_calls:
            raise BudgetExhaustedError(f"the budget of {self.max_calls} judge calls is used up")
        planned = self.spent_usd + self.reserved_usd + worst_cost_usd
        if self.max_cost_usd is not None and planned > self.max_cost_usd:
            raise BudgetExhaustedError(
                f"the next judge call may exceed the budget of {self.max_cost_usd:.4f} US dollars "
                f"({self.spent_usd:.4f} spent)"
            )
        self.calls += 1
        self.reserved_usd += worst_cost_usd

    def settle(self, worst_cost_usd: float, cost_usd: float) -> None:
        """Replace the reservation of an ended call by what it cost."""
        self.reserved_usd = max(0.0, self.reserved_usd - worst_cost_usd)
        self.spent_usd += cost_usd
