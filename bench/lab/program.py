"""The program of an arm: which interpreter runs it, what it is told, how it is started and heard."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.lab import schedule
from bench.lab.scenario import Scenario
from bench.lab.schedule import ROOT, Planned
from bench.lab.stack import MODEL_KEY, SYSTEM_PROMPT, LabStack, keys
from tests.acceptance.stack import MODEL

RIVALS = ROOT / ".venv-rivals" / "bin" / "python"
ARMS = {
    "spillway": "bench.lab.arms.spillway",
    "direct_sdk": "bench.lab.arms.direct_sdk",
    "litellm": "bench.lab.arms.litellm_router",
}
CLIENTS = {"spillway": "httpx2", "direct_sdk": "openai", "litellm": "litellm"}
READY_SECONDS = 180.0


class ArmFailed(RuntimeError):
    """An arm's program did not do its part; the message says where its output is."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of one run.

    Attributes:
        python: Interpreter of its environment.
    """

    name: str
    scenario: Scenario
    planned: list[Planned]
    folder: Path
    python: str

    @property
    def is_app(self) -> bool:
        """It needs the whole app and not the simulator alone."""
        return self.name == "spillway"

    @property
    def stop_seconds(self) -> float:
        """After the start, when everything that is open is given up."""
        return self.scenario.asks_until + self.scenario.drain_seconds


def interpreter(name: str) -> str:
    """The Python that runs an arm.

    Raises:
        ArmFailed: The rivals are not installed.
    """
    if name != "litellm":
        return sys.executable
    if not RIVALS.exists():
        raise ArmFailed("LiteLLM is not installed: run make bench-rivals, which puts it into .venv-rivals.")
    return str(RIVALS)


async def start(arm: Arm, stack: LabStack) -> asyncio.subprocess.Process:
    """Starts the program; returns when it is ready for the start time.

    Raises:
        ArmFailed: It did not become ready.
    """
    orders = orders_of(arm, stack)
    with (arm.folder / "arm.log").open("wb") as log:
        program = await asyncio.create_subprocess_exec(
            *(arm.python, "-m", ARMS[arm.name], str(orders)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert program.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = await program.stdout.readline()
            while line and line.strip() != b"ready":
                line = await program.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        if program.returncode is None:
            program.kill()
        await program.wait()
        raise ArmFailed(f"The program of {arm.name} did not become ready:\n{log_of(arm)}")
    return program


def orders_of(arm: Arm, stack: LabStack) -> Path:
    """Writes schedule and orders into the arm's folder; where the orders are. See `bench.lab.arms.frame.Orders`."""
    scenario = arm.scenario
    schedule.write(arm.folder / "schedule.jsonl", arm.planned)
    names = ("name", "account", "tokens_per_minute", "requests_per_minute")
    orders = {
        "schedule": str(arm.folder / "schedule.jsonl"),
        "records": str(arm.folder / "records.jsonl"),
        "url": stack.url if arm.is_app else stack.model_url(),
        "keys": keys(scenario),
        "deployments": [
            {name: entry[name] for name in names} for entry in stack.models["deployments"] if entry["kind"] == "chat"
        ],
        "model": MODEL,
        "model_key": MODEL_KEY,
        "system_prompt": SYSTEM_PROMPT,
        "max_output_tokens": scenario.max_output_tokens,
        "retries": scenario.retries,
        "patience_seconds": scenario.patience_seconds,
        "stop_seconds": arm.stop_seconds,
        "seed": scenario.seed,
    }
    path = arm.folder / "orders.json"
    path.write_text(json.dumps(orders), encoding="utf-8")
    return path


def client_of(arm: Arm) -> str:
    """Name and version of the library that an arm asks with."""
    library = CLIENTS[arm.name]
    script = f"from importlib.metadata import version; print(version('{library}'))"
    told = subprocess.run([arm.python, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return f"{library} {told.stdout.strip()}"


def log_of(arm: Arm) -> str:
    """The end of what an arm's program said."""
    return (arm.folder / "arm.log").read_text(encoding="utf-8", errors="replace")[-3000:]
