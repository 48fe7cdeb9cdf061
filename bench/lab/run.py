"""Runs a scenario: one arm after the other on a fresh simulator, the same seed and schedule, then the referee."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.lab import record, schedule
from bench.lab.bars import check
from bench.lab.events import Events
from bench.lab.facts import Facts, Snapshot
from bench.lab.referee import judge
from bench.lab.scenario import Scenario
from bench.lab.schedule import ROOT, Planned
from bench.lab.stack import MODEL_KEY, SYSTEM_PROMPT, LabStack, keys, stack_of
from bench.machine import machine
from tests.acceptance.stack import MODEL

RIVALS = ROOT / ".venv-rivals" / "bin" / "python"
ARMS = {
    "spillway": "bench.lab.arms.spillway",
    "direct_sdk": "bench.lab.arms.direct_sdk",
    "litellm": "bench.lab.arms.litellm_router",
}
CLIENTS = {"spillway": "httpx2", "direct_sdk": "openai", "litellm": "litellm"}
READY_SECONDS = 60.0
HEAD_START_SECONDS = 1.0
POLL_SECONDS = 2.0


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


def run(scenario: Scenario, arms: list[str], *, keep: Path | None = None) -> dict[str, Any]:
    """All arms of a scenario, and what the bars say of the first one.

    Args:
        scenario: What to run.
        arms: Names of ARMS.
        keep: Folder for schedule, records, account and logs, one below it an arm, which is emptied first; a temporary
            one when not given.

    Raises:
        ArmFailed: An arm could not be started, or ended with an error.
    """
    pythons = {name: interpreter(name) for name in arms}
    questions, source = schedule.texts()
    planned = schedule.draw(scenario, questions)
    result: dict[str, Any] = {
        "scenario": scenario.name,
        "title": scenario.title,
        "machine": machine(),
        "seed": scenario.seed,
        "scale": scenario.scale,
        "texts": source,
        "turns": len(planned),
        "quota_tokens_per_minute": scenario.quota,
        "instances": list(scenario.instances),
        "arms": {},
    }
    with tempfile.TemporaryDirectory(prefix="spillway-lab-") as scratch:
        for name in arms:
            folder = (keep or Path(scratch)) / name
            # What an earlier run left there would be taken for this one's.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            print(f"{scenario.name}: {name} answers {len(planned)} turns ...", flush=True)
            arm = Arm(name, scenario, planned, folder, pythons[name])
            result["arms"][name] = asyncio.run(_run_arm(arm))
    if "spillway" in result["arms"]:
        result["bars"] = [entry.as_dict() for entry in check(scenario.bars, result["arms"]["spillway"])]
    return result


async def _run_arm(arm: Arm) -> dict[str, Any]:
    stack = stack_of(arm.scenario, arm.folder, app_too=arm.is_app)
    try:
        await asyncio.to_thread(stack.start)
        events = Events(arm.scenario, stack)
        began, snapshots = await _play(arm, stack, events)
        facts = await asyncio.to_thread(_facts, arm, stack, events, began, snapshots)
    finally:
        await asyncio.to_thread(stack.stop)
    return {"client": _client(arm), **judge(facts), "events": events.log}


def _client(arm: Arm) -> str:
    """Name and version of the library that an arm asks with."""
    library = CLIENTS[arm.name]
    script = f"from importlib.metadata import version; print(version('{library}'))"
    told = subprocess.run([arm.python, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return f"{library} {told.stdout.strip()}"


async def _play(arm: Arm, stack: LabStack, events: Events) -> tuple[float, list[Snapshot]]:
    """Plays schedule and events; returns when all is answered or the time is over."""
    program = await _start_program(arm, stack)
    try:
        began = time.time() + HEAD_START_SECONDS
        assert program.stdin is not None
        program.stdin.write(f"{began}\n".encode())
        await program.stdin.drain()
        snapshots = list[Snapshot]()
        happening = asyncio.create_task(events.play(began))
        watching = asyncio.create_task(_snapshots(arm, stack, began, snapshots))
        async with asyncio.timeout(arm.stop_seconds + READY_SECONDS):
            code = await program.wait()
        if code:
            raise ArmFailed(f"The program of {arm.name} ended with {code}:\n{_tail(arm)}")
        await happening
        if arm.is_app:
            await _drain(arm, stack, began)
        await watching
        if arm.is_app:
            snapshots.append(await asyncio.to_thread(stack.snapshot, "end"))
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    return began, snapshots


async def _start_program(arm: Arm, stack: LabStack) -> asyncio.subprocess.Process:
    orders = _orders(arm, stack)
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
        raise ArmFailed(f"The program of {arm.name} did not become ready:\n{_tail(arm)}")
    return program


def _orders(arm: Arm, stack: LabStack) -> Path:
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


async def _snapshots(arm: Arm, stack: LabStack, began: float, taken: list[Snapshot]) -> None:
    """Counts at the beginning of each segment."""
    if not arm.is_app:
        return
    for segment in arm.scenario.segments:
        await asyncio.sleep(max(0.0, began + segment.begins - time.time()))
        taken.append(await asyncio.to_thread(stack.snapshot, segment.name))


async def _drain(arm: Arm, stack: LabStack, began: float) -> None:
    """Waits until every stored turn is over, or the time is."""
    while time.time() < began + arm.stop_seconds:
        if await asyncio.to_thread(stack.open_turns) == 0:
            return
        await asyncio.sleep(POLL_SECONDS)


def _facts(arm: Arm, stack: LabStack, events: Events, began: float, snapshots: list[Snapshot]) -> Facts:
    facts = Facts(
        began=began,
        ended=time.time(),
        quota=arm.scenario.quota,
        planned=arm.planned,
        records=record.read(arm.folder / "records.jsonl"),
        calls=stack.account_of_calls(),
        stored=stack.stored_turns() if arm.is_app else (),
        keeps_turns=arm.is_app,
        outages=events.outages,
        snapshots=snapshots,
    )
    for name, rows in (("calls", facts.calls), ("stored", facts.stored)):
        lines = [json.dumps(asdict(row)) + "\n" for row in rows]
        (arm.folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return facts


def _tail(arm: Arm) -> str:
    return (arm.folder / "arm.log").read_text(encoding="utf-8", errors="replace")[-3000:]
