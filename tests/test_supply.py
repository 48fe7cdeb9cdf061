"""What is deployed is pinned, and the lock says the same with hashes."""

import re
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
