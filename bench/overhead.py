"""Time to first token that Spillway adds: direct and queued path against the model called without it, interleaved.

All three arms use the same HTTP client, the same simulator with a fixed time to first token, and take turns within one
run, so what they differ in is Spillway. The app answers without knowledge, as the direct call does.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2

from bench.machine import machine, percentiles, write
from tests.acceptance.stack import MODEL, Stack, deployments

ROUNDS = 300
WARM_UP = 30
QUESTION = "What are your opening hours?"


def model_call(client: httpx2.Client) -> float:
    """Milliseconds to the first content of the model itself."""
    body = {
        "model": "chat-0",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "max_completion_tokens": 800,
    }
    headers = {"api-key": "local-openai-key"}
    return _first(client, "/account0/openai/v1/chat/completions", body, headers, lambda data: bool(_content(data)))


def app_call(client: httpx2.Client, lane: str) -> float:
    """Milliseconds to the first `delta` event of the app."""
    body = {"message": QUESTION, "lane": lane}
    headers = {"accept": "text/event-stream"}
    return _first(client, "/api/chat", body, headers, lambda data: "text" in data)


def _content(data: dict[str, Any]) -> str:
    choices = data.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""


def _first(
    client: httpx2.Client,
    path: str,
    body: dict[str, Any],
    headers: dict[str, str],
    is_first: Callable[[dict[str, Any]], bool],
) -> float:
    began = time.perf_counter()
    found: float | None = None
    with client.stream("POST", path, json=body, headers=headers) as response:
        for data in _data(response):
            if found is None and is_first(data):
                found = time.perf_counter() - began
    assert found is not None, f"no text from {path}"
    return found * 1000


def _data(response: httpx2.Response) -> Iterator[dict[str, Any]]:
    assert response.status_code == 200, response.read()
    for line in response.iter_lines():
        if line.startswith("data: {"):
            yield json.loads(line[6:])


def run() -> dict[str, Any]:
    """One run of all arms."""
    description = machine()
    times: dict[str, list[float]] = {"model": [], "direct": [], "queued": []}
    with tempfile.TemporaryDirectory() as folder:
        models = deployments(count=1, between_tokens_ms=2, answer_tokens=12)
        models["deployments"][0]["latency"]["time_to_first_token_ms"] = 100
        stack = Stack(
            Path(folder),
            models=models,
            settings={"SPILLWAY_KNOWLEDGE_ENABLED": "false", "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"},
            host_options=("--instances", "http=1", "--instances", "function:answer_standard=1"),
        ).start()
        try:
            with httpx2.Client(base_url=stack.parts["model"].url, timeout=30) as model, stack.client() as app:
                for number in range(WARM_UP + ROUNDS):
                    sample = {
                        "model": model_call(model),
                        "direct": app_call(app, "interactive"),
                        "queued": app_call(app, "standard"),
                    }
                    if number >= WARM_UP:
                        for arm, milliseconds in sample.items():
                            times[arm].append(milliseconds)
        finally:
            stack.stop()
    added = {
        arm: percentiles([mine - base for mine, base in zip(times[arm], times["model"], strict=True)], 50, 95, 99)
        for arm in ("direct", "queued")
    }
    result = {
        "machine": description,
        "rounds": ROUNDS,
        "model": MODEL,
        "conditions": "one caller, warm connections, durable broker and store, no knowledge; added: paired difference",
        "ttft_ms": {arm: percentiles(values, 50, 95, 99) for arm, values in times.items()},
        "added_ttft_ms": added,
    }
    write("overhead", result)
    return result
