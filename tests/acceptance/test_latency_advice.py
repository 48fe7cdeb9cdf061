"""Advice from real turns on local Azure: the cause that was injected is the one that operators read first."""

import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from bench.advice import main
from shared.api.views import LatencyAdviceReply
from tests.acceptance.stack import OPERATOR, Stack, ask
from tests.processes import ROOT

TURNS = 12


@pytest.fixture
def slow_search(stack: Stack) -> Iterator[None]:
    """Searching takes a quarter of a second longer."""
    faults = f"{stack.parts['store'].url}/_sim/faults"
    fault = {"container": "knowledge", "operation": "query", "delay_ms": 250, "count": 1000}
    httpx2.post(faults, json=fault).raise_for_status()
    yield
    httpx2.delete(faults).raise_for_status()


@pytest.mark.usefixtures("slow_search")
def test_a_slow_search_is_named_first_to_operators_and_to_nobody_else(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with stack.client() as user, stack.client(OPERATOR) as operator:
        for _ in range(TURNS):
            ask(user, "When do you open?")
        response = operator.get("/api/latency/advice", params={"hours": 1, "turns": TURNS})
        refused = user.get("/api/latency/advice")
        wrong = operator.get("/api/latency/advice", params={"turns": 1})
    report = LatencyAdviceReply.model_validate(response.json())
    monkeypatch.setenv("SPILLWAY_OPERATOR_KEY", OPERATOR)
    printed = main(["--url", stack.url, "--turns", str(TURNS)])

    assert report.turns == TURNS
    assert (report.advice[0].cause, report.advice[0].subject) == ("slow_context", "search")
    assert report.advice[0].gain_ms["p50"].predicted > 150
    assert "When do you open" not in response.text
    assert refused.status_code == 403
    assert wrong.status_code == 400
    assert printed == 0
    assert "| 1 | slow_context search |" in capsys.readouterr().out


def test_the_commands_say_what_they_miss(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SPILLWAY_OPERATOR_KEY", raising=False)

    def offline(text: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "shared.advisor"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    assert main(["--url", "http://127.0.0.1:1"]) == 2
    assert "set SPILLWAY_OPERATOR_KEY" in capsys.readouterr().err
    assert "at least 10 answered turns" in offline('[{"timeline": null}]').stdout
    assert offline("[1]").returncode == offline("no json").returncode == 2
