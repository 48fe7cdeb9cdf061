"""The official JavaScript SDK. It is stricter about messages than the Python SDK is."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.servicebus.conftest import QueueNames, connection_string
from tests.processes import Service

FOLDER = Path(__file__).parent / "js"
SCENARIOS = {
    "send_and_complete": "plain",
    "batch": "plain",
    "abandon_counts": "plain",
    "dead_letter": "plain",
    "defer": "plain",
    "schedule_and_cancel": "plain",
    "renew_lock": "plain",
    "session_with_state": "sessions",
    "no_session_available": "sessions",
    "subscribe": "plain",
    "large_message": "plain",
    "missing_queue": "plain",
}

pytestmark = pytest.mark.javascript


@pytest.fixture(scope="module")
def results(service: Service, fresh_queue: QueueNames) -> dict[str, str]:
    """Outcome of every scenario: "passed", or the error it ended with."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js and npm are needed for the JavaScript SDK; they were not found on PATH")
    if not (FOLDER / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, capture_output=True, timeout=110)
    queues = {name: fresh_queue(kind) for name, kind in SCENARIOS.items()}
    command = [node, "scenarios.mjs", connection_string(service.port), json.dumps(queues)]
    finished = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    outcome: dict[str, str] = json.loads(finished.stdout.splitlines()[-1])
    return outcome


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_javascript_client_passes(scenario: str, results: dict[str, str]) -> None:
    assert results[scenario] == "passed"
