"""Users on one host, evaluation on two others, as Azure scales each queue's function on instances of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from evals.stack import ROOT, JudgedStack
from tests.processes import Service

USERS, WORKERS = "app", ("worker-1", "worker-2")
WORK = ("score_answer", "answer_batch")
LOW_PRIORITY = ("nice", "-n", "10", sys.executable, "-m")
"""In Azure the workers have processors of their own. Here they take what the users' host leaves."""


@dataclass
class SeparatedStack(JudgedStack):
    """The stack of evaluation with its app in three host processes."""

    def start_app(self, part: str = USERS, *options: str) -> Service:
        """Starts one host: that of the users, or a worker."""
        names = WORK if part in WORKERS else tuple(name for name in _functions(self.environment()) if name not in WORK)
        return self._start(
            part,
            "local.host",
            "--app",
            ".",
            "--data",
            str(self.folder / part),
            "--functions",
            ",".join(names),
            *options,
            environment=self.environment(),
            python=LOW_PRIORITY if part in WORKERS else (sys.executable, "-m"),
        )

    def start_workers(self) -> None:
        """Starts both workers."""
        for worker in WORKERS:
            self.start_app(worker)


def _functions(settings: dict[str, str]) -> list[str]:
    """The names of all functions of the app, which it tells only with its settings."""
    command = [sys.executable, "-m", "local.host", "--app", ".", "--list"]
    environment = {**os.environ, **settings}
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, env=environment)
    return [function["name"] for function in json.loads(listed.stdout)]
