import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.contract.host.conftest import APPS, Launch
from tests.processes import ROOT


def run_host(
    app: Path | str, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the host until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "local.host", "--app", str(APPS / app), "--port", "0", *arguments],
        cwd=ROOT, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_an_app_that_cannot_be_imported_shows_its_own_traceback() -> None:
    result = run_host("broken")
    assert result.returncode == 1
    script = APPS / "broken" / "function_app.py"
    assert result.stderr.startswith(
        f'{script} cannot be imported:\nTraceback (most recent call last):\n  File "{script}"'
    )
    assert result.stderr.endswith("KeyError: 'SETTING_THAT_IS_MISSING'\n\n")
    assert "importlib" not in result.stderr


def test_an_app_that_takes_too_long_to_index_is_told_where_it_was() -> None:
    code = (
        "import pathlib, sys; from local.host.app import loader; from local.host.errors import HostError\n"
        "try: loader.load(pathlib.Path(sys.argv[1]), seconds=0.5)\n"
        "except HostError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(APPS / "slow")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=15,
        check=True,
    )
    assert "was not indexed within 0.5 s, which is as long as Azure allows." in result.stdout
    assert "time.sleep(20)" in result.stdout


def test_classic_types_beside_the_extension_are_refused() -> None:
    result = run_host("mixed")
    assert result.returncode == 1
    assert 'Function "old": the type of "req" in the httpTrigger binding does not match' in result.stderr


def test_a_mistake_on_the_command_line_is_told_without_a_traceback() -> None:
    result = run_host("http_classic", "--functions", "classic,nothing")
    assert result.returncode == 1
    assert result.stderr == "--functions: the app has no function nothing.\n"


def test_what_this_host_lacks_is_refused_with_function_and_trigger() -> None:
    result = run_host("unsupported")
    assert result.returncode == 1
    assert 'Function "on_storage": the trigger type "queueTrigger" is not supported by this host.' in result.stderr


def test_what_this_host_lacks_can_be_left_out(launch: Launch) -> None:
    service = launch("unsupported", "--ignore-unsupported")
    assert service.ready["instances"][0]["functions"] == ["fine"]
    assert httpx2.get(f"{service.url}/api/fine").text == "fine"
    log = service.log.read_text()
    assert 'Function "send": the binding "out" of type "serviceBus" is not supported. It is left out.' in log
    assert 'Function "again": retry policies are not supported (timerTrigger). It is left out.' in log


def test_settings_come_from_the_file_unless_the_environment_has_them(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import os\nimport azure.functions as func\napp = func.FunctionApp()\n"
        "print(os.environ['FROM_FILE'], os.environ['FROM_BOTH'])\n"
    )
    settings = tmp_path / "local.settings.json"
    settings.write_text(json.dumps({"IsEncrypted": False, "Values": {"FROM_FILE": "file", "FROM_BOTH": "file"}}))
    result = run_host(tmp_path, "--settings", str(settings), "--list", environment={"FROM_BOTH": "environment"})
    assert result.stdout.splitlines()[0] == "file environment"


def test_installed_modules_come_before_those_of_the_app(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "httpx2.py").write_text("raise RuntimeError('the app's own')")
    (tmp_path / "beside.py").write_text("VALUE = 1")
    (tmp_path / "function_app.py").write_text(
        "import sys\nimport azure.functions as func\nimport beside, httpx2\n"
        "app = func.FunctionApp()\nprint(sys.path[-1])\n"
    )
    result = run_host(tmp_path, "--list")
    assert result.stdout.splitlines()[0] == str(tmp_path)
