"""`make run` as its user meets it: ready, refused politely when it runs already, and gone with Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.processes import ROOT

PATIENCE_SECONDS = 60


class LocalRun:
    """`python -m local.run` at a terminal of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.text = ""
        self._terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.run", "--port", "0", "--data", str(data)],
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._terminal, 4096)
            except OSError:  # the other side is gone
                return
            self.text += piece.decode()

    def until(self, words: str) -> "LocalRun":
        limit = time.monotonic() + PATIENCE_SECONDS
        while words not in self.text:
            assert time.monotonic() < limit, self.text
            assert self.process.poll() is None or not self._reader.is_alive(), self.text
            self._reader.join(0.02)
            if not self._reader.is_alive():
                assert words in self.text, self.text
        return self

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return code

    def left_behind(self) -> list[str]:
        """Command lines of processes that still work for this run."""
        lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
        return [line for line in lines if str(self.data) in line]

    def address(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[LocalRun]:
    run = LocalRun(tmp_path / "a folder with spaces")
    yield run
    if run.process.poll() is None:
        run.interrupt()


def test_it_says_where_everything_is_refuses_a_second_run_and_stops_whole_with_ctrl_c(run: LocalRun) -> None:
    run.until("Ctrl-C stops everything")
    page = run.address("Chat page")
    key = page.partition("#key=")[2]
    url = page.partition("/api/")[0]

    reply = httpx2.post(
        f"{url}/api/chat", json={"message": "What does the RoboVac R1 cost?"}, headers={"x-functions-key": key}
    )
    assert "249 euros" in reply.json()["answer"]

    second = LocalRun(run.data)
    assert second.end() == 1
    assert f"already running with the data in {run.data}" in second.text.replace("\r\n", "\n")
    assert url in second.text
    assert "Traceback" not in second.text
    assert httpx2.get(f"{url}/api/health/live").status_code == 200
    assert run.left_behind() != []

    assert run.interrupt() == 0
    assert "Traceback" not in run.text
    assert run.left_behind() == []


def test_ctrl_c_while_it_starts_leaves_nothing_behind(run: LocalRun) -> None:
    run.until("Starting local Azure")

    assert run.interrupt() == 0
    assert "Stopping" in run.text
    assert "Traceback" not in run.text
    assert run.left_behind() == []


def test_a_part_that_cannot_start_is_named_with_the_end_of_its_log_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "servicebus").write_text("not a folder")
    run = LocalRun(tmp_path)

    assert run.end() == 1
    assert "servicebus did not start" in run.text
    assert "local/run" not in run.text  # no traceback of ours
    assert json.loads((tmp_path / "run.json").read_text())["url"] is None
