"""The data folder of a local run: one run at a time, and who that is."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path


class FolderInUse(Exception):
    """Another run uses the data folder; the message says where it is and what to do."""


@contextlib.contextmanager
def kept_alone(folder: Path) -> Iterator["Claim"]:
    """Makes the data folder and keeps others out of it until the end, even if this process is killed.

    Raises:
        FolderInUse: Another run has it.
    """
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    path = folder / "run.json"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise FolderInUse(_who(file.read(), folder)) from None
        claim = Claim(path)
        claim.says(url=None)
        yield claim


class Claim:
    """What the run that has the folder says of itself to others."""

    def __init__(self, path: Path) -> None:
        """The claim at a path that this process has locked."""
        self._path = path

    def says(self, *, url: str | None) -> None:
        """Writes this process and, once it is known, the address of the app. The file stays: it carries the lock."""
        self._path.write_text(json.dumps({"pid": os.getpid(), "url": url}), encoding="utf-8")


def _who(text: str, folder: Path) -> str:
    try:
        run = json.loads(text)
        where = f"process {run['pid']}" + (f", at {run['url']}" if run["url"] else ", which is starting")
    except (ValueError, KeyError):
        where = "a process that has just begun"
    return (
        f"Spillway is already running with the data in {folder} ({where}).\n"
        'Use that one, stop it with Ctrl-C, or start one with other data: make run ARGS="--data FOLDER"'
    )
