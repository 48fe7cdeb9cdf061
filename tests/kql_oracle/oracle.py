"""Python client of the KQL oracle: one node process, one query per line."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_FOLDER = Path(__file__).resolve().parent
_INSTALL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding of the binder; `severity` is Error, Warning or Suggestion."""

    code: str
    severity: str
    message: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the binder says of one query.

    Attributes:
        diagnostics: All findings.
        columns: The result's columns as (name, KQL type), in order.
    """

    diagnostics: tuple[Diagnostic, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Findings that would make the real service refuse the query."""
        return tuple(found for found in self.diagnostics if found.severity == "Error")


def node_is_missing() -> str:
    """Why the oracle cannot run here; empty when it can."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    return f"{' and '.join(missing)} not found; install Node.js 20 or later" if missing else ""


class KqlOracle:
    """Parses and binds queries against a schema. Use as a context manager."""

    def __init__(self, schema: Mapping[str, Mapping[str, str]]) -> None:
        """Starts the oracle for these tables: table name -> column name -> KQL type.

        Raises:
            RuntimeError: The parser package cannot be installed or does not start.
        """
        _install()
        node = shutil.which("node") or "node"
        self._process = subprocess.Popen(
            [node, str(_FOLDER / "oracle.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._ask({table: dict(columns) for table, columns in schema.items()})

    def check(self, query: str) -> Verdict:
        """Parses and binds one query."""
        answer = self._ask({"query": query})
        return Verdict(
            tuple(Diagnostic(**found) for found in answer["diagnostics"]),
            tuple((name, kind) for name, kind in answer["columns"]),
        )

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"failure": "the node process ended"}
        if "failure" in answer:
            raise RuntimeError(f"the KQL oracle failed: {answer['failure']}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the node process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


def _install() -> None:
    if (_FOLDER / "node_modules" / "@kusto" / "language-service-next" / "bridge.min.js").exists():
        return
    npm = shutil.which("npm") or "npm"
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund"],
        cwd=_FOLDER,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed in {_FOLDER}:\n{done.stderr[-2000:]}")
