"""What the host's contract tests share: starting it, a broker, and reading what sample apps have written down."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Service, start

APPS = Path(__file__).parent / "apps"


@dataclass(frozen=True)
class Records:
    """The lines that a sample app has written."""

    path: Path

    def all(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        # The last line may be half written.
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def where(self, **fields: Any) -> list[dict[str, Any]]:
        return [line for line in self.all() if all(line.get(name) == value for name, value in fields.items())]

    def wait(self, count: int = 1, seconds: float = 15, **fields: Any) -> list[dict[str, Any]]:
        """Waits until at least `count` lines have these fields."""
        return eventually(lambda: found if len(found := self.where(**fields)) >= count else None, seconds)


def eventually(probe: Callable[[], Any], seconds: float = 15) -> Any:
    """Asks until the answer is not None or False; real processes have no clock that a test could turn."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"nothing after {seconds} s")


Launch = Callable[..., Service]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts hosts that are stopped at the end of the test."""
    started: list[Service] = []

    def launch_host(app: str, *arguments: str, environment: dict[str, str] | None = None, **more: Any) -> Service:
        data = ("--data", str(tmp_path / "data"))
        service = start(
            "local.host",
            *("--app", str(APPS / app), "--port", "0", *data, *arguments),
            folder=tmp_path,
            environment=environment,
            name=f"host-{len(started)}",
            **more,
        )
        started.append(service)
        return service

    yield launch_host
    for service in started:
        service.stop()
