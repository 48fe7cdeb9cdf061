"""Runs a scenario: one arm after the other on a fresh simulator, the same seed and schedule, then the referee."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.lab import record, schedule
from bench.lab.bars import check
from bench.lab.events import Events
from bench.lab.facts import Facts, Snapshot
from bench.lab.program import Arm, ArmFailed, client_of, interpreter, log_of, start
from bench.lab.referee import judge
from bench.lab.scenario import Scenario
from bench.lab.stack import LabStack, stack_of
from bench.machine import machine

HEAD_START_SECONDS = 2.0
SNAPSHOT_SECONDS = 2.0
"""How long before a segment its counts are taken, so that a slow machine takes them before its first turn."""
SPARE_SECONDS = 60.0
"""For a part that is started again late, beyond what a scenario takes."""
POLL_SECONDS = 2.0


Look = Callable[[LabStack, Facts], dict[str, Any]]
"""Looks at the app while it still runs, when all is over; what it returns goes into the arm's result."""


def run(scenario: Scenario, arms: list[str], *, keep: Path | None = None, look: Look | None = None) -> dict[str, Any]:
    """All arms of a scenario, and what the bars say of the first one.

    Args:
        scenario: What to run.
        arms: Names of ARMS.
        keep: Folder for schedule, records, account and logs, one below it an arm, which is emptied first; a temporary
            one when not given.
        look: Called before the app is stopped; with it, the app's telemetry is kept.

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
            result["arms"][name] = asyncio.run(_run_arm(arm, look))
    if "spillway" in result["arms"]:
        result["bars"] = [entry.as_dict() for entry in check(scenario.bars, result["arms"]["spillway"])]
    return result


async def _run_arm(arm: Arm, look: Look | None) -> dict[str, Any]:
    stack = stack_of(arm.scenario, arm.folder, app_too=arm.is_app, insights=look is not None)
    try:
        await asyncio.to_thread(stack.start)
        events = Events(arm.scenario, stack)
        began, snapshots = await _play(arm, stack, events)
        facts = await asyncio.to_thread(_facts, arm, stack, events, began, snapshots)
        seen = await asyncio.to_thread(look, stack, facts) if look is not None and arm.is_app else {}
    finally:
        await asyncio.to_thread(stack.stop)
    return {"client": client_of(arm), **judge(facts), "events": events.log, **seen}


async def _play(arm: Arm, stack: LabStack, events: Events) -> tuple[float, list[Snapshot]]:
    """Plays schedule and events; returns when all is answered or the time is over."""
    program = await start(arm, stack)
    began = time.time() + HEAD_START_SECONDS
    snapshots = list[Snapshot]()
    try:
        async with asyncio.timeout(arm.stop_seconds + SPARE_SECONDS):
            await _together(
                _answer(arm, program, began),
                events.play(began),
                _snapshots(arm, stack, began, snapshots),
            )
            if arm.is_app:
                await _drain(arm, stack, began)
        if arm.is_app:
            snapshots.append(await asyncio.to_thread(stack.snapshot, "end", time.time()))
    except TimeoutError as error:
        raise ArmFailed(f"{arm.name} did not end in time:\n{log_of(arm)}") from error
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    return began, snapshots


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all; when one fails the others are stopped and its error is raised as it is."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(arm: Arm, program: asyncio.subprocess.Process, began: float) -> None:
    """Tells the program when to start and waits until it has written its records."""
    if program.stdin is None:
        raise ArmFailed(f"{arm.name} cannot be told when to start.")
    program.stdin.write(f"{began}\n".encode())
    await program.stdin.drain()
    if code := await program.wait():
        raise ArmFailed(f"The program of {arm.name} ended with {code}:\n{log_of(arm)}")


async def _snapshots(arm: Arm, stack: LabStack, began: float, taken: list[Snapshot]) -> None:
    """Counts at the beginning of each segment."""
    if not arm.is_app:
        return
    for segment in arm.scenario.segments:
        begins = began + segment.begins
        await asyncio.sleep(max(0.0, begins - SNAPSHOT_SECONDS - time.time()))
        taken.append(await asyncio.to_thread(stack.snapshot, segment.name, begins))


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
