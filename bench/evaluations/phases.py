"""The phases of the sitting, one after the other."""

import time
from dataclasses import dataclass, field
from typing import Any

from bench.evaluations.stack import WORKERS, SeparatedStack
from bench.evaluations.users import Users
from bench.machine import percentiles
from bench.regression.recording import GOLDEN
from evals.client import InstallationError, installation
from tests.acceptance.stack import OPERATOR, deployments

CONCURRENCY = 16
EVALUATORS = ["answered", "relevance"]
ALONE_SECONDS, LEAST_ALONE_SECONDS = 40.0, 10.0
MOST_SECONDS = 900.0
POLL_SECONDS = 0.5
MOST_FAILED_LOOKS = 20
ANSWER_TOKENS = 30
OVER = {"finished", "stopped", "cancelled"}


def models() -> dict[str, Any]:
    """Two deployments that take as long as real ones."""
    config = deployments(count=2, between_tokens_ms=15, answer_tokens=ANSWER_TOKENS)
    for entry in config["deployments"]:
        if entry["name"].startswith("chat"):
            entry["latency"]["time_to_first_token_ms"] = 400
    return config


DEPLOYMENT: dict[str, Any] = models()["deployments"][0]


@dataclass
class Phases:
    """What happened so far."""

    stack: SeparatedStack
    items_in_a_run: int
    runs: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    kills: int = 0
    alone: list[Users] = field(default_factory=list)
    beside: list[Users] = field(default_factory=list)

    @property
    def items_per_second(self) -> float:
        """Of the runs without kills."""
        quiet = self.seconds[: len(self.beside)]
        return round(len(quiet) * self.items_in_a_run / sum(quiet), 2)

    def users_alone(self) -> None:
        """Users without evaluation."""
        self.alone.append(Users(self.stack.url, len(self.alone)))
        self.alone[-1].for_seconds(max(LEAST_ALONE_SECONDS, min(ALONE_SECONDS, self.items_in_a_run / 10)))

    def with_evaluation(self) -> None:
        """Users beside a run, for as long as it takes."""
        self.beside.append(Users(self.stack.url, 1_000 + len(self.beside)))
        with self.beside[-1].meanwhile(MOST_SECONDS):
            self._run()

    def with_kills(self) -> None:
        """A run in which each worker is killed and started again."""
        self._run(kill_at=(0.25, 0.6))

    def _run(self, kill_at: tuple[float, ...] = ()) -> None:
        began, left = time.monotonic(), list(kill_at)
        run_id = self._start()
        while time.monotonic() - began < MOST_SECONDS:
            state, done = self._look(run_id)
            if state in OVER:
                break
            if left and done >= left[0] * self.items_in_a_run:
                left.pop(0)
                self._kill(WORKERS[self.kills % len(WORKERS)])
            time.sleep(POLL_SECONDS)
        self.seconds.append(round(time.monotonic() - began, 1))

    def _start(self) -> str:
        number = len(self.runs)
        items = [
            {"id": f"{number}-{n}", "question": f"{GOLDEN[n % len(GOLDEN)].question} (case {number}-{n})"}
            for n in range(self.items_in_a_run)
        ]
        with installation(self.stack.url, OPERATOR) as target:
            wish = {"name": f"bench {number}", "evaluators": EVALUATORS, "concurrency": CONCURRENCY}
            self.runs.append(target.start(wish, items)["evaluation_id"])
        return self.runs[-1]

    def _look(self, run_id: str) -> tuple[str, int]:
        """State and items done; an overloaded moment is waited out, because it is not what is measured here."""
        with installation(self.stack.url, OPERATOR) as target:
            for _ in range(MOST_FAILED_LOOKS):
                try:
                    run = target.status(run_id)
                except InstallationError:
                    time.sleep(POLL_SECONDS)
                else:
                    return run["state"], run["progress"]["done"]
            run = target.status(run_id)
            return run["state"], run["progress"]["done"]

    def _kill(self, host: str) -> None:
        self.stack.parts[host].kill()
        self.kills += 1
        self.stack.start_app(host)

    def users_view(self) -> dict[str, Any]:
        """Seconds until the first token and the last, with and without evaluation beside."""
        arms = {"alone": self.alone, "beside_evaluation": self.beside}
        view: dict[str, Any] = {name: _times(phases) for name, phases in arms.items()}
        for measure in ("first_token_s", "whole_answer_s"):
            before, after = view["alone"][measure]["p95"], view["beside_evaluation"][measure]["p95"]
            view[f"{measure.removesuffix('_s')}_p95_ratio"] = round(after / before, 4)
        return view


def _times(phases: list[Users]) -> dict[str, Any]:
    asked = [entry for users in phases for entry in users.asked]
    done = [entry for entry in asked if entry.outcome == "done"]
    return {
        "asked": len(asked),
        "answered": len(done),
        "first_token_s": percentiles([entry.first_token or 0.0 for entry in done], 50, 95, 99),
        "whole_answer_s": percentiles([entry.ended or 0.0 for entry in done], 50, 95, 99),
    }
