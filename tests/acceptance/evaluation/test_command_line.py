"""The command line against an installation."""

import json
from pathlib import Path

import pytest

from evals.__main__ import parser, run_from
from evals.stack import JudgedStack
from tests.acceptance.stack import OPERATOR


def test_the_command_line_writes_results_and_a_scorecard_and_ends_with_the_verdicts_code(
    stack: JudgedStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--url", stack.url, "--key", OPERATOR, "--sample", "5", "--results", str(tmp_path)]
    code = run_from(parser().parse_args([*options, "--accept", str(tmp_path / "baseline.jsonl")]))
    again = run_from(parser().parse_args([*options, "--baseline", str(tmp_path / "baseline.jsonl")]))
    told = capsys.readouterr().out

    assert (code, again) == (2, 2)
    assert "HOLD" in told
    assert "not compared with the baseline" not in told
    written = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert written["decision"] == "HOLD"
    assert len({score["item_id"] for score in written["scores"]}) == 10
    assert "HOLD" in next(tmp_path.glob("*.html")).read_text()
