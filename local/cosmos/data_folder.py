"""The folder with the data: a given one, locked against a second process, or one that is gone at the end."""

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def data_folder(given: Path | None) -> Iterator[Path]:
    """A folder for this process alone.

    Args:
        given: Where to keep the data, or None for a temporary folder.

    Raises:
        ValueError: Another process uses the folder, or it cannot be made.
    """
    if given is None:
        with tempfile.TemporaryDirectory(prefix="local-cosmos-") as folder:
            yield Path(folder)
        return
    try:
        given.mkdir(parents=True, exist_ok=True)
        lock = (given / "lock").open("w")
    except OSError as error:
        raise ValueError(f"Cannot keep data in {given}: {error.strerror}.") from error
    with lock:
        try:
            # The system lets go of the lock when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"Another process already serves the data in {given}.") from error
        yield given
