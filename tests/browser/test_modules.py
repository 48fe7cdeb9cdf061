"""The page's sources: types hold, and they are formatted in one way."""

import hashlib
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
    result = run(
        node_modules, "prettier", "--config", ".prettierrc.json", "--check", str(WEB), f"!{WEB}/console/vendor/**"
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_console_links_only_files_that_are_there() -> None:
    page = (WEB / "console" / "index.html").read_text(encoding="utf-8")

    named = re.findall(r'(?:href|src)="/api/([^"#]+)"', page)

    assert len(named) > 5
    assert [name for name in named if not (WEB / name).is_file()] == []


def test_the_chart_library_is_the_published_one() -> None:
    """The file of the npm package echarts 6.1.0, dist/echarts.common.min.js, unchanged, beside its licences."""
    vendor = WEB / "console" / "vendor"
    digest = hashlib.sha256((vendor / "echarts.js").read_bytes()).hexdigest()

    assert digest == "61f13280aba3161f77fc801bf5f9c786f55f10432153a0683fc5cc0700b013d5"
    assert "Apache License" in (vendor / "LICENSE").read_text(encoding="utf-8")
    assert "Apache ECharts" in (vendor / "NOTICE").read_text(encoding="utf-8")
