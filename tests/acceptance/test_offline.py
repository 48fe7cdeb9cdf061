"""Nothing leaves loopback, not even an attempt."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

NAMESPACE = ("unshare", "--map-root-user", "--net")


def test_the_whole_stack_answers_without_a_single_attempt_to_leave_loopback(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode != 0:
        pytest.skip("network namespaces cannot be made here")
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "tests.acceptance.offline", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"ends": ["done", "done"], "attempts": 0}


def test_the_count_of_attempts_sees_one() -> None:
    """The proof can fail: a connection to an outside address is counted."""
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode != 0:
        pytest.skip("network namespaces cannot be made here")
    script = (
        "from tests.acceptance.offline import attempts_to_leave, loopback_up; import socket\n"
        "loopback_up(); before = attempts_to_leave(); s = socket.socket(); s.settimeout(1)\n"
        "print(s.connect_ex(('192.0.2.1', 9)), attempts_to_leave() - before)"
    )
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    status, counted = done.stdout.split()

    assert int(status) != 0
    assert int(counted) >= 1
