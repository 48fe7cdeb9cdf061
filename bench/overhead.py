"""What Spillway adds to a call of the model: to the time to first token, direct and queued, and to each later token.

All arms use the same plain caller, the same simulator with a fixed time to first token, and take turns within one run,
so what they differ in is Spillway. The app answers without knowledge, as the direct call does.
"""

import tempfile
from pathlib import Path
from typing import Any

from bench.machine import machine, percentiles, write
from bench.single import Caller, undisturbed
from tests.acceptance.stack import MODEL, USER, Stack, deployments

ROUNDS = 300
WARM_UP = 30
TOKENS = 24
BETWEEN_TOKENS_MS = 2
FIRST_TOKEN_MS = 60
QUESTION = "What are your opening hours?"
ARMS = ("model", "direct", "queued")
BARS = {"direct": {"p50": 5.0, "p99": 15.0}, "queued": {"p50": 40.0}, "token_ms": 0.2}


def ask_model(caller: Caller) -> dict[str, Any]:
    """The model without Spillway."""
    body = {
        "model": "chat-0",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "max_completion_tokens": 800,
    }
    return caller.ask("/account0/openai/v1/chat/completions", {"api-key": "local-openai-key"}, body)


def ask_app(caller: Caller, lane: str) -> dict[str, Any]:
    """The app; the interactive lane goes the direct path and the standard lane the queued one."""
    headers = {"x-functions-key": USER, "accept": "text/event-stream"}
    return caller.ask("/api/chat", headers, {"message": QUESTION, "lane": lane})


def measure(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """Rounds of all arms, one after the other."""
    model, app = Caller(stack.parts["model"].url), Caller(stack.url)
    seen: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
    with undisturbed():
        for number in range(WARM_UP + ROUNDS):
            sample = {
                "model": ask_model(model),
                "direct": ask_app(app, "interactive"),
                "queued": ask_app(app, "standard"),
            }
            if number >= WARM_UP:
                for arm, answer in sample.items():
                    seen[arm].append(answer)
    model.close()
    app.close()
    return seen


def added(seen: dict[str, list[dict[str, Any]]], arm: str, value: str) -> list[float]:
    """What an arm took longer than the model in the same round."""
    return [mine[value] - base[value] for mine, base in zip(seen[arm], seen["model"], strict=True)]


def run() -> dict[str, Any]:
    """One run of all arms."""
    description = machine()
    models = deployments(count=1, between_tokens_ms=BETWEEN_TOKENS_MS, answer_tokens=TOKENS)
    models["deployments"][0]["latency"]["time_to_first_token_ms"] = FIRST_TOKEN_MS
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(
            Path(folder),
            models=models,
            settings={"SPILLWAY_KNOWLEDGE_ENABLED": "false", "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"},
            host_options=("--instances", "http=1", "--instances", "function:answer_standard=1"),
        ).start()
        try:
            seen = measure(stack)
        finally:
            stack.stop()
    for answers in seen.values():
        for answer in answers:
            answer["token_ms"] = (answer["last_ms"] - answer["first_ms"]) / (TOKENS - 1)
    result = {
        "machine": description,
        "rounds": ROUNDS,
        "model": MODEL,
        "conditions": f"one caller, warm connections, durable broker and store, no knowledge; first token after "
        f"{FIRST_TOKEN_MS} ms, {TOKENS} tokens {BETWEEN_TOKENS_MS} ms apart; added: paired difference",
        "ttft_ms": {arm: percentiles([answer["first_ms"] for answer in seen[arm]], 50, 95, 99) for arm in ARMS},
        "added_ttft_ms": {arm: percentiles(added(seen, arm, "first_ms"), 50, 95, 99) for arm in ("direct", "queued")},
        "added_per_token_ms": {"direct": percentiles(added(seen, "direct", "token_ms"), 50, 95, 99)},
        "frames_per_answer": {arm: round(sum(a["frames"] for a in seen[arm]) / ROUNDS, 1) for arm in ARMS},
        "bars": BARS,
    }
    write("overhead", result)
    return result
