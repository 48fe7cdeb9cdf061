"""Carries the faults out, one after the other, and notes what really happened."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.soak import processes
from bench.soak.plan import Fault
from bench.soak.stack import SoakStack

START_AGAIN_SECONDS = 100.0
BACK_SECONDS = 20.0
POLL_SECONDS = 0.05


class Faults:
    """Plays a plan on a stack.

    Attributes:
        log: One entry a fault: what was planned, when it began and ended, and what became of it.
    """

    def __init__(self, stack: SoakStack, began: float) -> None:
        self._stack, self._began = stack, began
        self.log: list[dict[str, Any]] = []
        self._clocks: set[asyncio.Task[None]] = set()

    async def play(self, plan: list[Fault]) -> None:
        """All faults; returns when the last one is over and all clocks are right."""
        for fault in plan:
            await asyncio.sleep(max(0.0, self._began + fault.at - time.time()))
            await self._strike(fault)
        await asyncio.gather(*self._clocks)

    async def _strike(self, fault: Fault) -> None:
        actions: dict[str, Callable[[Fault], Awaitable[str]]] = {
            "kill": self._kill,
            "kill_host": self._kill_part,
            "kill_service": self._kill_part,
            "restart": self._restart,
            "stall": self._stall,
            "disk_full": self._disk_full,
            "clock_jump": self._clock_jump,
        }
        begins = time.time()
        told = await actions[fault.kind](fault)
        ends = time.time()
        entry = {**fault.as_dict(), "began": round(begins - self._began, 1), "lasted": round(ends - begins, 2)}
        self.log.append({**entry, "told": told})
        print(f"  {entry['began']:7.1f} s  {fault.kind} {fault.part}: {told}", flush=True)

    async def _pid(self, part: str) -> int | None:
        """The process of a part; waits for one that is just being started."""
        until = time.monotonic() + BACK_SECONDS
        while time.monotonic() < until:
            if (pid := (await asyncio.to_thread(self._stack.pids)).get(part)) is not None:
                return pid
            await asyncio.sleep(POLL_SECONDS)
        return None

    async def _kill(self, fault: Fault) -> str:
        """`kill -9` of an instance; the supervisor starts another."""
        if (pid := await self._pid(fault.part)) is None:
            return "was not there"
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return "killed"

    async def _kill_part(self, fault: Fault) -> str:
        """`kill -9` of a service or of the app's supervisor, and a new start after a while."""
        await asyncio.to_thread(self._stack.parts[fault.part].kill)
        await asyncio.sleep(fault.seconds)
        await self._start(fault.part)
        return "killed and started again"

    async def _restart(self, fault: Fault) -> str:
        """An orderly stop and start."""
        code = await asyncio.to_thread(self._stack.parts[fault.part].stop)
        await asyncio.sleep(fault.seconds)
        await self._start(fault.part)
        return f"ended with {code} and started again"

    async def _start(self, part: str) -> None:
        async with asyncio.timeout(START_AGAIN_SECONDS):
            await asyncio.to_thread(getattr(self._stack, f"start_{part}"))

    async def _stall(self, fault: Fault) -> str:
        """SIGSTOP, and SIGCONT after a while: a machine that stands still, with all its connections open."""
        if (pid := await self._pid(fault.part)) is None:
            return "was not there"
        with contextlib.suppress(ProcessLookupError):
            try:
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
            finally:
                os.kill(pid, signal.SIGCONT)
        return "went on"

    async def _disk_full(self, fault: Fault) -> str:
        """Nothing can be written for a while; a service that ends for that is started again when there is room."""
        service = self._stack.parts[fault.part]
        processes.take_disk(service.process.pid)
        await asyncio.sleep(fault.seconds)
        if service.process.poll() is None:
            processes.give_disk(service.process.pid)
            return "went on"
        await self._start(fault.part)
        return f"ended with {service.process.returncode} and was started again"

    async def _clock_jump(self, fault: Fault) -> str:
        """The wall clock of one process jumps, and back after a while; other faults go on meanwhile."""
        if (pid := await self._pid(fault.part)) is None:
            return "was not there"
        self._stack.set_clock(pid, fault.offset_seconds)
        task = asyncio.create_task(self._clock_back(pid, fault.seconds))
        self._clocks.add(task)
        task.add_done_callback(self._clocks.discard)
        return f"{fault.offset_seconds:+.0f} s for {fault.seconds:.0f} s"

    async def _clock_back(self, pid: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._stack.set_clock(pid, 0.0)
