import datetime as dt
import os
import signal
from pathlib import Path

import httpx2

from local.host.timers.status import Status
from local.host.timers.store import TimerStore, folder_of
from tests.contract.host.conftest import APPS, Launch, Records


def environment(tmp_path: Path) -> dict[str, str]:
    return {"YEARLY": "0 0 0 1 1 *", "RECORD_FILE": str(tmp_path / "records.jsonl")}


def test_timers_run_when_due_on_startup_and_by_hand(launch: Launch, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    service = launch("timers", environment=environment(tmp_path))
    every_second = records.wait(2, name="every_second")
    (at_start,) = records.wait(name="at_start")
    assert not any(line["past_due"] for line in [*every_second, at_start])
    # As on the platform, a schedule within a minute has no monitored state.
    assert every_second[0]["status"] == {}
    assert at_start["schedule"] == {"AdjustForDST": True}
    assert records.where(name="yearly") == []
    response = httpx2.post(f"{service.url}/admin/functions/yearly", json={"input": ""})
    assert (response.status_code, response.content) == (202, b"")
    assert len(records.wait(name="yearly")) == 1
    refused = httpx2.post(f"{service.url}/admin/functions/ping", json={"input": ""})
    assert (refused.status_code, refused.text) == (400, "Only timers can be run from here; ping is a httpTrigger.")


def test_a_missed_occurrence_is_made_up_for_at_start(launch: Launch, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data", APPS / "timers")
    folder.mkdir(parents=True)
    year = dt.datetime.now(dt.UTC).year
    last, due = (dt.datetime(year - ago, 1, 1, tzinfo=dt.UTC) for ago in (2, 1))
    status = Status(last, due, last)
    TimerStore(folder, "yearly").write(status)
    launch("timers", "--functions", "yearly", environment=environment(tmp_path))
    (run,) = Records(tmp_path / "records.jsonl").wait(name="yearly")
    assert run["past_due"] is True
    assert run["status"] == status.as_json()


def test_of_all_instances_one_runs_a_timer_and_another_takes_over(launch: Launch, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    service = launch("timers", "--instances", "2", "--no-restart", environment=environment(tmp_path))
    runs = records.wait(2, name="every_second")
    assert len({run["instance"] for run in runs}) == 1
    (owner,) = [one for one in service.ready["instances"] if one["id"] == runs[0]["instance"]]
    (other,) = [one for one in service.ready["instances"] if one["id"] != runs[0]["instance"]]
    os.kill(owner["pid"], signal.SIGKILL)
    records.wait(1, name="every_second", instance=other["id"])
