"""What is deployed is pinned, and the lock says the same with hashes."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.infra.rules.project import ROOT

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*(.+?))?\s*\\?$", re.MULTILINE)


def name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def pins(path: Path) -> dict[str, str]:
    """Versions by name, as they are on the deployed Python."""
    found = PIN.findall(path.read_text(encoding="utf-8"))
    return {name(package): version for package, version, marker in found if "<" not in marker}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-local.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned(file: str) -> None:
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        assert not line or line.startswith(("#", "-r ")) or PIN.match(line)


def test_the_lock_has_every_pin_of_the_deployed_app() -> None:
    assert pins(ROOT / "requirements.txt").items() <= pins(ROOT / "requirements.lock").items()


def test_everything_in_the_lock_has_hashes_and_nothing_says_where_it_comes_from() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert len(entries) == len(pins(ROOT / "requirements.lock"))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "--index" not in text


def test_azure_installs_requirements_txt_and_the_lock_is_not_in_the_package() -> None:
    assert "requirements.lock" in (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("said", "code", "expected", "audited"),
    [
        ("No known vulnerabilities found", 0, 0, True),
        ("Found 2 known vulnerabilities in 1 package", 1, 1, True),
        ("ERROR: Dependency not found on PyPI and could not be audited: a (1.0)", 1, 75, False),
        ("ERROR: Could not connect to PyPI's vulnerability feed", 1, 75, False),
        ("", 127, 75, False),
    ],
)
def test_an_audit_that_could_not_ask_fails_and_says_that_nothing_is_known(
    tmp_path: Path, said: str, code: int, expected: int, audited: bool
) -> None:
    tool = tmp_path / "bin" / "pip-audit"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho {shlex.quote(said)} >&2\nexit {code}\n")
    tool.chmod(0o755)
    done = subprocess.run(
        ["bash", str(ROOT / "infra" / "audit.sh"), str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == expected
    assert ("NOT AUDITED" in done.stderr) == (not audited)
    assert said in done.stderr
