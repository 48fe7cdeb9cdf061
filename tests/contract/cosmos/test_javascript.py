"""The JavaScript SDK, whose queries are merged by other code than the Python SDK's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.cosmos.raw import KEY
from tests.processes import Service

FOLDER = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def node() -> str:
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("Node.js and npm are not installed")
    if not (FOLDER / "node_modules" / "@azure" / "cosmos").exists():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, capture_output=True, timeout=110)
    return found


@pytest.mark.javascript
def test_the_javascript_sdk_works_unmodified(account: Service, node: str) -> None:
    done = subprocess.run(
        [node, "basics.mjs", account.url, KEY], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
