"""The first thing a newcomer runs says in a sentence what is missing."""

import sys
from pathlib import Path

import pytest

from local import install


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, python: Path | None = None) -> object:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["install.py", ".venv", "requirements.txt"])
    if python is not None:
        monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(SystemExit) as end:
        install.main()
    return end.value.code


def test_an_old_python_is_named_with_the_way_to_choose_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    assert "needs Python 3.11 or later" in str(run(monkeypatch, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_python_without_venv_says_which_package_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = program(tmp_path / "python3", "echo ensurepip is not available; exit 1")
    said = str(run(monkeypatch, tmp_path, python))

    assert "ensurepip is not available" in said
    assert "apt install python3-venv" in said


def test_an_environment_that_was_left_half_made_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    half = program(tmp_path / ".venv" / "bin" / "python", "exit 1")
    whole = f"printf '#!/bin/sh\\nexit 0\\n' > '{half}'"
    python = program(tmp_path / "python3", whole)

    assert run(monkeypatch, tmp_path, python) == 0
    assert "exit 0" in half.read_text()


def test_a_failing_pip_is_quoted_and_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / ".venv" / "bin" / "python", '[ "$1" = -c ] && exit 0; echo No matching distribution; exit 1')

    assert run(monkeypatch, tmp_path) == 1
    said = capsys.readouterr().err
    assert "No matching distribution" in said
    assert "needs a network" in said
