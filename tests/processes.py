"""Starts real processes for tests: port 0, a ready file, and an end that is sure."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Service:
    """One started process and what it said when it became ready."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    log: Path

    @property
    def port(self) -> int:
        return int(self.ready["port"])

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    def kill(self) -> None:
        """kill -9, and wait until the process is gone."""
        self.process.kill()
        self.process.wait(10)

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM, as the platform does it; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return int(self.process.returncode)


def start(
    module: str,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = 90,
    name: str | None = None,
    python: Sequence[str] = (sys.executable, "-m"),
) -> Service:
    """Starts `python -m module arguments`, waits for its ready file and returns the running service.

    Args:
        module: Module to run.
        arguments: Command line; `--ready-file` is added here, `--port 0` is for the caller to give.
        folder: Where the ready file and the log go.
        environment: Variables on top of this process's own.
        seconds: How long it may take until it is ready.
        name: File name stem for the ready file and the log.
        python: How to run a module.

    Raises:
        RuntimeError: The process ended or did not become ready; its log is in the message.
    """
    stem = name or module.replace(".", "-")
    ready_file, log = folder / f"{stem}.ready.json", folder / f"{stem}.log"
    ready_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*python, module, *arguments, "--ready-file", str(ready_file)],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    until = time.monotonic() + seconds
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            process.wait(10)
            raise RuntimeError(f"{module} did not become ready:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.02)
    return Service(process, json.loads(ready_file.read_text(encoding="utf-8")), log)


@contextlib.contextmanager
def running(module: str, *arguments: str, folder: Path, **options: Any) -> Iterator[Service]:
    """`start`, and a stop at the end whatever happens."""
    service = start(module, *arguments, folder=folder, **options)
    try:
        yield service
    finally:
        service.stop()
