"""Deployments to measure when no endpoint is given: the local Azure OpenAI with two of them, one quicker."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.latency.plan import Target
from tests.processes import running

KEY_VARIABLE = "BENCH_LATENCY_LOCAL_KEY"
DEFAULT: dict[str, dict[str, Any]] = {
    "near": {"time_to_first_token_ms": 120, "between_tokens_ms": 8, "round_trip_ms": 2, "spread": 0.2},
    "far": {"time_to_first_token_ms": 120, "between_tokens_ms": 8, "round_trip_ms": 60, "spread": 0.2},
}
"""Latency of each deployment, as `local.openai` knows it."""


@contextmanager
def simulated(
    folder: Path, latencies: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any
) -> Iterator[tuple[Target, ...]]:
    """Starts the service with these deployments, each in a region of its own; gives the targets.

    Args:
        folder: Where its files go.
        latencies: By name.
        settings: Of every deployment, such as `tokens_per_minute`.
    """
    latencies = latencies or DEFAULT
    limits = {"tokens_per_minute": 100_000_000, "requests_per_minute": 1_000_000, **settings}
    # Longer than anybody asks for: an answer has exactly the tokens that the call allows.
    limits.setdefault("answer_tokens", 16_000)
    document = {
        "accounts": [{"name": f"account-{name}", "region": f"region-{name}"} for name in latencies],
        "deployments": [
            {"name": name, "account": f"account-{name}", "model": "gpt-4o-mini", "kind": "chat", "tier": "standard"}
            | limits
            | {"latency": {"per_prompt_token_ms": 0.02, **latency}}
            for name, latency in latencies.items()
        ],
    }
    config = folder / "latency-models.json"
    config.write_text(json.dumps(document))
    os.environ[KEY_VARIABLE] = "local-openai-key"
    with running("local.openai", "--port", "0", "--config", str(config), folder=folder) as service:
        yield tuple(Target(name, f"{service.url}/account-{name}/openai/v1/", name, KEY_VARIABLE) for name in latencies)
