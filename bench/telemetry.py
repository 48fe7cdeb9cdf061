"""What telemetry costs: CPU of the direct path without it and with all of it, two stacks side by side, in turns."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from bench.cost import PRODUCTION_METRICS, TOKENS, cpu_milliseconds, started
from bench.machine import machine, write
from tests.acceptance.stack import Stack, ask

ROUNDS, TURNS, CALLERS, WARM_UP = 9, 80, 4, 40
BAR_PERCENT = 10.0


def cpu_per_turn(stack: Stack, turns: int) -> float:
    """CPU milliseconds that the app's processes use for each of some turns, all callers busy."""
    pids = [entry["pid"] for entry in stack.parts["app"].ready["instances"]]

    def some(number: int) -> None:
        with stack.client() as client:
            for _ in range(turns // CALLERS):
                ask(client, f"Hello {number}", lane="interactive")

    before = cpu_milliseconds(pids)
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(some, range(CALLERS)))
    return (cpu_milliseconds(pids) - before) / turns


def measure(folder: str) -> dict[str, list[float]]:
    """Per round and arm, CPU milliseconds a turn."""
    arms: dict[str, list[float]] = {"off": [], "on": []}
    stacks: dict[str, Stack] = {}
    try:
        for name in arms:
            options: dict[str, Any] = dict(PRODUCTION_METRICS) if name == "on" else {}
            stacks[name] = started(folder, f"telemetry-{name}", insights=name == "on", **options)
            cpu_per_turn(stacks[name], WARM_UP)
        for number in range(ROUNDS):
            for name in sorted(stacks, reverse=number % 2 == 1):
                arms[name].append(round(cpu_per_turn(stacks[name], TURNS), 3))
    finally:
        for stack in stacks.values():
            stack.stop()
    return arms


def run() -> dict[str, Any]:
    """One run; the added share is the median over rounds, each round compared with itself."""
    description = machine()
    with tempfile.TemporaryDirectory() as folder:
        arms = measure(folder)
    added = sorted(100 * (on / off - 1) for on, off in zip(arms["on"], arms["off"], strict=True))
    result = {
        "machine": description,
        "conditions": f"{CALLERS} callers, new session each turn, answers of {TOKENS} tokens at 5 ms, {TURNS} turns a "
        f"round, {ROUNDS} rounds of both arms in turns; CPU of all the app's processes, the host's own span and the "
        "export included; metrics every minute",
        "app_cpu_ms": {name: round(median(values), 3) for name, values in arms.items()},
        "rounds_cpu_ms": arms,
        "added_percent": {"median": round(median(added), 1), "least": round(added[0], 1), "most": round(added[-1], 1)},
        "bar": {"added_percent.median": BAR_PERCENT, "passed": median(added) <= BAR_PERCENT},
    }
    write("telemetry", result)
    return result
