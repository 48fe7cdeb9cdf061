"""A program: the app's gatherer with several providers that each read from a store; prints one JSON line a turn.

The load lab imports nothing of the app, so it starts this as a process.
"""

import argparse
import asyncio
import json
import time

from shared.adapters.cosmos_connection import CosmosConnection
from shared.adapters.cosmos_profiles import CosmosProfiles
from shared.clock import SystemClock
from shared.context.gathering import ContextGatherer
from shared.context.providers.profile import CustomerProfile
from shared.turns import Lane, Message, Turn


class Step(CustomerProfile):
    """A provider that reads a profile, under a name of its own."""

    def __init__(self, profiles: CosmosProfiles, number: int) -> None:
        """Takes where profiles are."""
        super().__init__(profiles)
        self.name = f"step{number}"


async def turns(url: str, key: str, *, steps: int, rounds: int) -> None:
    """Gathers for one turn after the other and says how long all steps took together and each by itself."""
    connection, clock = CosmosConnection(url, key, "spillway"), SystemClock()
    gatherer = ContextGatherer(
        [Step(CosmosProfiles(connection), number) for number in range(steps)], clock=clock, seconds=2.0
    )
    now = clock.now()
    turn = Turn("t", "contoso", "s", Lane.INTERACTIVE, (Message("user", "?"),), now, now + 600, customer_id="c1")
    try:
        for _ in range(rounds):
            began = time.perf_counter()
            context = await gatherer.gather(turn)
            together = (time.perf_counter() - began) * 1000
            alone = [step["duration_ms"] for step in context.notes["steps"]]
            print(json.dumps({"together_ms": together, "alone_ms": alone, "found": len(context.facts)}))
    finally:
        await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    asyncio.run(turns(given.url, given.key, steps=given.steps, rounds=given.rounds))
