import datetime as dt
import json
import os
import signal
from pathlib import Path

import httpx2

from tests.contract.host.conftest import Launch, Records, eventually

YEARLY = {"YEARLY": "0 0 0 1 1 *"}


def environment(tmp_path: Path) -> dict[str, str]:
    return {**YEARLY, "RECORD_FILE": str(tmp_path / "records.jsonl")}


def state_folder(tmp_path: Path) -> Path:
    timers = tmp_path / "data" / "timers"
    folder: Path = eventually(lambda: next(timers.glob("timers-*/"), None) if timers.exists() else None)
    return folder


def test_a_timer_runs_when_it_is_due_and_on_startup_when_asked(launch: Launch, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    launch("timers", environment=environment(tmp_path))
    every_second = records.wait(2, name="every_second")
    (at_start,) = records.wait(name="at_start")
    assert not any(line["past_due"] for line in [*every_second, at_start])
    # As on the platform, a schedule within a minute has no monitored state.
    assert every_second[0]["status"] == {}
    assert at_start["schedule"] == {"AdjustForDST": True}
    assert records.where(name="yearly") == []


def test_a_missed_occurrence_is_made_up_for_at_start(launch: Launch, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    first = launch("timers", environment=environment(tmp_path))
    state = state_folder(tmp_path) / "yearly.json"
    assert eventually(state.exists)
    first.stop()
    year = dt.datetime.now(dt.UTC).year
    recorded = {
        "Last": f"{year - 2}-01-01T00:00:00+00:00",
        "Next": f"{year - 1}-01-01T00:00:00+00:00",
        "LastUpdated": f"{year - 2}-01-01T00:00:00+00:00",
    }
    state.write_text(json.dumps(recorded))
    launch("timers", environment=environment(tmp_path))
    (run,) = records.wait(name="yearly")
    assert run["past_due"] is True
    assert run["status"] == recorded


def test_of_all_instances_one_runs_a_timer_and_another_takes_over(launch: Launch, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    service = launch("timers", "--instances", "2", "--no-restart", environment=environment(tmp_path))
    runs = records.wait(3, name="every_second")
    assert len({run["instance"] for run in runs}) == 1
    (owner,) = [one for one in service.ready["instances"] if one["id"] == runs[0]["instance"]]
    (other,) = [one for one in service.ready["instances"] if one["id"] != runs[0]["instance"]]
    os.kill(owner["pid"], signal.SIGKILL)
    records.wait(1, name="every_second", instance=other["id"])


def test_a_timer_can_be_run_by_hand(launch: Launch, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    service = launch("timers", environment=environment(tmp_path))
    response = httpx2.post(f"{service.url}/admin/functions/yearly", json={"input": ""})
    assert (response.status_code, response.content) == (202, b"")
    assert len(records.wait(name="yearly")) == 1
    refused = httpx2.post(f"{service.url}/admin/functions/ping", json={"input": ""})
    assert (refused.status_code, refused.text) == (400, "Only timers can be run from here; ping is a httpTrigger.")


