"""One soak: traffic and faults together, then quiet, then the referee."""

import asyncio
import os
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx2

from bench.lab import schedule
from bench.lab.record import Record
from bench.machine import machine
from bench.soak import plan, traffic
from bench.soak.callers import PATIENCE_SECONDS, Caller, Seen
from bench.soak.evidence import Evidence, gather
from bench.soak.faults import Faults
from bench.soak.processes import Sample
from bench.soak.referee import judge
from bench.soak.stack import SoakStack
from bench.soak.watch import Watch

SAMPLE_SECONDS = 10.0
DRAIN_SECONDS = 300.0
HEAD_START_SECONDS = 2.0


class SoakFailed(RuntimeError):
    """The soak itself could not go on; the message says why."""


def run(
    *, seconds: float, seed: int, rate_per_minute: float, fault_seconds: float, keep: Path | None
) -> dict[str, Any]:
    """A whole soak.

    Args:
        seconds: How long callers ask.
        seed: Of traffic and faults.
        rate_per_minute: Turns asked.
        fault_seconds: One fault in so many seconds.
        keep: Folder for logs; a temporary one when not given.

    Raises:
        SoakFailed: A process did not come back, or the run did not end in time.
    """
    questions, source = schedule.texts()
    visits = traffic.draw(seed, seconds, rate_per_minute, questions)
    faults = plan.draw(seed, seconds, every_seconds=fault_seconds)
    described = {
        "machine": machine(),
        "seed": seed,
        "minutes": round(seconds / 60, 2),
        "texts": source,
        "turns_per_minute": rate_per_minute,
        "turns": len(visits),
        "one_fault_in_seconds": fault_seconds,
        "faults_planned": len(faults),
    }
    with tempfile.TemporaryDirectory(prefix="spillway-soak-") as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        stack = SoakStack(folder)
        try:
            print(f"Starting; {len(visits)} turns and {len(faults)} faults in {seconds / 60:g} minutes.", flush=True)
            stack.start()
            evidence = asyncio.run(_soak(stack, visits, faults, seconds))
        finally:
            stack.stop()
        return {**described, **judge(evidence, left=stack.pids())}


async def _soak(stack: SoakStack, visits: list[traffic.Visit], faults: list[plan.Fault], seconds: float) -> Evidence:
    began = time.time() + HEAD_START_SECONDS
    seen = [Seen(Record(visit.planned.number)) for visit in visits]
    playing, samples, loads, watch = Faults(stack, began), list[Sample](), list[float](), Watch(stack)
    background = [
        asyncio.create_task(_sample(stack, began, samples, loads)),
        asyncio.create_task(watch.run()),
    ]
    try:
        async with asyncio.timeout(seconds + PATIENCE_SECONDS + DRAIN_SECONDS):
            await _together(_ask(stack.url, visits, seen, began), playing.play(faults), *map(_ended_early, background))
            drained = await _drain(stack)
    except TimeoutError as error:
        raise SoakFailed("The soak did not end in time.") from error
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
    samples += await asyncio.to_thread(stack.samples, time.time() - began)
    return await asyncio.to_thread(
        gather,
        stack,
        began=began,
        visits=visits,
        seen=seen,
        samples=samples,
        loads=loads,
        faults=playing.log,
        watch=watch,
        drained_after=drained,
    )


async def _together(work: Coroutine[Any, Any, None], faults: Coroutine[Any, Any, None], *guards: Any) -> None:
    """Traffic and faults to their ends; the first error of anything ends it all."""
    tasks = [asyncio.create_task(work), asyncio.create_task(faults)]
    watching = [asyncio.create_task(guard) for guard in guards]
    waiting = {*tasks, *watching}
    try:
        while not all(task.done() for task in tasks):
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (*tasks, *watching):
            task.cancel()
        await asyncio.gather(*tasks, *watching, return_exceptions=True)


async def _ended_early(task: asyncio.Task[None]) -> None:
    """Raises what ended a task of the background."""
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


async def _ask(url: str, visits: list[traffic.Visit], seen: list[Seen], began: float) -> None:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    # A process that stands still says nothing; callers must notice it themselves.
    timeout = httpx2.Timeout(30.0, connect=5.0)
    async with httpx2.AsyncClient(base_url=url, timeout=timeout, limits=limits) as client, asyncio.TaskGroup() as group:
        for visit, noted in zip(visits, seen, strict=True):
            await asyncio.sleep(max(0.0, began + visit.planned.at - time.time()))
            group.create_task(Caller(client, visit, noted).go())


async def _sample(stack: SoakStack, began: float, samples: list[Sample], loads: list[float]) -> None:
    while True:
        loads.append(os.getloadavg()[0])
        samples += await asyncio.to_thread(stack.samples, time.time() - began)
        await asyncio.sleep(SAMPLE_SECONDS)


async def _drain(stack: SoakStack) -> float | None:
    """Waits until no turn is open and no message waits; seconds it took, None when it did not come to that."""
    begins = time.monotonic()
    while time.monotonic() - begins < DRAIN_SECONDS:
        if await asyncio.to_thread(_quiet, stack):
            return round(time.monotonic() - begins, 1)
        await asyncio.sleep(2.0)
    return None


def _quiet(stack: SoakStack) -> bool:
    queues = stack.broker_account()
    waiting = sum(queue["messages"] for name, queue in queues.items() if "$" not in name and name != "replies")
    return not waiting and not stack.open_turns() and not stack.in_flight()
