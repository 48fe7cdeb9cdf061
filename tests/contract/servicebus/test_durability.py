"""kill -9 and restart: what was acknowledged is still there, and in the same state."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.contract.servicebus.conftest import connection_string, write_config
from tests.processes import Service, start

QUEUES = {
    "plain": {"LockDuration": "PT5M", "MaxDeliveryCount": 3},
    "unique": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT5M"},
    "sessions": {"RequiresSession": True},
}

Start = Callable[[], Service]


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Start]:
    """Starts a service that keeps its journal in the same folder every time."""
    config, started = write_config(tmp_path / "config.json", QUEUES), []

    def start_again() -> Service:
        options = ("--port", "0", "--config", str(config), "--data", str(tmp_path / "data"))
        started.append(start("local.servicebus", *options, folder=tmp_path))
        return started[-1]

    yield start_again
    for service in started:
        service.stop()
        assert "Traceback" not in service.log.read_text()


@contextmanager
def connected(service: Service) -> Iterator[ServiceBusClient]:
    with ServiceBusClient.from_connection_string(connection_string(service.port), retry_total=0) as client:
        yield client


def test_messages_in_every_state_survive(start_service: Start) -> None:
    service, later = start_service(), datetime.now(UTC) + timedelta(hours=1)
    with (
        connected(service) as client,
        client.get_queue_sender("plain") as sender,
        client.get_queue_receiver("plain") as receiver,
    ):
        sender.send_messages([ServiceBusMessage(body) for body in ("deferred", "dead", "done", "failed", "held")])
        sender.schedule_messages(ServiceBusMessage("scheduled"), later)
        deferred, dead, done, failed, _held = receiver.receive_messages(5, max_wait_time=5)
        receiver.defer_message(deferred)
        receiver.dead_letter_message(dead, reason="r", error_description="d")
        receiver.complete_message(done)
        receiver.abandon_message(failed)
        sender.send_messages(ServiceBusMessage("waiting"))
    service.kill()

    with connected(start_service()) as client:
        with client.get_queue_receiver("plain") as receiver:
            peeked = {str(message): message for message in receiver.peek_messages(20, sequence_number=1)}
            messages = {str(message): message for message in receiver.receive_messages(3, max_wait_time=5)}
            (found,) = receiver.receive_deferred_messages(deferred.sequence_number or 0)
        with client.get_queue_receiver("plain", sub_queue="deadletter") as receiver:
            (buried,) = receiver.receive_messages(1, max_wait_time=5)
        with client.get_queue_sender("plain") as sender:
            (number,) = sender.schedule_messages(ServiceBusMessage("next"), later)

    assert list(peeked) == ["deferred", "failed", "held", "scheduled", "waiting"]
    assert peeked["scheduled"].scheduled_enqueue_time_utc == later.replace(microsecond=later.microsecond // 1000 * 1000)
    counts = {body: message.delivery_count for body, message in messages.items()}
    assert counts == {"failed": 1, "held": 1, "waiting": 0}
    assert (str(found), str(buried), buried.dead_letter_reason) == ("deferred", "dead", "r")
    assert number == 8


def test_sessions_and_duplicate_history_survive(start_service: Start) -> None:
    service = start_service()
    with connected(service) as client:
        with client.get_queue_sender("sessions") as sender, client.get_queue_sender("unique") as unique:
            sender.send_messages(ServiceBusMessage("x", session_id="a"))
            unique.send_messages(ServiceBusMessage("first", message_id="same"))
        with client.get_queue_receiver("sessions", session_id="a") as receiver:
            receiver.session.set_state(b"step 7")
    service.kill()

    with connected(start_service()) as client:
        with client.get_queue_receiver("sessions", session_id="a") as receiver:
            assert receiver.session.get_state() == b"step 7"
            (message,) = receiver.receive_messages(1, max_wait_time=5)
        with client.get_queue_sender("unique") as unique, client.get_queue_receiver("unique") as receiver:
            unique.send_messages(ServiceBusMessage("second", message_id="same"))
            assert [str(each) for each in receiver.peek_messages(10)] == ["first"]

    assert str(message) == "x"


def test_every_acknowledged_message_survives_a_kill_in_the_middle_of_sending(start_service: Start) -> None:
    service = start_service()
    script = str(Path(__file__).with_name("send_until_killed.py"))
    command = [sys.executable, script, connection_string(service.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sending:
        assert sending.stdout is not None
        acknowledged = [int(sending.stdout.readline()) for _ in range(100)]
        service.kill()
        acknowledged += [int(line) for line in sending.stdout]

    expected = [f"{number}-{index}" for number in acknowledged for index in range(3)]
    with (
        connected(start_service()) as client,
        client.get_queue_receiver("plain", receive_mode="receiveanddelete", prefetch_count=500) as receiver,
    ):
        found: list[str] = []
        while len(found) < len(expected):
            messages = receiver.receive_messages(500, max_wait_time=5)
            assert messages
            found += [str(message) for message in messages]

    assert found[: len(expected)] == expected
    assert len(found) in (len(expected), len(expected) + 3)


def test_what_was_removed_does_not_come_back(start_service: Start) -> None:
    service = start_service()
    with (
        connected(service) as client,
        client.get_queue_sender("plain") as sender,
        client.get_queue_receiver("plain") as receiver,
    ):
        sender.send_messages([ServiceBusMessage(f"n{number}") for number in range(5)])
        for message in receiver.receive_messages(5, max_wait_time=5):
            receiver.complete_message(message)
        assert receiver.peek_messages(10, sequence_number=1) == []
    service.kill()

    with connected(start_service()) as client, client.get_queue_receiver("plain") as receiver:
        assert receiver.peek_messages(10) == []
