"""What tenants took of a pool of late, so that one tenant's crowd leaves room for the others before it has to queue."""

import math
from dataclasses import dataclass, field

HALF_LIFE_SECONDS = 30.0
CROWD = 0.5
"""A tenant that took more than this part of what was spent of late is a crowd."""
FORGOTTEN_TOKENS = 1.0


@dataclass(slots=True)
class TenantShares:
    """Tokens by tenant, halved every 30 seconds. Times are monotonic seconds."""

    tokens: dict[str, float] = field(default_factory=dict)
    at: float = 0.0

    def spent(self, now: float, tenant: str, tokens: float) -> None:
        """Notes a call."""
        self._age(now)
        self.tokens[tenant] = self.tokens.get(tenant, 0.0) + tokens

    def others_share(self, now: float, tenant: str) -> float:
        """For a crowd, the part of what was spent that the other tenants took; 0 for everybody else."""
        self._age(now)
        total, own = sum(self.tokens.values()), self.tokens.get(tenant, 0.0)
        return 1 - own / total if own > CROWD * total else 0.0

    def _age(self, now: float) -> None:
        seconds = now - self.at
        if seconds < 1.0:
            return
        left = math.exp(-math.log(2) * seconds / HALF_LIFE_SECONDS)
        self.tokens = {
            tenant: tokens * left for tenant, tokens in self.tokens.items() if tokens * left > FORGOTTEN_TOKENS
        }
        self.at = now
