"""What the tenant knows of the customer who asks."""

from shared.context.providers.base import NOTHING, Found
from shared.context.steps import Steps
from shared.ports import Profiles
from shared.turns import Turn

MOST_CHARACTERS = 2_000
"""A profile is read with every question, so it has to be short."""


class CustomerProfile:
    """The profile that the tenant keeps of the customer whom the caller named."""

    name = "profile"

    def __init__(self, profiles: Profiles) -> None:
        """Takes where profiles are."""
        self._profiles = profiles

    def applies(self, turn: Turn) -> bool:
        """See `ContextProvider`."""
        return turn.customer_id is not None

    async def gather(self, turn: Turn, _steps: Steps) -> Found:
        """See `ContextProvider`."""
        profile = await self._profiles.get(turn.tenant, turn.customer_id or "")
        if not profile:
            return NOTHING
        known = "\n".join(f"{name}: {value}" for name, value in profile.items())
        return Found(facts=(f"What is known of the customer:\n{known[:MOST_CHARACTERS]}",))
