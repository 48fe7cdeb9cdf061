"""What one turn costs: CPU of the app, operations and request charge of the store, calls of the model."""

import tempfile
from pathlib import Path
from typing import Any

import httpx2
import psutil

from bench.machine import machine, write
from tests.acceptance.stack import Stack, ask, deployments

TURNS = 60
WARM_UP = 10
TOKENS = 40
LENGTHS = (1, 40, 200)
"""Answers of which the direct path's cost per token is the slope."""
QUIET = {"SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"}
PRODUCTION_METRICS = {"OTEL_METRIC_EXPORT_INTERVAL": "60000"}
"""As in Azure; a local run exports every five seconds, so that its pages are fresh."""


def cpu_milliseconds(pids: list[int]) -> float:
    """CPU that the processes have used so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(time.user + time.system for time in times) * 1000)


def store_account(stack: Stack) -> dict[str, Any]:
    """The store's own count of operations and charge."""
    account: dict[str, Any] = httpx2.get(f"{stack.parts['store'].url}/_sim/account").json()
    return account


def measure(stack: Stack, lane: str) -> dict[str, Any]:
    """Cost per turn of one lane, one turn after the other."""
    pids = [entry["pid"] for entry in stack.parts["app"].ready["instances"]]
    with stack.client() as client:
        for _ in range(WARM_UP):
            ask(client, lane=lane)
        calls, account, cpu = len(stack.calls()), store_account(stack), cpu_milliseconds(pids)
        events = sum(len(ask(client, lane=lane).events) for _ in range(TURNS))
        used = cpu_milliseconds(pids) - cpu
    after = store_account(stack)
    return {
        "app_cpu_ms": round(used / TURNS, 2),
        "events": round(events / TURNS, 1),
        "model_calls": round((len(stack.calls()) - calls) / TURNS, 3),
        "store": difference(account, after),
    }


def difference(before: Any, after: Any) -> Any:
    """What was added per turn, for every number in an account."""
    if isinstance(after, dict):
        changes = {key: difference((before or {}).get(key), value) for key, value in after.items()}
        return {key: value for key, value in changes.items() if value not in (0, None, {})}
    if isinstance(after, int | float) and not isinstance(after, bool):
        return round((after - (before or 0)) / TURNS, 3)
    return None


def started(folder: str, name: str, *, tokens: int = TOKENS, insights: bool = False, **settings: str) -> Stack:
    """A stack of its own for one arm."""
    place = Path(folder) / name
    place.mkdir()
    return Stack(
        place,
        models=deployments(count=1, between_tokens_ms=5, answer_tokens=tokens),
        settings={**QUIET, "SPILLWAY_KNOWLEDGE_ENABLED": "false", **settings},
        host_options=("--instances", "http=1", "--instances", "function:answer_standard=1"),
        insights=insights,
    ).start()


def paths(folder: str, name: str, knowledge: str) -> dict[str, Any]:
    """Cost of both paths."""
    stack = started(folder, name, SPILLWAY_KNOWLEDGE_ENABLED=knowledge)
    try:
        return {"direct": measure(stack, "interactive"), "queued": measure(stack, "standard")}
    finally:
        stack.stop()


def per_token(folder: str) -> dict[str, Any]:
    """CPU of the direct path by answer length, and what one more token costs."""
    cpu: dict[int, float] = {}
    for length in LENGTHS:
        stack = started(folder, f"length{length}", tokens=length)
        try:
            cpu[length] = measure(stack, "interactive")["app_cpu_ms"]
        finally:
            stack.stop()
    first, last = LENGTHS[0], LENGTHS[-1]
    return {"app_cpu_ms": cpu, "per_token_ms": round((cpu[last] - cpu[first]) / (last - first), 4)}


def telemetry(folder: str) -> dict[str, Any]:
    """CPU of the direct path without telemetry and with all of it, in turns of two stacks that run side by side."""
    arms: dict[str, list[float]] = {"off": [], "on": []}
    stacks: dict[str, Stack] = {}
    try:
        for name in arms:
            options: dict[str, Any] = dict(PRODUCTION_METRICS) if name == "on" else {}
            stacks[name] = started(folder, f"telemetry-{name}", insights=name == "on", **options)
        for _ in range(3):
            for name, stack in stacks.items():
                arms[name].append(measure(stack, "interactive")["app_cpu_ms"])
    finally:
        for stack in stacks.values():
            stack.stop()
    cpu = {name: sorted(values)[1] for name, values in arms.items()}
    return {"app_cpu_ms": cpu, "added_percent": round(100 * (cpu["on"] / cpu["off"] - 1), 1)}


def run() -> dict[str, Any]:
    """Both paths without knowledge and with it, then the price of a token and of telemetry."""
    description = machine()
    with tempfile.TemporaryDirectory() as folder:
        result: dict[str, Any] = {
            "machine": description,
            "turns": TURNS,
            "conditions": f"one caller, new session each turn, answers of {TOKENS} tokens at 5 ms, telemetry off "
            "unless said; CPU of all the app's processes, idle workers included",
            "plain": paths(folder, "plain", "false"),
            "with_knowledge": paths(folder, "knowledge", "true"),
            "direct_by_answer_length": per_token(folder),
            "direct_telemetry": telemetry(folder),
        }
    write("cost", result)
    return result
