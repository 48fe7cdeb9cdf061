"""Files behind the timers: the state of each, and the lease that lets one process only run it."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.host.timers.status import Status, from_json

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TimerStore:
    """State and lease of one timer.

    Attributes:
        folder: Holds `<function>.json` and `<function>.lease`.
        function: Name of the function.
    """

    folder: Path
    function: str

    def read(self) -> Status | None:
        """The remembered state; None when there is none or it is damaged, which is logged."""
        path = self.folder / f"{self.function}.json"
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            _logger.warning("The state of timer %s in %s is ignored: %s", self.function, path, error)
            return None

    def write(self, status: Status) -> None:
        """Remembers a state, at once or not at all."""
        partial = self.folder / f"{self.function}.json.partial"
        partial.write_text(json.dumps(status.as_json()), encoding="utf-8")
        partial.replace(self.folder / f"{self.function}.json")

    @contextlib.contextmanager
    def lease(self) -> Iterator[bool]:
        """Takes the lease for the length of the block if it is free; says whether it was.

        The operating system gives it back when the process ends, however that happens.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / f"{self.function}.lease", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def folder_of(data: Path, app: Path) -> Path:
    """The folder for the timers of one app; apps may share a data folder."""
    digest = hashlib.sha256(str(app).encode()).hexdigest()[:8]
    return data / "timers" / f"{app.name}-{digest}"
