"""Operations a second of `local/cosmos`, from one process with the official async SDK."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from azure.cosmos.aio import CosmosClient

from bench.machine import machine, percentiles, write
from local.provision import provision
from tests.acceptance.stack import STORE_KEY
from tests.processes import running

OPERATIONS = 1_000
Operation = Callable[[int], Awaitable[Any]]


async def timed(operation: Operation, tasks: int) -> dict[str, Any]:
    """Rate and latency of an operation with so many callers at once."""
    latencies: list[float] = []

    async def caller(first: int) -> None:
        for number in range(first, OPERATIONS, tasks):
            began = time.perf_counter()
            await operation(number)
            latencies.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(caller(first) for first in range(tasks)))
    seconds = time.perf_counter() - began
    return {"per_second": round(OPERATIONS / seconds, 1), "ms": percentiles(latencies, 50, 95, 99)}


async def measure(url: str) -> dict[str, Any]:
    """All operations, alone and with 32 callers."""
    async with CosmosClient(url, credential=STORE_KEY) as client:
        turns = client.get_database_client("spillway").get_container_client("turns")

        async def upsert(number: int) -> None:
            await turns.upsert_item({"id": f"turn-{number}", "state": "queued", "run": 0, "answer": "x" * 900})

        async def read(number: int) -> None:
            await turns.read_item(f"turn-{number}", f"turn-{number}")

        async def patch(number: int) -> None:
            await turns.patch_item(
                f"turn-{number}",
                f"turn-{number}",
                [{"op": "incr", "path": "/run", "value": 1}],
                filter_predicate="FROM c WHERE c.state = 'queued'",
                no_response=True,
            )

        async def query(number: int) -> None:
            rows = turns.query_items("SELECT TOP 20 * FROM c ORDER BY c._ts DESC", partition_key=f"turn-{number}")
            assert len([row async for row in rows]) == 1

        operations: dict[str, Operation] = {"upsert": upsert, "read": read, "patch": patch, "query": query}
        return {
            name: {"callers_1": await timed(operation, 1), "callers_32": await timed(operation, 32)}
            for name, operation in operations.items()
        }


def run() -> dict[str, Any]:
    """One run against a durable store."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running("local.cosmos", "--port", "0", "--data", f"{folder}/data", folder=Path(folder)) as store,
    ):
        description = machine()
        provision(store.url, STORE_KEY, "spillway")
        result = {
            "machine": description,
            "conditions": "one process with azure-cosmos (async), items of 1 KB, durable",
            "operations": asyncio.run(measure(store.url)),
        }
    write("store", result)
    return result
