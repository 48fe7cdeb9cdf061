"""The processes of a local run: started, waited for, stopped."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.wire import LOOPBACK

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
STOP_SECONDS = 15.0


class RunFailed(Exception):
    """The local run cannot go on; the message says why and where to look."""


@dataclass
class Stack:
    """The processes, in the order in which they were started."""

    folder: Path
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(
        self, name: str, module: str, *arguments: str, environment: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Starts a service and returns what it says once it is ready.

        Raises:
            RunFailed: It ended or did not become ready; the message has the end of its log.
        """
        ready_file, log = self.folder / f"{name}.ready.json", self.folder / f"{name}.log"
        ready_file.unlink(missing_ok=True)
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, *arguments, "--ready-file", str(ready_file)),
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[name] = process
        until = time.monotonic() + READY_SECONDS
        while not ready_file.exists():
            if process.returncode is not None or time.monotonic() > until:
                end = log.read_text(errors="replace")[-2000:]
                raise RunFailed(f"{name} did not start. The end of {log}:\n{end}")
            await asyncio.sleep(0.02)
        ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
        return ready

    async def start_all(self, **services: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """Starts services side by side, each a module and its arguments; what each says once it is ready.

        Raises:
            RunFailed: One did not start. The others are up, or have failed as well, by then.
        """
        ready = await asyncio.gather(
            *(self.start(name, *command) for name, command in services.items()), return_exceptions=True
        )
        said: dict[str, dict[str, Any]] = {}
        for name, outcome in zip(services, ready, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            said[name] = outcome
        return said

    async def stop(self) -> None:
        """Stops the app first, so that it can hand back what it holds, then the services it talks to."""
        if not self.processes:
            return
        *services, app = self.processes.values()
        await _end(app)
        await asyncio.gather(*(_end(process) for process in services))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def port(wanted: int) -> int:
    """The usual port when it is free, else any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            print(f"Port {wanted} is taken, using another one.", flush=True)
            return 0
    return wanted
