"""What an instance has under way with a deployment's account: calls that wait, what it holds ahead, what it owes."""

import asyncio
from dataclasses import dataclass

from shared.capacity.ledger_account import Spending
from shared.policies.ledger import Ask


@dataclass(slots=True)
class Waiting:
    """A call that waits to be told how long it has to."""

    ask: Ask
    due_at: float
    done: asyncio.Future[float]

    def tell(self, wait: float) -> None:
        """Answers the caller, unless it has given up meanwhile."""
        if not self.done.done():
            self.done.set_result(wait)


@dataclass(slots=True)
class Grant:
    """Tokens and requests acquired ahead of need; void at `until`, seconds since 1970."""

    tokens: float = 0.0
    requests: int = 0
    until: float = 0.0

    def use(self, ask: Ask, now: float) -> bool:
        """Takes a call out of it; False when it does not fit."""
        if ask.yields or now >= self.until or ask.tokens > self.tokens or self.requests < 1:
            return False
        self.tokens -= ask.tokens
        self.requests -= 1
        return True


@dataclass(slots=True)
class Debt:
    """What was spent and is not settled yet."""

    tokens: float = 0.0
    urgent: float = 0.0
    requests: int = 0

    def add(self, ask: Ask) -> None:
        """One more call."""
        self.tokens += ask.tokens
        self.urgent += 0.0 if ask.yields else ask.tokens
        self.requests += 1

    def settled(self, paid: Spending) -> None:
        """Strikes out what the ledger has now."""
        self.tokens -= paid.tokens
        self.urgent -= paid.urgent
        self.requests -= paid.requests
