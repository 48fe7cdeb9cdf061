"""Facts for tests."""

import dataclasses
from typing import Any

from shared.telemetry.facts import AttemptEnded, Limits, Subject, TurnEnded
from shared.turns import Usage

SUBJECT = Subject("t" * 32, "contoso", "s", "interactive", "direct")
TIMELINE = {
    "total_ms": 400.0,
    "stages": [
        {"name": "context", "start_ms": 0.0, "duration_ms": 50.0},
        {"name": "first_token", "start_ms": 50.0, "duration_ms": 200.0},
        {"name": "stream", "start_ms": 250.0, "duration_ms": 150.0},
    ],
    "history_ms": 3.0,
    "dropped": ["knowledge"],
}
USAGE = Usage(input_tokens=1000, output_tokens=100, cached_tokens=400, reasoning_tokens=10)


def an_attempt(**changes: Any) -> AttemptEnded:
    attempt = AttemptEnded(
        subject=SUBJECT,
        deployment="chat-0",
        model="gpt-4o-mini",
        region="swedencentral",
        tier="standard",
        server=("example.openai.azure.com", None),
        max_output_tokens=800,
        began_at=1000.0,
        duration_seconds=2.0,
        outcome="success",
        first_token_seconds=0.25,
        between_tokens_seconds=0.01,
        longest_pause_seconds=0.05,
        finish_reason="stop",
        usage=USAGE,
        limits=Limits(remaining_tokens=5000, remaining_requests=50, request_id="r"),
    )
    return dataclasses.replace(attempt, **changes)


def a_refusal(**changes: Any) -> AttemptEnded:
    nothing = dict.fromkeys(
        ("first_token_seconds", "between_tokens_seconds", "longest_pause_seconds", "finish_reason", "usage")
    )
    refused = {"outcome": "overload", "cause": "quota", "status": 429, "retry_after_seconds": 1.5}
    return an_attempt(**(nothing | refused | changes))


def an_end(**changes: Any) -> TurnEnded:
    ended = TurnEnded(
        subject=SUBJECT,
        state="succeeded",
        total_seconds=0.4,
        runs=1,
        deferrals=0,
        attempts=1,
        model="gpt-4o-mini",
        deployment="chat-0",
        finish_reason="stop",
        usage=USAGE,
        timeline=TIMELINE,
        between_tokens_seconds=0.01,
    )
    return dataclasses.replace(ended, **changes)
