"""What one turn costs: CPU of the app, operations and request charge of the store, calls of the model."""

import tempfile
from pathlib import Path
from typing import Any

import httpx2
import psutil

from bench.machine import machine, write
from tests.acceptance.stack import Stack, ask, deployments

TURNS = 100
WARM_UP = 10


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


def run() -> dict[str, Any]:
    """Both paths, without knowledge and with it."""
    result: dict[str, Any] = {
        "machine": machine(),
        "turns": TURNS,
        "conditions": "one caller, new session each turn, answers of 40 tokens at 5 ms",
    }
    for name, knowledge in (("plain", "false"), ("with_knowledge", "true")):
        with tempfile.TemporaryDirectory() as folder:
            stack = Stack(
                Path(folder),
                models=deployments(count=1, between_tokens_ms=5, answer_tokens=40),
                settings={"SPILLWAY_KNOWLEDGE_ENABLED": knowledge, "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"},
                host_options=("--instances", "http=1", "--instances", "function:answer_standard=1"),
            ).start()
            try:
                result[name] = {
                    "direct": measure(stack, "interactive"),
                    "queued": measure(stack, "standard"),
                }
            finally:
                stack.stop()
    write("cost", result)
    return result
