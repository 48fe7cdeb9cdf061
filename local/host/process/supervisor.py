"""Runs an app as several instances, each a process of its own, and keeps them running."""

import asyncio
import contextlib
import json
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import wire
from local.host.errors import HostError
from local.host.process.child import Child
from local.host.process.plan import plan_copies, plan_groups

# Beyond the time to drain: for the interpreter to leave.
_GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """How to run several instances.

    Attributes:
        requests: Values of `--instances`.
        app_arguments: Command line that says which app this is and how to read it.
        run_arguments: Command line that the instances get besides.
        address: Address to listen on.
        port: Port of the app, 0 for a free one.
        restart: Start instances again that end.
        drain_seconds: How long an instance may take to stop.
        ready_file: Where to say that all instances are ready.
    """

    requests: Sequence[str]
    app_arguments: Sequence[str]
    run_arguments: Sequence[str]
    address: str
    port: int
    restart: bool
    drain_seconds: float
    ready_file: Path | None


async def run(options: SupervisorOptions) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        HostError: The app is not valid, or an instance did not become ready.
    """
    stop = wire.stop_event()
    planned = plan_copies(options.requests)
    if planned is None:
        planned = plan_groups(await _kinds(options.app_arguments), options.requests)
    with _reserved(options.address, options.port) as port, tempfile.TemporaryDirectory() as folder:
        fleet = _Fleet(options, port)
        arguments = (*options.app_arguments, *options.run_arguments)
        arguments += ("--host", options.address, "--port", str(port), "--share-port")
        fleet.children = [
            Child(one, arguments, Path(folder), restart=options.restart, on_ready=fleet.announce) for one in planned
        ]
        try:
            await fleet.start(stop)
            await fleet.keep(stop)
        finally:
            await asyncio.gather(*(child.stop(options.drain_seconds + _GRACE_SECONDS) for child in fleet.children))


class _Fleet:
    """All instances together."""

    def __init__(self, options: SupervisorOptions, port: int) -> None:
        self._options = options
        self._port = port
        self._complete = False
        self.children: list[Child] = []

    async def start(self, stop: asyncio.Event) -> None:
        """Starts all instances at once; returns when all are ready or when told to stop."""
        stopped = asyncio.create_task(stop.wait())
        starting = [asyncio.create_task(child.start()) for child in self.children]
        ready = asyncio.gather(*starting)
        try:
            either: set[asyncio.Future[Any]] = {stopped, ready}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
                self._complete = True
                self.announce()
        finally:
            for task in (stopped, *starting):
                task.cancel()
            await asyncio.gather(stopped, *starting, return_exceptions=True)

    async def keep(self, stop: asyncio.Event) -> None:
        """Keeps the instances running until told to stop."""
        watching = [asyncio.create_task(child.watch()) for child in self.children]
        try:
            await stop.wait()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    def announce(self) -> None:
        """Says where the instances are; again when one has been replaced."""
        if self._complete:
            wire.announce(
                "functions host",
                url=f"http://{self._options.address}:{self._port}",
                port=self._port,
                ready_file=self._options.ready_file,
                details={"instances": [child.details for child in self.children]},
            )


async def _kinds(app_arguments: Sequence[str]) -> Mapping[str, str]:
    """Trigger types by function name, found by a process of its own: importing an app has effects."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.host", *app_arguments, "--list"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise HostError("The app cannot be run, see above.")
    # The app may print while it is imported; the list is the last line.
    functions = json.loads(output.splitlines()[-1])
    return {function["name"]: function["kind"] for function in functions}


@contextlib.contextmanager
def _reserved(address: str, port: int) -> Iterator[int]:
    """Holds the port that the instances share, without listening on it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind((address, port))
        except OSError as error:
            raise HostError(f"Cannot listen on {address}:{port}: {error.strerror}. Choose another --port.") from error
        yield holder.getsockname()[1]
