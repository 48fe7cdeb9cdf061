"""The deployed package starts where nothing else is, and serves a streamed turn."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.acceptance.stack import USER, Stack, ask
from tests.processes import ROOT, Service, start

# Starts the local host outside the package. The folder of `local` is on the path, not the project, whose own `shared`
# and `functions` would be found instead of the package's; so is, last, where the host's own libraries are.
STARTER = """
import runpy, sys
sys.path[0:1] = [sys.argv.pop(1)]
sys.path.append(sys.argv.pop(1))
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
# What the host needs and the app does not have. Each is looked for in the environment of the tests.
HOST_LIBRARIES = ("uvloop", "httptools")


def libraries(folder: Path) -> Path:
    site = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    folder.mkdir()
    for name in HOST_LIBRARIES:
        (folder / name).symlink_to(site / name)
    return folder


def start_host(python: Path, app: Path, azure: Stack, folder: Path) -> Service:
    outside = folder / "outside"
    outside.mkdir()
    (outside / "local").symlink_to(ROOT / "local")
    starter = folder / "starter.py"
    starter.write_text(STARTER)
    return start(
        "local.host",
        *("--app", str(app), "--port", "0", "--data", str(folder / "data")),
        folder=folder,
        environment=azure.environment() | {"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder)},
        python=(str(python), str(starter), str(outside), str(libraries(folder / "libraries"))),
    )


def test_the_package_serves_a_streamed_turn_from_an_empty_directory(
    python: Path, unpacked: Path, azure: Stack, tmp_path: Path
) -> None:
    service = start_host(python, unpacked, azure, tmp_path)
    try:
        with httpx2.Client(base_url=service.url, headers={"x-functions-key": USER}, timeout=60) as client:
            answer = ask(client, "Hello", lane="standard")
            assert (answer.names[0], answer.names[-1]) == ("accepted", "done")
            assert answer.text
            assert client.get("/api/").status_code == 200
            assert client.get("/api/theme.css").status_code == 200
    finally:
        service.stop()


def test_the_package_needs_no_library_that_its_requirements_do_not_bring(
    python: Path, unpacked: Path, azure: Stack
) -> None:
    script = (
        "import pathlib, importlib, sys\n"
        "import function_app\n"
        "for path in pathlib.Path('.').rglob('*.py'):\n"
        "    importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))\n"
        "print(pathlib.Path(function_app.__file__).parent)"
    )
    environment = {"PATH": os.environ["PATH"], **azure.environment()}
    done = subprocess.run(
        [python, "-c", script], cwd=unpacked, env=environment, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == str(unpacked)
