"""What context steps cost a turn: five reads of 100 ms each from the local store, by the app's own gatherer."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from azure.cosmos import CosmosClient

from bench.machine import machine, percentiles, write
from local.provision import provision
from tests.acceptance.stack import STORE_KEY
from tests.processes import running

STEPS, STEP_MS, ROUNDS, WARM_UP = 5, 100, 100, 5
BAR_MS = 130.0
CONTAINER = "profiles"


def prepare(url: str) -> None:
    """A profile to read, and a store that waits before it answers a read."""
    provision(url, STORE_KEY, "spillway")
    with CosmosClient(url, credential=STORE_KEY) as store:
        profiles = store.get_database_client("spillway").get_container_client(CONTAINER)
        profiles.upsert_item({"id": "c1", "tenant": "contoso", "profile": {"name": "Eve", "size": "42"}})
    rule = {"container": CONTAINER, "operation": "read", "delay_ms": STEP_MS, "count": 1_000_000}
    httpx2.post(f"{url}/_sim/faults", json=rule).raise_for_status()


def measure(url: str) -> dict[str, Any]:
    """The time of all steps of a turn together, and of each, in milliseconds."""
    arguments = ["--steps", str(STEPS), "--rounds", str(WARM_UP + ROUNDS)]
    program = [sys.executable, "-m", "tests.context_turns", url, STORE_KEY, *arguments]
    told = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120)
    turns = [json.loads(line) for line in told.stdout.splitlines()][WARM_UP:]
    return {
        "together_ms": percentiles([turn["together_ms"] for turn in turns], 50, 95, 99),
        "one_step_ms": percentiles([step for turn in turns for step in turn["alone_ms"]], 50, 95, 99),
        "dropped_steps": sum(STEPS - turn["found"] for turn in turns),
    }


def run() -> dict[str, Any]:
    """One run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running("local.cosmos", "--port", "0", "--data", f"{folder}/data", folder=Path(folder)) as store,
    ):
        description = machine()
        prepare(store.url)
        measured = measure(store.url)
    result = {
        "machine": description,
        "conditions": f"{STEPS} providers, each a read with the Cosmos SDK that the store answers after {STEP_MS} ms; "
        f"{ROUNDS} turns, one after the other",
        **measured,
        "bar": {"together_ms.p50": BAR_MS, "passed": measured["together_ms"]["p50"] <= BAR_MS},
    }
    write("context", result)
    return result
