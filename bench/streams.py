"""How many streams of 20 ms tokens one instance sustains: no missing text and no pause over 200 ms for any caller.

The same callers ask the model itself at the same level, so that what the rig cannot do is not charged to the app.
"""

import tempfile
from pathlib import Path
from typing import Any

import psutil

from bench.clients import Plan, call
from bench.machine import machine, percentiles, write
from tests.acceptance.stack import MODEL, USER, Stack, deployments

LEVELS = (8, 16, 32, 64, 96, 128)
WANTED = 64
TOKENS = 150
BETWEEN_TOKENS_MS = 20
LONGEST_PAUSE_MS = 200
QUESTION = "What are your opening hours?"


def plans(stack: Stack, level: int) -> dict[str, Plan]:
    """The same question to the model and to the app."""
    common: dict[str, Any] = {"callers": level, "spread_seconds": 1.0, "details": True}
    model = {
        "model": "chat-0",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "max_completion_tokens": 800,
    }
    return {
        "model": Plan(
            stack.parts["model"].url,
            "/account0/openai/v1/chat/completions",
            {"api-key": "local-openai-key"},
            model,
            **common,
        ),
        "app": Plan(
            stack.url,
            "/api/chat",
            {"x-functions-key": USER, "accept": "text/event-stream"},
            {"message": QUESTION, "model": MODEL},
            **common,
        ),
    }


def measure(plan: Plan, process: psutil.Process) -> dict[str, Any]:
    """One level: what the callers saw and what the instance used for it."""
    before = process.cpu_times()
    seen = call(plan)
    after = process.cpu_times()
    streams = seen["streams"]
    gaps = [stream["gap_ms"] for stream in streams]
    lengths = {stream["characters"] for stream in streams}
    cpu = after.user + after.system - before.user - before.system
    return {
        "complete": seen["complete"],
        "same_length": len(lengths) == 1,
        "frames_per_stream": round(sum(stream["frames"] for stream in streams) / len(streams), 1),
        "gap_ms": percentiles(gaps, 50, 99) | {"most": max(gaps)},
        "first_ms": percentiles(seen["first_ms"], 50, 99),
        "instance_cpu_percent": round(100 * cpu / seen["seconds"], 1),
        "sustained": seen["complete"] == plan.callers and len(lengths) == 1 and max(gaps) <= LONGEST_PAUSE_MS,
    }


def run() -> dict[str, Any]:
    """All levels, model and app taking turns."""
    description = machine()
    levels: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(
            Path(folder),
            models=deployments(count=1, between_tokens_ms=BETWEEN_TOKENS_MS, answer_tokens=TOKENS),
            settings={
                "SPILLWAY_KNOWLEDGE_ENABLED": "false",
                "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *",
                "SPILLWAY_MAX_DIRECT_TURNS": "1000",
            },
            host_options=("--instances", "http=1"),
        ).start()
        try:
            process = psutil.Process(stack.parts["app"].ready["instances"][0]["pid"])
            for plan in plans(stack, 4).values():
                call(plan)
            for level in LEVELS:
                levels[str(level)] = {arm: measure(plan, process) for arm, plan in plans(stack, level).items()}
                print(level, {arm: (seen["sustained"], seen["gap_ms"]) for arm, seen in levels[str(level)].items()})
        finally:
            stack.stop()
    result = {
        "machine": description,
        "conditions": f"one instance, {TOKENS} tokens {BETWEEN_TOKENS_MS} ms apart, callers in a process of their own, "
        f"starts spread over a second; sustained: all text there, no pause over {LONGEST_PAUSE_MS} ms",
        "frontier": {arm: frontier(levels, arm) for arm in ("model", "app")},
        "wanted": WANTED,
        "levels": levels,
    }
    write("streams", result)
    return result


def frontier(levels: dict[str, dict[str, Any]], arm: str) -> int:
    """The highest level sustained with all levels below it sustained too; 0 when not even the first was."""
    best = 0
    for level, seen in levels.items():
        if not seen[arm]["sustained"]:
            break
        best = int(level)
    return best
