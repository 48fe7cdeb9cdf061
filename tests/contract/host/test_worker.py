"""What this host finds in an app is what Microsoft's own Python worker finds in it."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.host.app import loader
from local.host.errors import HostError
from tests.contract.host.conftest import APPS
from tests.processes import ROOT

WORKER = "azure-functions-runtime==1.3.0"
CACHE = Path(sys.prefix) / "share" / "functions-worker"
ACCEPTED = ["http_streaming", "http_classic", "service_bus", "timers", "unsupported", str(ROOT)]
# The project's own app, and what it needs in its environment to be imported.
PROJECT = str(ROOT)
_MODEL = {"name": "local", "model": "gpt-4o-mini", "endpoint": "http://localhost:1"}
ENVIRONMENT = {
    PROJECT: {
        "COSMOS_ENDPOINT": "http://localhost:1",
        "COSMOS_KEY": "a2V5",
        "ServiceBusConnection": "Endpoint=sb://localhost:1;SharedAccessKeyName=a;SharedAccessKey=b;"
        "UseDevelopmentEmulator=true",
        "SPILLWAY_DEPLOYMENTS": json.dumps([_MODEL]),
        "SPILLWAY_OPENAI_KEY": "key",
    }
}


@pytest.fixture(scope="session")
def worker() -> Path:
    """The folder of the unpacked worker; downloaded once, unless it is installed, as on the deployed Python."""
    installed = importlib.util.find_spec("azure_functions_runtime")
    if installed is not None and installed.origin is not None:
        return Path(installed.origin).parent.parent
    folder = CACHE / WORKER.replace("==", "-")
    if not folder.is_dir():
        options = ["--no-deps", "--python-version", "3.13", "--only-binary=:all:", "--quiet", "--dest", str(CACHE)]
        command = [sys.executable, "-m", "pip", "download", *options, WORKER]
        result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if result.returncode != 0:
            pytest.skip(f"{WORKER} cannot be downloaded: {result.stderr.strip()[-300:]}")
        (wheel,) = CACHE.glob("azure_functions_runtime-1.3.0-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def run(app: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **ENVIRONMENT.get(app, {})}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def index_with_worker(worker: Path, app: str) -> subprocess.CompletedProcess[str]:
    return run(app, str(Path(__file__).with_name("worker_index.py")), str(worker), str(APPS / app))


@pytest.mark.parametrize("app", ACCEPTED)
def test_the_worker_finds_the_same_functions_and_bindings(worker: Path, app: str) -> None:
    ours = run(app, "-m", "local.host", "--app", str(APPS / app), "--list", "--ignore-unsupported")
    theirs = index_with_worker(worker, app)
    assert theirs.returncode == 0, theirs.stderr
    expected = json.loads(theirs.stdout.splitlines()[-1])
    if app == "unsupported":
        expected = [function for function in expected if function["name"] == "fine"]
    actual = json.loads(ours.stdout.splitlines()[-1])
    assert expected == [{"name": one["name"], "bindings": one["bindings"]} for one in actual]


def test_the_worker_refuses_classic_types_beside_the_extension_too(worker: Path) -> None:
    theirs = index_with_worker(worker, "mixed")
    assert theirs.returncode == 1
    assert "cannot load the old function" in theirs.stderr


SIGNATURES = [
    "messages: List[func.ServiceBusMessage]",
    "messages: list[func.ServiceBusMessage]",
    "messages: func.ServiceBusMessage",
    "messages: str",
    "messages: bytes",
    "messages: dict",
    "messages",
    "messages: func.HttpRequest",
    "messages: func.ServiceBusMessage | None",
    "messages: func.ServiceBusMessage, context: func.Context",
    "messages: func.ServiceBusMessage, context: dict",
    "messages: func.ServiceBusMessage, other",
    "other: func.ServiceBusMessage",
]


def test_the_worker_judges_signatures_alike(worker: Path, tmp_path: Path) -> None:
    verdicts: dict[str, bool] = {}
    for number, signature in enumerate(SIGNATURES):
        (tmp_path / f"app_{number}.py").write_text(
            "from typing import List\nimport azure.functions as func\napp = func.FunctionApp()\n"
            "@app.service_bus_queue_trigger(arg_name='messages', queue_name='q', connection='c')\n"
            f"def f({signature}) -> None: ...\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "path", [*sys.path])
            patch.setenv("PYTHON_SCRIPT_FILE_NAME", f"app_{number}.py")
            try:
                loader.load(tmp_path)
            except HostError:
                verdicts[signature] = False
            else:
                verdicts[signature] = True
    theirs = run("", str(Path(__file__).with_name("worker_index.py")), str(worker), str(tmp_path), "--each")
    assert json.loads(theirs.stdout) == list(verdicts.values()), theirs.stderr
    assert 3 < sum(verdicts.values()) < len(SIGNATURES)
