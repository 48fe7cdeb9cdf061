"""A local run ends whole, however it is told to."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from local.run import __main__ as local_run
from local.run.folder import FolderInUse, kept_alone


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A run that never gets ready; what is noted is that its services were stopped."""
    stopped: list[str] = []

    async def forever(*_: Any) -> str:
        await asyncio.Event().wait()
        return ""

    async def stop(stack: Any) -> None:
        stopped.append(str(stack.folder))

    monkeypatch.setattr(local_run, "_start", forever)
    monkeypatch.setattr(local_run.Stack, "stop", stop)
    return stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_ctrl_c_a_stop_and_a_closed_window_stop_all_services(
    tmp_path: Path, stopped: list[str], number: signal.Signals
) -> None:
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
    await local_run.run(argparse.Namespace(data=tmp_path))

    assert stopped == [str(tmp_path / "logs")]


async def test_output_that_nobody_reads_any_more_does_not_keep_services_alive(
    tmp_path: Path, stopped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed:
        def write(self, _text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
    monkeypatch.setattr(sys, "stdout", Closed())
    await local_run.run(argparse.Namespace(data=tmp_path))

    assert stopped == [str(tmp_path / "logs")]


def test_a_data_folder_is_for_one_run_at_a_time_and_the_other_is_told_where_the_first_is(tmp_path: Path) -> None:
    with kept_alone(tmp_path) as claim:
        with pytest.raises(FolderInUse, match="which is starting"), kept_alone(tmp_path):
            pass
        claim.says(url="http://127.0.0.1:7071")
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}, at http://127.0.0.1:7071"), kept_alone(tmp_path):
            pass
    with kept_alone(tmp_path):
        pass
