"""kill -9 and restart: what was acknowledged is still there, and in the same state."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from tests.contract.servicebus.conftest import connection_string, write_config
from tests.contract.servicebus.steps import peek_all, receive
from tests.processes import Service, start

QUEUES = {
    "plain": {"LockDuration": "PT5M", "MaxDeliveryCount": 3},
    "unique": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT5M"},
    "sessions": {"RequiresSession": True},
}

Start = Callable[..., Service]
Handler = ServiceBusSender | ServiceBusReceiver


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Start]:
    """Starts a service that keeps its journal in the same folder every time."""
    config, started = write_config(tmp_path / "config.json", QUEUES), []

    def start_again(*wrapper: str) -> Service:
        options = ("--port", "0", "--config", str(config), "--data", str(tmp_path / "data"))
        python = (*wrapper, sys.executable, "-m")
        started.append(start("local.servicebus", *options, folder=tmp_path, python=python))
        return started[-1]

    yield start_again
    for service in started:
        service.stop()
        assert "Traceback" not in service.log.read_text()


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[ServiceBusClient]:
    async with ServiceBusClient.from_connection_string(connection_string(service.port), retry_total=0) as client:
        yield client


@asynccontextmanager
async def opened(*handlers: Handler) -> AsyncIterator[tuple[Handler, ...]]:
    """Opens handlers together and closes them together."""
    await asyncio.gather(*(handler.__aenter__() for handler in handlers))
    yield handlers
    await asyncio.gather(*(handler.close() for handler in handlers))


async def test_everything_that_was_acknowledged_survives_in_its_state(start_service: Start) -> None:
    service, later = start_service(), datetime.now(UTC) + timedelta(hours=1)
    async with connected(service) as client:
        plain, unique, sessions = (client.get_queue_sender(name) for name in QUEUES)
        receiver, holder = client.get_queue_receiver("plain"), client.get_queue_receiver("sessions", session_id="a")
        async with opened(plain, unique, sessions, receiver, holder):
            bodies = ("deferred", "dead", "done", "failed", "held")
            await plain.send_messages([ServiceBusMessage(body) for body in bodies])
            await plain.schedule_messages(ServiceBusMessage("scheduled"), later)
            deferred, dead, done, failed, _held = await receive(receiver, 5)
            await receiver.defer_message(deferred)
            await receiver.dead_letter_message(dead, reason="r", error_description="d")
            await receiver.complete_message(done)
            await receiver.abandon_message(failed)
            await plain.send_messages(ServiceBusMessage("waiting"))
            await unique.send_messages(ServiceBusMessage("first", message_id="same"))
            await sessions.send_messages(ServiceBusMessage("x", session_id="a"))
            await holder.session.set_state(b"step 7")
    service.kill()

    async with connected(start_service()) as client:
        plain, unique = client.get_queue_sender("plain"), client.get_queue_sender("unique")
        receiver, holder = client.get_queue_receiver("plain"), client.get_queue_receiver("sessions", session_id="a")
        buried, firsts = client.get_queue_receiver("plain", sub_queue="deadletter"), client.get_queue_receiver("unique")
        async with opened(plain, unique, receiver, holder, buried, firsts):
            peeked = {str(message): message for message in await peek_all(receiver)}
            counts = {str(message): message.delivery_count for message in await receive(receiver, 3)}
            (found,) = await receiver.receive_deferred_messages(deferred.sequence_number or 0)
            (dead,) = await receive(buried, 1)
            (number,) = await plain.schedule_messages(ServiceBusMessage("next"), later)
            await unique.send_messages(ServiceBusMessage("second", message_id="same"))
            assert [str(message) for message in await peek_all(firsts)] == ["first"]
            assert await holder.session.get_state() == b"step 7"
            assert [str(message) for message in await receive(holder, 1)] == ["x"]

    assert list(peeked) == ["deferred", "failed", "held", "scheduled", "waiting"]
    assert peeked["scheduled"].scheduled_enqueue_time_utc == later.replace(microsecond=later.microsecond // 1000 * 1000)
    assert counts == {"failed": 1, "held": 1, "waiting": 0}
    assert (str(found), str(dead), dead.dead_letter_reason) == ("deferred", "dead", "r")
    assert number == 8


def sending(service: Service, body_bytes: int) -> subprocess.Popen[str]:
    """A client in its own process, which prints the number of every batch that was acknowledged."""
    script = str(Path(__file__).with_name("send_until_refused.py"))
    command = [sys.executable, script, connection_string(service.port), str(body_bytes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kill_while_sending(service: Service) -> list[int]:
    with sending(service, 10) as client:
        assert client.stdout is not None
        acknowledged = [int(client.stdout.readline()) for _ in range(100)]
        service.kill()
        return acknowledged + [int(line) for line in client.stdout]


def fill_the_disk(service: Service) -> list[int]:
    with sending(service, 20_000) as client:
        assert client.stdout is not None
        return [int(line) for line in client.stdout]


async def found_in_order(service: Service, batches: list[int]) -> bool:
    """Whether everything that was acknowledged is there; one more batch may be, whose answer was lost."""
    expected = [f"{number}-{index}" for number in batches for index in range(3)]
    async with (
        connected(service) as client,
        client.get_queue_receiver("plain", receive_mode="receiveanddelete", prefetch_count=500) as receiver,
    ):
        found = [str(message).rstrip("x") for message in await receive(receiver, len(expected))]
        found += [str(message).rstrip("x") for message in await receiver.receive_messages(10, max_wait_time=0.5)]
    return found[: len(expected)] == expected and len(found) in (len(expected), len(expected) + 3)


async def test_every_acknowledged_message_survives_a_kill_in_the_middle_of_sending(start_service: Start) -> None:
    acknowledged = kill_while_sending(start_service())

    assert await found_in_order(start_service(), acknowledged)


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is needed to make the disk look full")
async def test_when_the_disk_is_full_nothing_more_is_acknowledged_and_the_log_says_why(start_service: Start) -> None:
    service = start_service("prlimit", "--fsize=600000")
    acknowledged = fill_the_disk(service)

    assert service.process.wait(10) == 1
    assert "cannot be written" in service.log.read_text()
    assert len(acknowledged) > 2
    assert await found_in_order(start_service(), acknowledged)
