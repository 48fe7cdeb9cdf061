"""The example changes of docs/extending.md still apply, touch at most three files, and do what the page says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATCHES = sorted((ROOT / "docs" / "extending").glob("*.patch"))
PARTS = ("docs", "functions", "infra", "local", "shared", "tests", "function_app.py", "pyproject.toml")
ALSO = {"lane": ["tests/test_contracts.py"]}
"""Tests of the tree itself that would find what the change forgot."""


def files_of(patch: Path) -> list[str]:
    return re.findall(r"^diff --git a/\S+ b/(\S+)$", patch.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree to change."""
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "images")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    return tmp_path


def run(tree: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_an_example_change_applies_and_does_what_it_says(tree: Path, patch: Path) -> None:
    run(tree, "git", "apply", str(patch))
    if patch.stem == "lane":
        run(tree, sys.executable, "-m", "infra.workbooks")
    checks = [f"tests/extending/check_{patch.stem.replace('-', '_')}.py", *ALSO.get(patch.stem, [])]
    run(tree, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *checks)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_an_example_change_touches_at_most_three_files_and_the_page_shows_it_whole(patch: Path) -> None:
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")

    assert 1 <= len(files_of(patch)) <= 3
    assert f"extending/{patch.name}" in page
    for file in files_of(patch):
        assert f"`{file}`" in page


def test_there_is_an_example_for_each_kind_of_change() -> None:
    assert [patch.stem for patch in PATCHES] == ["context-step", "evaluator", "lane", "model-provider"]
