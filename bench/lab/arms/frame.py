"""What all arms share: the schedule played open-loop, and the little protocol with the runner.

An arm is started with the path of its orders (JSON). It loads what it needs, prints `ready`, reads the start time from
standard input (seconds since 1970), plays the schedule and writes its records. Only the standard library is used here,
because rivals run in an environment of their own.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.lab import record, schedule
from bench.lab.record import Record
from bench.lab.schedule import Planned


@dataclass(frozen=True, slots=True)
class Orders:
    """What the runner wants.

    Attributes:
        url: Base address: of the app for `spillway`, of the simulator for the others.
        keys: API key of each tenant.
        deployments: Name, account, tokens and requests a minute of each.
        retries: How often a refused caller comes back.
        stop_seconds: After the start, when everything that is still open is given up.
    """

    schedule: str
    records: str
    url: str
    keys: dict[str, str]
    deployments: list[dict[str, Any]]
    model: str
    model_key: str
    system_prompt: str
    max_output_tokens: int
    retries: int
    patience_seconds: float
    stop_seconds: float
    seed: int


Ask = Callable[[Planned, Record], Awaitable[None]]
Opened = Callable[[Orders], Awaitable[tuple[Ask, Callable[[], Awaitable[None]]]]]


def main(opened: Opened) -> None:
    """Runs an arm; `opened` gives its way to ask one question, and how to close it."""
    orders = Orders(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    asyncio.run(_run(orders, opened))


async def _run(orders: Orders, opened: Opened) -> None:
    planned = schedule.read(Path(orders.schedule))
    records = [Record(entry.number) for entry in planned]
    ask, close = await opened(orders)
    print("ready", flush=True)
    # Nobody reads on: what a library prints from here must not fill the pipe.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    start = float((await asyncio.to_thread(sys.stdin.readline)).strip())
    try:
        await play(planned, records, ask, start=start, orders=orders)
    finally:
        record.write(Path(orders.records), records)
        await close()


async def play(planned: list[Planned], records: list[Record], ask: Ask, *, start: float, orders: Orders) -> None:
    """Asks every question at its intended moment, whatever became of those before it."""
    tasks = [
        asyncio.create_task(_at(start + entry.at, entry, made, ask, orders.patience_seconds))
        for entry, made in zip(planned, records, strict=True)
    ]
    _, late = await asyncio.wait(tasks, timeout=max(0.0, start + orders.stop_seconds - time.time()))
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _at(moment: float, planned: Planned, made: Record, ask: Ask, patience_seconds: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.time()))
    try:
        async with asyncio.timeout(patience_seconds):
            await ask(planned, made)
    except TimeoutError:
        made.outcome = "gave_up"
    except asyncio.CancelledError:
        made.outcome = "stopped"
        raise
    except Exception as fault:  # noqa: BLE001  whatever a client library raises is this turn's outcome
        made.outcome = type(fault).__name__
    finally:
        if made.ended_at is None:
            made.ended_at = time.time()


def messages(orders: Orders, planned: Planned) -> list[dict[str, str]]:
    """The prompt that a caller without Spillway sends."""
    return [{"role": "system", "content": orders.system_prompt}, {"role": "user", "content": planned.text}]
