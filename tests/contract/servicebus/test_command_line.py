"""`python -m local.servicebus` as the person who starts it sees it."""

import json
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.contract.servicebus.conftest import connection_string, write_config
from tests.processes import ROOT, running


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.servicebus", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_help_names_every_option_and_a_connection_string() -> None:
    result = run("--help")

    assert result.returncode == 0
    for option in ("--port", "--config", "--data", "--sync", "--key", "--max-message-bytes", "--ready-file"):
        assert option in result.stdout
    assert "UseDevelopmentEmulator=true" in result.stdout


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"LockDuration": "PT6M"}, "LockDuration is PT6M; it must be more than 0 and at most 300 s."),
        ({"LockDuration": "a minute"}, "'a minute' is not an ISO 8601 duration such as PT30S, PT5M or P1D."),
        ({"MaxDeliveryCount": 0}, "MaxDeliveryCount is 0; it must be from 1 to 2000."),
        ({"RequiresSession": "yes"}, 'RequiresSession must be true or false, not "yes".'),
        ({"ForwardTo": "other"}, "ForwardTo is set; forwarding is not covered by this service."),
        ({"Lockduration": "PT1M"}, "has Lockduration, which is not known."),
    ],
)
def test_a_mistake_in_the_configuration_is_one_clear_line(
    tmp_path: Path, properties: dict[str, object], complaint: str
) -> None:
    config = write_config(tmp_path / "config.json", {"q": properties})

    result = run("--port", "0", "--config", str(config))

    assert result.returncode == 2
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "UserConfig.Namespaces[0].Queues[0] (q).Properties" in result.stderr


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    result = run("--config", str(tmp_path / "none.json"))

    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "none.json does not exist" in result.stderr


def test_one_data_folder_serves_one_process(tmp_path: Path) -> None:
    options = ("--port", "0", "--data", str(tmp_path / "data"))
    with running("local.servicebus", *options, folder=tmp_path):
        result = run(*options)

    assert result.returncode == 2
    assert "Is another process using it?" in result.stderr


def test_the_shipped_queues_are_declared_by_default_and_a_stop_is_clean(tmp_path: Path) -> None:
    with running("local.servicebus", "--port", "0", folder=tmp_path) as service:
        ready = json.loads((tmp_path / "local-servicebus.ready.json").read_text())
        assert ready["url"] == f"sb://127.0.0.1:{service.port}"
        assert ready["pid"] == service.process.pid
        assert service.stop() == 0
        assert "Traceback" not in service.log.read_text()


def test_the_control_plane_counts_over_http_and_is_off_unless_asked_for(tmp_path: Path) -> None:
    with running("local.servicebus", "--port", "0", folder=tmp_path) as broker:
        assert "control_url" not in broker.ready
    with running("local.servicebus", "--port", "0", "--control-port", "0", folder=tmp_path) as broker:
        with ServiceBusClient.from_connection_string(connection_string(broker.port)) as client:
            client.get_queue_sender("chat-standard").send_messages([ServiceBusMessage("a"), ServiceBusMessage("b")])
            with client.get_queue_receiver("chat-standard", max_wait_time=5) as receiver:
                (message,) = receiver.receive_messages(max_message_count=1)
                receiver.complete_message(message)
        url = broker.ready["control_url"]
        queue = httpx2.get(f"{url}/_sim/account").json()["queues"]["chat-standard"]
        answers = [httpx2.get(f"{url}/other").status_code, httpx2.post(f"{url}/_sim/account").status_code]

    assert (queue["operations"]["sent"], queue["operations"]["completed"], queue["messages"]) == (2, 1, 1)
    assert queue["locked_seconds"] > 0
    assert answers == [404, 405]
