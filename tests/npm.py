"""Node.js and the pinned npm packages of a folder, for tests that run what is written in JavaScript."""

import shutil
import subprocess
from pathlib import Path

import pytest


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
