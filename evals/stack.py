"""Local Azure with a judge: the stack of the acceptance tests and the stand-in beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from local.run.processes import RunFailed
from local.run.seed import seed
from tests.acceptance.stack import OPERATOR, Stack
from tests.processes import Service

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "samples" / "wallegpt" / "knowledge.jsonl"
JUDGE = "judge"


@dataclass
class JudgedStack(Stack):
    """Broker, store, models, judge and app; the shop's knowledge is stored through the app's own route."""

    def start_model(self) -> Service:
        self._start("judge", "evals.stand_in")
        return super().start_model()

    def environment(self) -> dict[str, str]:
        environment = super().environment()
        judge = {
            "name": JUDGE,
            "model": JUDGE,
            "endpoint": f"{self.parts['judge'].url}/openai/v1",
            "tokens_per_minute": 50_000_000,
            "requests_per_minute": 300_000,
        }
        deployments = [*json.loads(environment["SPILLWAY_DEPLOYMENTS"]), judge]
        return {
            "SPILLWAY_JUDGE_MODEL": JUDGE,
            **environment,
            "SPILLWAY_DEPLOYMENTS": json.dumps(deployments),
        }

    def seed(self) -> int:
        """Stores the shop's documents; how many."""
        try:
            return seed(self.url, OPERATOR, KNOWLEDGE)
        except RunFailed as error:
            raise SystemExit(str(error)) from error

    def judge_fault(self, **fault: Any) -> None:
        httpx2.post(f"{self.parts['judge'].url}/_sim/faults", json=fault).raise_for_status()

    def judge_calm(self) -> None:
        httpx2.delete(f"{self.parts['judge'].url}/_sim/faults").raise_for_status()

    def judge_calls(self) -> list[dict[str, Any]]:
        """The judge's own account of its calls."""
        calls: list[dict[str, Any]] = httpx2.get(f"{self.parts['judge'].url}/_sim/calls").json()["calls"]
        return calls
