"""What telemetry costs: CPU of the direct path without it, as deployed, and with every trace; all arms in turns."""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from bench.cost import PRODUCTION_METRICS, TOKENS, cpu_milliseconds, started
from bench.machine import machine, write
from tests.acceptance.stack import Stack, ask

ROUNDS, TURNS, CALLERS, WARM_UP = 9, 80, 4, 40
BAR_PERCENT = 10.0
SAMPLER = "OTEL_TRACES_SAMPLER_ARG"
DEPLOYED = json.loads((Path(__file__).parents[1] / "infra" / "settings.json").read_text(encoding="utf-8"))[SAMPLER]
ARMS: dict[str, dict[str, str]] = {
    "off": {},
    "as_deployed": {**PRODUCTION_METRICS, SAMPLER: DEPLOYED},
    "every_trace": {**PRODUCTION_METRICS, SAMPLER: "1.0"},
}


def cpu_per_turn(stack: Stack, turns: int) -> float:
    """CPU milliseconds that the process of the direct path uses for each of some turns, all callers busy."""
    instances = stack.parts["app"].ready["instances"]
    pids = [entry["pid"] for entry in instances if "accept_turn" in entry["functions"]]

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
    arms: dict[str, list[float]] = {name: [] for name in ARMS}
    stacks: dict[str, Stack] = {}
    try:
        for name, settings in ARMS.items():
            options: dict[str, Any] = {"insights": name != "off", "SPILLWAY_SAMPLE_SHARE": "0", **settings}
            stacks[name] = started(folder, f"telemetry-{name}", **options)
            cpu_per_turn(stacks[name], WARM_UP)
        for number in range(ROUNDS):
            for name in list(stacks)[number % 3 :] + list(stacks)[: number % 3]:
                arms[name].append(round(cpu_per_turn(stacks[name], TURNS), 3))
    finally:
        for stack in stacks.values():
            stack.stop()
    return arms


def _added(arm: list[float], off: list[float]) -> dict[str, float]:
    """What an arm adds, each round compared with itself; percent."""
    added = sorted(100 * (on / without - 1) for on, without in zip(arm, off, strict=True))
    return {"median": round(median(added), 1), "least": round(added[0], 1), "most": round(added[-1], 1)}


def run() -> dict[str, Any]:
    """One run; the added share is the median over rounds, each round compared with itself."""
    description = machine()
    with tempfile.TemporaryDirectory() as folder:
        arms = measure(folder)
    added = {name: _added(arms[name], arms["off"]) for name in ("as_deployed", "every_trace")}
    result = {
        "machine": description,
        "conditions": f"{CALLERS} callers, new session each turn, answers of {TOKENS} tokens at 5 ms, {TURNS} turns a "
        f"round, {ROUNDS} rounds of all arms in turns; CPU of the process that answers, the host's own span and the "
        f"export included; metrics every minute; deployed is {SAMPLER}={DEPLOYED}",
        "app_cpu_ms": {name: round(median(values), 3) for name, values in arms.items()},
        "rounds_cpu_ms": arms,
        "added_percent": added,
        "bar": {
            "added_percent.as_deployed.median": BAR_PERCENT,
            "passed": added["as_deployed"]["median"] <= BAR_PERCENT,
        },
    }
    write("telemetry", result)
    return result
