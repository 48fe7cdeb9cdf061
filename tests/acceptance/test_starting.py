"""A missing or wrong setting stops the app at once and names itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.unit.samples import ENVIRONMENT


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"COSMOS_ENDPOINT": ""}, ["COSMOS_ENDPOINT is missing"]),
        ({"SPILLWAY_DEPLOYMENTS": "[", "SPILLWAY_MAX_RUNS": "many"}, ["SPILLWAY_DEPLOYMENTS", "SPILLWAY_MAX_RUNS"]),
    ],
)
def test_the_app_says_which_setting_it_wants_and_does_not_start(
    tmp_path: Path, change: dict[str, str], names: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.host", "--app", ".", "--port", "0", "--data", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **change},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    for name in names:
        assert name in done.stdout + done.stderr
