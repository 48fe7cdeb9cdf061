import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.contract.host.conftest import APPS, Launch, eventually
from tests.processes import Service, start


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A supervisor with two instances; stopping it stops them."""
    arguments = ("--app", str(APPS / "http_streaming"), "--port", "0", "--instances", "http=2")
    service = start("local.host", *arguments, folder=tmp_path_factory.mktemp("fleet"), name="fleet")
    yield service
    pids = [one["pid"] for one in instances(service)]
    assert service.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)


def instances(service: Service) -> list[dict[str, object]]:
    """The instances as the ready file has them now."""
    ready: dict[str, list[dict[str, object]]] = json.loads((service.log.parent / "fleet.ready.json").read_text())
    return ready["instances"]


def test_http_instances_share_the_port_and_each_has_its_own(fleet: Service) -> None:
    running = instances(fleet)
    assert [one["group"] for one in running] == ["http", "http"]
    for one in running:
        answer = httpx2.get(f"{one['url']}/api/instance").json()
        assert answer == {"instance": one["id"], "pid": one["pid"]}
    seen = set()
    for _ in range(100):
        # A new connection each time; the kernel deals them out.
        seen.add(httpx2.get(f"{fleet.url}/api/instance").json()["instance"])
        if len(seen) == 2:
            break
    assert seen == {one["id"] for one in running}


def test_a_killed_instance_is_replaced_by_a_new_one(fleet: Service) -> None:
    before = instances(fleet)
    os.kill(int(str(before[0]["pid"])), signal.SIGKILL)
    after = eventually(lambda: now if (now := instances(fleet))[0]["pid"] != before[0]["pid"] else None)
    assert after[1] == before[1]
    assert after[0]["id"] != before[0]["id"]
    assert httpx2.get(f"{after[0]['url']}/api/instance").json()["pid"] == after[0]["pid"]


def test_without_restart_a_killed_instance_stays_away_and_none_outlives_the_supervisor(launch: Launch) -> None:
    service = launch("http_streaming", "--instances", "2", "--no-restart", "--drain-seconds", "1")
    first, second = service.ready["instances"]
    os.kill(first["pid"], signal.SIGKILL)
    assert eventually(lambda: "ended with code -9." in service.log.read_text())
    for _ in range(10):
        assert httpx2.get(f"{service.url}/api/instance").json()["instance"] == second["id"]
    service.kill()
    assert eventually(lambda: not psutil.pid_exists(second["pid"]))


def test_an_app_that_cannot_run_ends_the_supervisor_with_its_reason(tmp_path: Path) -> None:
    arguments = ("--app", str(APPS / "broken"), "--port", "0", "--instances", "2")
    with pytest.raises(RuntimeError, match="KeyError: 'SETTING_THAT_IS_MISSING'"):
        start("local.host", *arguments, folder=tmp_path)
