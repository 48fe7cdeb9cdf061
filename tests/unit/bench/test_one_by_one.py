"""The broken app of the advisor's first case still answers, one step of the context after the other."""

import runpy
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.advising.cases import cases
from shared.context.gathering import ContextGatherer
from tests.unit.fleet import VirtualClock
from tests.unit.test_context import Source, gathered

TEMPLATE = Path(cases.__code__.co_filename).parent / "one_by_one.template"


async def test_the_broken_apps_context_has_all_steps_and_none_beside_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "spillway_app", SimpleNamespace(app=None, services=None))
    monkeypatch.setattr(ContextGatherer, "_step", ContextGatherer._step)
    runpy.run_path(str(shutil.copy(TEMPLATE, tmp_path / "broken.py")))
    clock = VirtualClock()
    steps = (await gathered(clock, *(Source(name, clock) for name in "abc"))).notes["steps"]

    assert sorted(step["name"] for step in steps) == ["a", "b", "c"]
    ends = [step["start_ms"] + step["duration_ms"] for step in steps]
    assert all(later["start_ms"] >= end for end, later in zip(ends, steps[1:], strict=False))
