"""What tenants took of a pool of late, so that one tenant's crowd leaves room for the others before it has to queue."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field

HALF_LIFE_SECONDS = 8.0
"""About the time over which the ledger measures the pace of those calls."""
CROWD = 0.5
"""A tenant that took more than this part of what was spent of late is a crowd."""
FORGOTTEN_TOKENS = 1.0


@dataclass(slots=True)
class TenantShares:
    """Tokens by tenant, halved every eight seconds. Times are monotonic seconds."""

    tokens: dict[str, float] = field(default_factory=dict)
    at: float = 0.0

    def spent(self, now: float, tenant: str, tokens: float) -> None:
        """Notes a call."""
        self._age(now)
        self.tokens[tenant] = self.tokens.get(tenant, 0.0) + tokens

    def others_share(self, now: float, tenants: Collection[str]) -> float:
        """The part of what was spent that tenants other than these took; 1 when nobody spent anything."""
        self._age(now)
        total = sum(self.tokens.values())
        own = sum(self.tokens.get(tenant, 0.0) for tenant in tenants)
        return 1 - own / total if total > 0 else 1.0

    def _age(self, now: float) -> None:
        seconds = now - self.at
        if seconds < 1.0:
            return
        left = math.exp(-math.log(2) * seconds / HALF_LIFE_SECONDS)
        self.tokens = {
            tenant: tokens * left for tenant, tokens in self.tokens.items() if tokens * left > FORGOTTEN_TOKENS
        }
        self.at = now
