"""Lets the soak move the wall clock of one process. Python imports this file first when its folder is on PYTHONPATH.

Each process looks for a file of its own, named by its process id, in the folder SPILLWAY_SOAK_CLOCKS: how many seconds
its clock is set forward. From then on `time.time`, `datetime.now` and their like give that time, in Python code and in
libraries that use these. Monotonic time, the system's clock and code that asks the kernel itself are left alone.
"""

import os
import threading
import time
from pathlib import Path

POLL_SECONDS = 0.2


def _watch(order: Path) -> None:
    # At once and not with the first jump: its 10 MiB would look like a leak.
    import time_machine  # noqa: PLC0415  only in the processes of a soak

    shown, traveller = 0.0, None
    while True:
        time.sleep(POLL_SECONDS)
        try:
            wanted = float(order.read_text())
        except (FileNotFoundError, ValueError):
            continue
        if wanted == shown:
            continue
        if traveller is None:
            traveller = time_machine.travel(time.time() + wanted, tick=True).start()
        else:
            traveller.move_to(time_machine.escape_hatch.time.time() + wanted)
        shown = wanted


if folder := os.environ.get("SPILLWAY_SOAK_CLOCKS"):
    threading.Thread(target=_watch, args=(Path(folder) / str(os.getpid()),), daemon=True, name="soak-clock").start()
