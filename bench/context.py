"""What context steps cost a turn: five reads of 100 ms each from the local store, by the app's own gatherer."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.machine import machine, percentiles, write
from local.provision import provision
from shared.adapters.cosmos_connection import CosmosConnection
from shared.adapters.cosmos_profiles import CONTAINER, CosmosProfiles
from shared.clock import SystemClock
from shared.context import ContextGatherer
from shared.context_providers.profile import CustomerProfile
from shared.turns import Lane, Message, Turn
from tests.acceptance.stack import STORE_KEY
from tests.processes import running

STEPS, STEP_MS, ROUNDS, WARM_UP = 5, 100, 100, 5
BAR_MS = 130.0


class Step(CustomerProfile):
    """A provider that reads a profile, under a name of its own."""

    def __init__(self, profiles: CosmosProfiles, number: int) -> None:
        """Takes where profiles are."""
        super().__init__(profiles)
        self.name = f"step{number}"


async def measure(url: str) -> dict[str, Any]:
    """The time of all steps of a turn together, and of each, in milliseconds."""
    connection, clock = CosmosConnection(url, STORE_KEY, "spillway"), SystemClock()
    providers = [Step(CosmosProfiles(connection), number) for number in range(STEPS)]
    gatherer = ContextGatherer(providers, clock=clock, seconds=2.0)
    turn = Turn(
        "t", "contoso", "s", Lane.INTERACTIVE, (Message("user", "?"),), clock.now(), clock.now() + 600, customer_id="c1"
    )
    together, alone, dropped = list[float](), list[float](), 0
    try:
        profiles = connection.container(CONTAINER)
        await profiles.upsert_item({"id": "c1", "tenant": "contoso", "profile": {"name": "Eve", "size": "42"}})
        for number in range(WARM_UP + ROUNDS):
            began = time.perf_counter()
            context = await gatherer.gather(turn)
            if number >= WARM_UP:
                together.append((time.perf_counter() - began) * 1000)
                alone += [step["duration_ms"] for step in context.notes["steps"]]
                dropped += STEPS - len(context.facts)
    finally:
        await connection.close()
    return {
        "together_ms": percentiles(together, 50, 95, 99),
        "one_step_ms": percentiles(alone, 50, 95, 99),
        "dropped_steps": dropped,
    }


def run() -> dict[str, Any]:
    """One run; the store waits before it answers a read."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running("local.cosmos", "--port", "0", "--data", f"{folder}/data", folder=Path(folder)) as store,
    ):
        description = machine()
        provision(store.url, STORE_KEY, "spillway")
        rule = {"container": CONTAINER, "operation": "read", "delay_ms": STEP_MS, "count": 1_000_000}
        httpx2.post(f"{store.url}/_sim/faults", json=rule).raise_for_status()
        measured = asyncio.run(measure(store.url))
    result = {
        "machine": description,
        "conditions": f"{STEPS} providers, each a read with the Cosmos SDK that the store answers after {STEP_MS} ms; "
        f"{ROUNDS} turns, one after the other",
        **measured,
        "bar": {"together_ms.p50": BAR_MS, "passed": measured["together_ms"]["p50"] <= BAR_MS},
    }
    write("context", result)
    return result
