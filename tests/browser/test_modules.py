"""The page's sources: types hold, and they are formatted in one way."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.double import WEB

pytestmark = pytest.mark.javascript
HERE = Path(__file__).resolve().parent


def run(node_modules: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs one of the pinned tools."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    command = [str(node_modules / ".bin" / tool), *arguments]
    return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, timeout=60)


def test_the_page_fetches_every_module_at_once() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")

    named = sorted(re.findall(r'(?:modulepreload" href|src)="/api/js/([\w.]+)"', page))

    assert named == sorted(path.name for path in (WEB / "js").iterdir())


def test_the_modules_are_typed(node_modules: Path) -> None:
    result = run(node_modules, "tsc", "--project", "tsconfig.json")

    assert result.returncode == 0, result.stdout


def test_the_files_are_formatted(node_modules: Path) -> None:
    result = run(node_modules, "prettier", "--config", ".prettierrc.json", "--check", str(WEB))

    assert result.returncode == 0, result.stdout + result.stderr
