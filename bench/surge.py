"""The thousand-fold surge: one turn a minute, then a thousand a minute for a minute, with quota for a third of it.

The referee reads only the simulator's own account and the store, never what the app says of itself.
"""

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from bench.load import Asked, plan, send_all
from bench.machine import machine, percentiles, write
from tests.acceptance.stack import USER, Stack, deployments

RATE, SECONDS, SEED = 1000, 60.0, 7
ANSWER_TOKENS, MAX_OUTPUT = 40, 200
DRAIN_SECONDS = 420.0
SHARE_OF_LOAD = 1 / 3
WORKERS = 2


def models(tokens_each: float) -> dict[str, Any]:
    """Two deployments whose quota together takes a third of the load."""
    config = deployments(count=2, between_tokens_ms=10, answer_tokens=ANSWER_TOKENS)
    for entry in config["deployments"]:
        if entry["name"].startswith("chat"):
            entry["tokens_per_minute"] = int(RATE * SHARE_OF_LOAD * tokens_each / 2)
            entry["requests_per_minute"] = RATE
            entry["latency"]["time_to_first_token_ms"] = 150
    return config


def run() -> dict[str, Any]:
    """One run: surge, then drain."""
    description = machine()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(
            Path(folder),
            models=models(MAX_OUTPUT + 170),
            settings={
                "SPILLWAY_KNOWLEDGE_ENABLED": "false",
                "SPILLWAY_MAX_OUTPUT_TOKENS": str(MAX_OUTPUT),
                "SPILLWAY_SWEEP_SCHEDULE": "*/15 * * * * *",
            },
            host_options=("--instances", str(WORKERS)),
        ).start()
        try:
            asked = [Asked(0, "Is anybody there?", "interactive", 0.0), *plan(RATE, SECONDS, seed=SEED, first_number=1)]
            began = time.time()
            asyncio.run(send_all(stack.url, USER, asked, patience_seconds=240))
            drain(stack, began)
            result = {"machine": description, "conditions": conditions(), **judge(stack, asked, began)}
        finally:
            stack.stop()
    write("surge", {"arms": {"spillway": result}})
    return result


def conditions() -> str:
    """What was run."""
    return (
        f"{RATE} turns a minute for {SECONDS:g} s, lanes 70/20/10, quota for {SHARE_OF_LOAD:.0%} of it "
        f"in 2 deployments, {WORKERS} app processes, all on one machine"
    )


def drain(stack: Stack, began: float) -> None:
    """Waits until every stored turn is over."""
    while time.time() - began < SECONDS + DRAIN_SECONDS:
        if all(turn["state"] in {"succeeded", "failed", "expired", "cancelled"} for turn in stack.turns()):
            return
        time.sleep(2)


def judge(stack: Stack, asked: list[Asked], began: float) -> dict[str, Any]:
    """The verdict from the simulator's account and the store."""
    calls = all_calls(stack)
    turns = {turn["id"]: turn for turn in stack.turns()}
    succeeded = [turn for turn in turns.values() if turn["state"] == "succeeded"]
    accepted = [entry for entry in asked if entry.turn_id in turns]
    answered = Counter(call["client_request_id"] for call in calls if call["outcome"] == "succeeded")
    throttled = [call for call in calls if call["status"] == 429]
    return {
        "asked": len(asked),
        "accepted": len(accepted),
        "refused": sum(entry.outcome == "refused" for entry in asked),
        "lost": sum(turns[entry.turn_id or ""]["state"] not in {"succeeded", "expired"} for entry in accepted),
        "expired": sum(turn["state"] == "expired" for turn in turns.values()),
        "duplicated": sum(count > 1 for count in answered.values()),
        "success_share": round(len(succeeded) / len(asked), 4),
        "calls": len(calls),
        "calls_per_success": round(len(calls) / max(1, len(succeeded)), 4),
        "share_429": round(len(throttled) / max(1, len(calls)), 4),
        "runs_per_turn": round(sum(turn["run"] for turn in turns.values()) / max(1, len(turns)), 3),
        "utilisation_under_backlog": utilisation(stack, calls, turns, began),
        "first_token_s": {
            lane: percentiles(
                [entry.first_token for entry in asked if entry.lane == lane and entry.first_token is not None] or [0.0],
                50,
                95,
                99,
            )
            for lane in ("interactive",)
        },
        "outcomes": dict(Counter(f"{entry.lane}:{entry.outcome}" for entry in asked)),
    }


def all_calls(stack: Stack) -> list[dict[str, Any]]:
    """Every chat call of the account, page by page."""
    calls, since = list[dict[str, Any]](), 0
    while True:
        page = httpx2.get(f"{stack.parts['model'].url}/_sim/calls", params={"since": since, "limit": 10_000}).json()
        calls += [call for call in page["calls"] if call["deployment"].startswith("chat")]
        if not page.get("more"):
            return calls
        since = page["next"]


def utilisation(
    stack: Stack, calls: list[dict[str, Any]], turns: dict[str, dict[str, Any]], began: float
) -> dict[str, Any]:
    """Tokens admitted against the quota, for each whole minute that ended before the last turn did."""
    quota = sum(entry["tokens_per_minute"] for entry in stack.models["deployments"] if entry["name"].startswith("chat"))
    offset = time.time() - time.monotonic()
    admitted = [(call["arrived"] + offset - began, call["estimate"]) for call in calls if call["status"] != 429]
    ends = [
        (turn.get("timeline") or {}).get("total_ms", 0) / 1000 + turn["created_at"] - began for turn in turns.values()
    ]
    last_end = max(ends, default=0.0)
    minutes = []
    for start in range(0, int(last_end // 60) * 60, 60):
        spent = sum(tokens for at, tokens in admitted if start <= at < start + 60)
        minutes.append(round(spent / quota, 4))
    return {"quota_tokens_per_minute": quota, "by_minute": minutes, "drained_after_s": round(last_end, 1)}
