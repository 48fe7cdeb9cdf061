"""The first turns of new instances against later ones: what opening, loading and connecting add to the first token.

Each round starts the whole stack anew. The first direct turn meets an instance for HTTP that has done nothing yet; the
first queued turn meets a link to its lane that nobody has opened yet, and a worker that has done nothing yet.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import machine, write
from bench.overhead import ask_app
from bench.single import Caller
from tests.acceptance.stack import Stack, deployments

ROUNDS = 8
LATER = 5
FIRST_TOKEN_MS = 60
LANES = {"direct": "interactive", "queued": "standard"}


def measure(folder: Path) -> dict[str, tuple[float, float]]:
    """For each path the first turn's milliseconds to the first token, and the median of the next ones'."""
    models = deployments(count=1, answer_tokens=24)
    models["deployments"][0]["latency"]["time_to_first_token_ms"] = FIRST_TOKEN_MS
    stack = Stack(
        folder,
        models=models,
        settings={"SPILLWAY_KNOWLEDGE_ENABLED": "false", "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"},
        host_options=("--instances", "http=1", "--instances", "function:answer_standard=1"),
    ).start()
    caller = Caller(stack.url)
    try:
        seen: dict[str, tuple[float, float]] = {}
        for path, lane in LANES.items():
            taken = [float(ask_app(caller, lane)["first_ms"]) for _ in range(1 + LATER)]
            seen[path] = (taken[0], statistics.median(taken[1:]))
            # What an instance opens after its first turn is open now.
            time.sleep(2)
        return seen
    finally:
        caller.close()
        stack.stop()


def run() -> dict[str, Any]:
    """All rounds."""
    description, rounds = machine(), list[dict[str, tuple[float, float]]]()
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measure(Path(folder)))
    result: dict[str, Any] = {
        "machine": description,
        "rounds": ROUNDS,
        "conditions": f"one caller; the model's first token after {FIRST_TOKEN_MS} ms; no knowledge, no telemetry",
        "first_token_ms": {path: _summary([taken[path] for taken in rounds]) for path in LANES},
    }
    write("first", result)
    return result


def _summary(taken: list[tuple[float, float]]) -> dict[str, Any]:
    firsts, laters = zip(*taken, strict=True)
    return {
        "first": round(statistics.median(firsts), 1),
        "first_range": [round(min(firsts), 1), round(max(firsts), 1)],
        "later": round(statistics.median(laters), 1),
    }
