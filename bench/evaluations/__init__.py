"""Evaluation at scale beside users: every item scored once although workers die, and users do not feel it.

Two worker processes ask and score; users are served by a third, as Azure scales every queue's function on instances of
its own. Users ask all the time at a fixed rate, sent at their intended moments. Phases with users alone and phases with
an evaluation run beside them take turns within one sitting, so that both meet the same machine. In the last runs the
workers are killed with SIGKILL in turn and started again.

The referee is the store and the accounts of the model and the judge, not what the app says of itself.
"""

import tempfile
from pathlib import Path
from typing import Any

from bench.evaluations.phases import CONCURRENCY, DEPLOYMENT, Phases, models
from bench.evaluations.referee import judge
from bench.evaluations.stack import SeparatedStack
from bench.evaluations.users import RATE
from bench.machine import machine, write

ITEMS = 10_000
RUNS = 10
KILLED_RUNS = 2
SETTINGS = {"SPILLWAY_LEASE_SECONDS": "5", "SPILLWAY_CHECKPOINT_SECONDS": "1", "SPILLWAY_SAMPLE_SHARE": "0"}


def run(items: int = ITEMS) -> dict[str, Any]:
    """Ten runs, of which the processes are killed in the last two."""
    description = machine()
    with tempfile.TemporaryDirectory() as folder:
        stack = SeparatedStack(Path(folder), models=models(), settings=SETTINGS, lock="PT10S", durable=False)
        try:
            stack.start()
            stack.seed()
            stack.start_workers()
            phases = Phases(stack, items // RUNS)
            for _ in range(RUNS - KILLED_RUNS):
                phases.users_alone()
                phases.with_evaluation()
            for _ in range(KILLED_RUNS):
                phases.with_kills()
            result = {
                "machine": description,
                "conditions": conditions(),
                **judge(stack, phases.runs, items // RUNS * RUNS),
                "kills": phases.kills,
                "seconds": {"of_each_run": phases.seconds, "items_per_second": phases.items_per_second},
                "users": phases.users_view(),
            }
        finally:
            stack.stop()
    write("evaluations", result)
    return result


def conditions() -> str:
    """What was run."""
    latency = DEPLOYMENT["latency"]
    return (
        "2 worker processes (low priority), a host for users and local Azure on one machine; "
        f"users: {RATE:g} turns/s, interactive, streamed; runs of "
        f"{CONCURRENCY} items at a time in the batch lane, evaluators answered and relevance; model: first token after "
        f"{latency['time_to_first_token_ms']} ms, then {latency['between_tokens_ms']} ms a token, "
        f"{DEPLOYMENT['answer_tokens']} tokens"
    )
