"""The threat model names tests that exist, for every threat."""

import ast
import re

from tests.infra.rules.project import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
THREATS = PAGE.partition("## Threats")[2].partition("\n## ")[0]
ROWS = [line for line in THREATS.splitlines() if line.startswith("| ")][2:]


def existing() -> set[str]:
    """Names of all tests, and of the rules that the infrastructure is held against."""
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests" / "infra" / "rules").glob("*.py")]
    return {
        node.name
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_threat_is_answered_by_a_test_that_exists() -> None:
    known = existing()
    for row in ROWS:
        named = re.findall(r"`([a-z_0-9]+)`", row.rsplit("|", 2)[1])
        assert named, f"no test is named for: {row}"
        assert set(named) <= known, f"{sorted(set(named) - known)} is not there"


def test_the_page_lists_the_threats() -> None:
    assert len(ROWS) >= 20
