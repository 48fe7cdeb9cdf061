"""What the kernel says of the soak's processes: memory, open files, the disk they may use."""

import resource
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PAGE_MIB = resource.getpagesize() / 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one moment.

    Attributes:
        at: Seconds after the start of the soak.
        part: `broker`, `store`, `model`, `app` (the supervisor) or the label of an instance.
        age_seconds: Since the process started.
        memory_mib: Resident, without what it shares with files.
        handles: Open file descriptors.
    """

    at: float
    part: str
    pid: int
    age_seconds: float
    memory_mib: float
    handles: int
    threads: int

    def as_list(self) -> list[Any]:
        """For the result file, in the order of the fields."""
        return list(asdict(self).values())


def look(at: float, part: str, pid: int, age_seconds: float) -> Sample | None:
    """A sample; None when the process has gone."""
    folder = Path("/proc") / str(pid)
    try:
        _, resident, shared, *_ = map(int, (folder / "statm").read_text().split())
        handles = sum(1 for _ in (folder / "fd").iterdir())
        threads = sum(1 for _ in (folder / "task").iterdir())
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    if not resident:
        return None  # it has ended and nobody has asked how
    memory = (resident - shared) * PAGE_MIB
    return Sample(round(at, 1), part, pid, round(age_seconds, 1), round(memory, 2), handles, threads)


def children(pid: int) -> list[int]:
    """Direct children of a process."""
    folders = (folder for folder in Path("/proc").iterdir() if folder.name.isdecimal())
    return sorted(int(folder.name) for folder in folders if _parent(folder) == pid)


def _parent(folder: Path) -> int | None:
    try:
        # The command's name is in brackets and may hold anything, also brackets.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def label_of(pid: int) -> str | None:
    """The `--label` that the supervisor gave an instance; None for another process."""
    try:
        arguments = (Path("/proc") / str(pid) / "cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return arguments[arguments.index("--label") + 1] if "--label" in arguments else None


def take_disk(pid: int) -> None:
    """From now on no file of the process takes another byte: every write fails, as on a full disk.

    The limit on the size of files does it, which needs no rights and no file system: writes fail with EFBIG where a
    full disk says ENOSPC. What is written over in memory-mapped files still is.
    """
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))


def give_disk(pid: int) -> None:
    """The disk has room again."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
