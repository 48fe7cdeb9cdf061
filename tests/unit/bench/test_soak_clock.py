"""The soak moves the wall clock of one process and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

from bench.soak.stack import CLOCK

SCRIPT = """
import datetime, sys, time
wall, measured = time.time, time.monotonic
before = wall() - measured()
print("ready", flush=True)
sys.stdin.readline()
until = measured() + 30
while abs(wall() - measured() - before) < 50 and measured() < until:
    time.sleep(0.01)
print(round(wall() - measured() - before), round(datetime.datetime.now().timestamp() - wall()), flush=True)
sys.stdin.readline()
while abs(wall() - measured() - before) > 5 and measured() < until:
    time.sleep(0.01)
print(round(wall() - measured() - before), flush=True)
"""


def test_the_clock_of_one_process_jumps_and_comes_back_and_monotonic_time_goes_on(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, (str(CLOCK), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "SPILLWAY_SOAK_CLOCKS": str(tmp_path)}
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = [process.stdout.readline().strip()]
        for offset in ("-60", "0"):
            (tmp_path / str(process.pid)).write_text(offset)
            process.stdin.write("\n")
            process.stdin.flush()
            said.append(process.stdout.readline().strip())

    assert said == ["ready", "-60 0", "0"]
