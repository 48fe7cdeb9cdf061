import json
import os
import signal
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.contract.host.conftest import APPS, Launch, eventually
from tests.processes import start


def read_ready(folder: Path) -> list[dict[str, object]]:
    ready: list[dict[str, object]] = json.loads((folder / "host-0.ready.json").read_text())["instances"]
    return ready


def test_http_instances_share_the_port_and_each_has_its_own(launch: Launch) -> None:
    service = launch("http_streaming", "--instances", "http=2")
    assert [one["group"] for one in service.ready["instances"]] == ["http", "http"]
    for one in service.ready["instances"]:
        answer = httpx2.get(f"{one['url']}/api/instance").json()
        assert answer == {"instance": one["id"], "pid": one["pid"]}
    seen = set()
    for _ in range(100):
        # A new connection each time; the kernel deals them out.
        seen.add(httpx2.get(f"{service.url}/api/instance").json()["instance"])
        if len(seen) == 2:
            break
    assert seen == {one["id"] for one in service.ready["instances"]}


def test_a_killed_instance_is_replaced_by_a_new_one(launch: Launch, tmp_path: Path) -> None:
    service = launch("http_streaming", "--instances", "2")
    before = service.ready["instances"]
    os.kill(before[0]["pid"], signal.SIGKILL)
    after = eventually(lambda: now if (now := read_ready(tmp_path))[0]["pid"] != before[0]["pid"] else None)
    assert after[1] == before[1]
    assert after[0]["id"] != before[0]["id"]
    assert httpx2.get(f"{after[0]['url']}/api/instance").json()["pid"] == after[0]["pid"]


def test_without_restart_a_killed_instance_stays_away(launch: Launch) -> None:
    service = launch("http_streaming", "--instances", "2", "--no-restart")
    first, second = service.ready["instances"]
    os.kill(first["pid"], signal.SIGKILL)
    assert eventually(lambda: "ended with code -9." in service.log.read_text())
    for _ in range(10):
        assert httpx2.get(f"{service.url}/api/instance").json()["instance"] == second["id"]


def test_stopping_the_supervisor_stops_its_instances(launch: Launch) -> None:
    service = launch("http_streaming", "--instances", "2")
    pids = [one["pid"] for one in service.ready["instances"]]
    assert service.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_instances_do_not_outlive_a_killed_supervisor(launch: Launch) -> None:
    service = launch("http_streaming", "--instances", "2", "--drain-seconds", "1")
    pids = [one["pid"] for one in service.ready["instances"]]
    service.kill()
    assert eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_an_app_that_cannot_run_ends_the_supervisor_with_its_reason(tmp_path: Path) -> None:
    arguments = ("--app", str(APPS / "broken"), "--port", "0", "--instances", "2")
    with pytest.raises(RuntimeError, match="KeyError: 'SETTING_THAT_IS_MISSING'"):
        start("local.host", *arguments, folder=tmp_path)
