"""One instance as a child process of the supervisor: started, found ready, started again when it ends."""

import asyncio
import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.host.errors import HostError
from local.host.process.plan import Planned

_logger = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
# An instance that has run so long is forgiven its earlier ends.
_STEADY_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class Child:
    """A planned instance and its process.

    Attributes:
        planned: What it runs.
        arguments: Command line after `python -m local.host`, without the ready file.
        folder: For its ready file.
        restart: Start it again when it ends unasked.
        on_ready: Called each time it has become ready.
        details: What it said when it became ready last.
    """

    planned: Planned
    arguments: Sequence[str]
    folder: Path
    restart: bool
    on_ready: Callable[[], None]
    details: dict[str, Any] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Starts the process and waits until it is ready.

        Raises:
            HostError: It ended before; it has said why on its own.
        """
        ready_file = self.folder / f"{self.planned.label}.json"
        ready_file.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local.host", *self.arguments),
            *(() if self.planned.functions is None else ("--functions", ",".join(self.planned.functions))),
            *("--label", self.planned.label, "--ready-file", str(ready_file), "--parent", str(os.getpid())),
            env={**os.environ, "WEBSITE_INSTANCE_ID": uuid.uuid4().hex},
        )
        while not ready_file.exists():
            if self._process.returncode is not None:
                raise HostError(f"Instance {self.planned.label} ended with code {self._process.returncode}.")
            await asyncio.sleep(_POLL_SECONDS)
        said = json.loads(ready_file.read_text(encoding="utf-8"))
        self.details = {"group": self.planned.group, **said["instances"][0]}
        self.on_ready()

    async def watch(self) -> None:
        """Starts the process again whenever it ends, more slowly each time, until `stop` is called."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set() and self._process is not None:
            started = time.monotonic()
            code = await self._process.wait()
            if self._stopping.is_set():
                return
            if not self.restart:
                _logger.error("Instance %s ended with code %s.", self.planned.label, code)
                return
            if time.monotonic() - started > _STEADY_SECONDS:
                pause_seconds = _FIRST_PAUSE_SECONDS
            _logger.error(
                "Instance %s ended with code %s; it is started again in %g s.", self.planned.label, code, pause_seconds
            )
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
            if not self._stopping.is_set():
                await self._start_again()

    async def _start_again(self) -> None:
        try:
            await self.start()
        except HostError as error:
            _logger.error("%s", error)  # noqa: TRY400  the instance has told its own story

    async def stop(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL when it takes longer than `seconds`."""
        self._stopping.set()
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            _logger.error("Instance %s does not stop and is killed.", self.planned.label)  # noqa: TRY400  no bug
            self._process.kill()
            await self._process.wait()
