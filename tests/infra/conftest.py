"""Stand-ins for the Azure CLI and azd: real executables on the path that note what they are asked."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

AZD = """#!/bin/sh
echo "$*" >> '{folder}/azd.log'
"""
AZ = """#!/bin/sh
echo "$*" >> '{folder}/az.log'
case "$*" in
  *'usage list'*) cat '{folder}/usages.json' ;;
  *) echo "ERROR: not expected: $*" >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Tools:
    """Where the stand-ins keep what they were asked and what they answer."""

    folder: Path

    def install(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(script.format(folder=self.folder))
        path.chmod(0o755)

    def asked(self, name: str) -> list[str]:
        log = self.folder / f"{name}.log"
        return log.read_text().splitlines() if log.exists() else []

    def quota(self, **limits: tuple[int, int]) -> None:
        """What the CLI says of quotas: limit and use of each, by name with `__` for dots."""
        entries = [
            {"name": {"value": name.replace("__", ".").replace("_", "-")}, "limit": limit, "currentValue": used}
            for name, (limit, used) in limits.items()
        ]
        (self.folder / "usages.json").write_text(json.dumps(entries))


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = Tools(tmp_path)
    tools.install("azd", AZD)
    tools.install("az", AZ)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return tools


@pytest.fixture
def no_pause() -> Callable[[float], None]:
    def pause(seconds: float) -> Any:
        assert seconds > 0

    return pause
