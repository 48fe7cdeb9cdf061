"""Do the stages of a turn add up to what its caller waited? A thousand turns on both paths against a stopwatch."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.machine import machine, percentiles, write
from bench.single import precedence, undisturbed
from tests.acceptance.stack import Stack, deployments

TURNS = 1000
QUESTION = "What are your opening hours?"
ABSOLUTE_MS, SHARE = 2.0, 0.01


def ask(client: httpx2.Client, lane: str) -> tuple[float, dict[str, Any]]:
    """Milliseconds from before sending to the last event, and its timeline."""
    headers = {"accept": "text/event-stream", "x-spillway-sent-at": f"{time.time():.6f}"}
    began = time.perf_counter()
    last = ""
    with client.stream("POST", "/api/chat", json={"message": QUESTION, "lane": lane}, headers=headers) as response:
        if response.status_code != 200:
            raise RuntimeError(response.read().decode())
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: ") and name == "done":
                last, elapsed = line[6:], (time.perf_counter() - began) * 1000
    timeline: dict[str, Any] = json.loads(last)["timeline"]
    return elapsed, timeline


def within(stopwatch_ms: float, total_ms: float) -> bool:
    """The stages explain the wait to 1 % or 2 ms."""
    return abs(stopwatch_ms - total_ms) <= max(ABSOLUTE_MS, SHARE * stopwatch_ms)


def summary(found: list[tuple[float, dict[str, Any]]]) -> dict[str, Any]:
    """How well the stages of one path's turns explain the wait, and how long each is."""
    gaps = [stopwatch - timeline["total_ms"] for stopwatch, timeline in found]
    stages: dict[str, list[float]] = {}
    for _, timeline in found:
        for stage in timeline["stages"]:
            stages.setdefault(stage["name"], []).append(stage["duration_ms"])
    return {
        "turns": len(found),
        "within_1_percent_or_2_ms": sum(within(stopwatch, timeline["total_ms"]) for stopwatch, timeline in found),
        "stopwatch_ms": percentiles([stopwatch for stopwatch, _ in found], 50, 95, 99),
        "unexplained_ms": percentiles(gaps, 1, 50, 95, 99, 100),
        "clamped": sum("clamped" in timeline for _, timeline in found),
        "cold": sum(bool(timeline.get("cold_start")) for _, timeline in found),
        "stages_ms": {name: percentiles(values, 50, 95) for name, values in stages.items()},
    }


def run() -> dict[str, Any]:
    """One run, both paths alternating."""
    description = machine()
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {"interactive": [], "standard": []}
    with tempfile.TemporaryDirectory() as folder:
        models = deployments(count=1, between_tokens_ms=4, answer_tokens=25)
        models["deployments"][0]["latency"]["time_to_first_token_ms"] = 60
        stack = Stack(Path(folder), models=models, settings={"SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"})
        try:
            with stack.start().client() as client, undisturbed(), precedence() as first:
                for number in range(TURNS):
                    lane = list(found)[number % 2]
                    found[lane].append(ask(client, lane))
        finally:
            stack.stop()
    every = [one for turns in found.values() for one in turns]
    result = {
        "machine": description,
        "caller_has_precedence": first,
        "conditions": "one caller, both paths alternating, knowledge and history on, caller's clock sent along; "
        "unexplained: the caller's stopwatch minus the sum of the stages",
        "all": {name: value for name, value in summary(every).items() if name != "stages_ms"},
        "direct": summary(found["interactive"]),
        "queued": summary(found["standard"]),
    }
    write("timeline", result)
    return result
