import asyncio
import contextlib
import json
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from tests.contract.host.conftest import APPS, Records, eventually
from tests.processes import Service, running, start

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def queue(name: str, *, lock: str = "PT30S", deliveries: int = 10, sessions: bool = False) -> dict[str, Any]:
    properties = {"LockDuration": lock, "MaxDeliveryCount": deliveries, "RequiresSession": sessions}
    return {"Name": name, "Properties": properties}


def write_config(folder: Path) -> Path:
    queues = [
        queue("work", lock="PT2S", deliveries=3),
        queue("short", lock="PT2S"),
        queue("other"),
        queue("talks", sessions=True),
        queue("batches"),
    ]
    path = folder / "queues.json"
    path.write_text(
        json.dumps(
            {
                "UserConfig": {
                    "Namespaces": [{"Name": "sbemulatorns", "Queues": queues, "Topics": []}],
                    "Logging": {"Type": "File"},
                }
            }
        )
    )
    return path


def connection_string(port: int) -> str:
    return (
        f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


@dataclass(frozen=True)
class Bus:
    """A broker, a host with the sample app, and what the app has written down."""

    broker: Service
    host: Service
    records: Records

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[ServiceBusClient]:
        async with ServiceBusClient.from_connection_string(connection_string(self.broker.port)) as client:
            yield client

    async def send(self, queue_name: str, *messages: ServiceBusMessage) -> None:
        async with self.client() as client, client.get_queue_sender(queue_name) as sender:
            for message in messages:
                await sender.send_messages(message)

    async def peek(self, queue_name: str) -> list[Any]:
        async with self.client() as client, client.get_queue_receiver(queue_name) as receiver:
            return list(await receiver.peek_messages(100))


def start_host(broker: Service, folder: Path, *arguments: str, work_queue: str = "work", name: str = "host") -> Bus:
    records = Records(folder / f"{name}.records.jsonl")
    host = start(
        "local.host",
        *("--app", str(APPS / "service_bus"), "--port", "0", *arguments),
        folder=folder,
        name=name,
        environment={
            "Bus": connection_string(broker.port),
            "WORK_QUEUE": work_queue,
            "RECORD_FILE": str(records.path),
        },
    )
    return Bus(broker, host, records)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("broker")
    with running("local.servicebus", "--port", "0", "--config", str(write_config(folder)), folder=folder) as service:
        yield service


@pytest.fixture(scope="module")
def bus(broker: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    bus = start_host(broker, tmp_path_factory.mktemp("bus"))
    yield bus
    assert bus.host.stop() == 0


def order(message_id: str, *, seconds: float = 0, failures: int = 0, **more: Any) -> ServiceBusMessage:
    return ServiceBusMessage(json.dumps({"seconds": seconds, "failures": failures}), message_id=message_id, **more)


async def test_a_function_gets_the_properties_that_the_platform_sends(bus: Bus) -> None:
    message = order(
        "full",
        application_properties={"lane": "interactive", "attempt": 2, "traceparent": TRACE},
        content_type="application/json",
        correlation_id="turn-1",
        subject="a subject",
        reply_to="replies",
        to="somebody",
        partition_key="p",
    )
    await bus.send("work", message)
    (start,) = await asyncio.to_thread(bus.records.wait, event="start", message_id="full")
    metadata = start["metadata"]
    assert {name: metadata[name] for name in ("ContentType", "CorrelationId", "Subject", "Label", "ReplyTo", "To")} == {
        "ContentType": "application/json",
        "CorrelationId": "turn-1",
        "Subject": "a subject",
        "Label": "a subject",
        "ReplyTo": "replies",
        "To": "somebody",
    }
    assert start["properties"] == {"lane": "interactive", "attempt": 2, "traceparent": TRACE}
    assert start["delivery_count"] == 1
    assert start["trace"] == TRACE
    # The platform sends these times without a zone, and no time to live at all.
    assert start["expires_zone"] is None
    assert start["time_to_live"] is None


async def test_a_failed_message_comes_again_until_it_is_dead_lettered(bus: Bus) -> None:
    await bus.send("work", order("twice", failures=1), order("never", failures=99))
    await asyncio.to_thread(bus.records.wait, event="end", message_id="twice")
    counts = [line["delivery_count"] for line in bus.records.where(event="start", message_id="twice")]
    assert counts == [1, 2]
    (buried,) = await asyncio.to_thread(bus.records.wait, event="bury")
    assert json.loads(buried["body"]) == {"seconds": 0, "failures": 99}
    assert [line["delivery_count"] for line in bus.records.where(event="start", message_id="never")] == [1, 2, 3]


async def test_no_more_messages_run_at_once_than_host_json_allows(bus: Bus) -> None:
    ids = [f"burst-{number}" for number in range(16)]
    await bus.send("work", *(order(name, seconds=0.3) for name in ids))
    for name in ids:
        await asyncio.to_thread(bus.records.wait, event="end", message_id=name)
    starts = [line for line in bus.records.where(event="start") if line["message_id"] in ids]
    assert len(starts) == 16
    assert max(line["running"] for line in starts) == 4


async def test_a_message_reaches_its_function_within_milliseconds(bus: Bus) -> None:
    sent: dict[str, float] = {}
    async with bus.client() as client, client.get_queue_sender("work") as sender:
        for number in range(30):
            name = f"quick-{number}"
            sent[name] = time.time()
            await sender.send_messages(order(name))
            await asyncio.sleep(0.02)
    for name in sent:
        await asyncio.to_thread(bus.records.wait, event="end", message_id=name)
    delays = [bus.records.where(event="start", message_id=name)[0]["at"] - at for name, at in sent.items()]
    assert statistics.median(delays) < 0.05


async def test_messages_of_a_session_come_in_order(bus: Bus) -> None:
    sent = [ServiceBusMessage(str(number), session_id=f"session-{number % 5}") for number in range(20)]
    await bus.send("talks", *sent)
    await asyncio.to_thread(bus.records.wait, 20, event="talk")
    for session in range(5):
        bodies = [int(line["body"]) for line in bus.records.where(event="talk", session=f"session-{session}")]
        assert bodies == list(range(session, 20, 5))


async def test_a_batch_is_settled_as_a_whole(bus: Bus) -> None:
    async with bus.client() as client, client.get_queue_sender("batches") as sender:
        await sender.send_messages([ServiceBusMessage("good"), ServiceBusMessage("bad")])
    lines = await asyncio.to_thread(bus.records.wait, 2, event="batch")
    assert lines[0]["bodies"] == ["good", "bad"]
    assert lines[0]["counts"] == [1, 1]
    again = sorted(body for line in lines[1:] for body in line["bodies"])
    assert again == ["bad", "good"]


async def test_a_lock_is_kept_while_its_function_runs(bus: Bus) -> None:
    await bus.send("work", order("long", seconds=3))
    await asyncio.to_thread(bus.records.wait, event="end", message_id="long")
    starts = bus.records.where(event="start", message_id="long")
    assert [line["delivery_count"] for line in starts] == [1]


async def test_sigterm_completes_what_ends_in_time_abandons_the_rest_and_leaves_others_alone(
    broker: Service, tmp_path: Path
) -> None:
    bus = start_host(broker, tmp_path, "--drain-seconds", "3", work_queue="other")
    await bus.send("other", *(order(name, seconds=2) for name in ("a", "b", "c")), order("endless", seconds=60))
    await asyncio.to_thread(bus.records.wait, 4, event="start")
    bus.host.process.terminate()
    await asyncio.to_thread(eventually, lambda: "Stopping;" in bus.host.log.read_text())
    await bus.send("other", order("late"))
    assert await asyncio.to_thread(bus.host.stop) == 0
    assert {line["message_id"] for line in bus.records.where(event="end")} == {"a", "b", "c"}
    assert [line["message_id"] for line in bus.records.where(event="cancelled")] == ["endless"]
    left = {message.message_id: message.delivery_count for message in await bus.peek("other")}
    assert left == {"endless": 1, "late": 0}


async def test_a_broker_that_comes_back_is_found_again_and_told_of_once(tmp_path: Path) -> None:
    config, data = str(write_config(tmp_path)), str(tmp_path / "journal")
    broker = start("local.servicebus", "--port", "0", "--config", config, "--data", data, folder=tmp_path)
    bus = start_host(broker, tmp_path)
    try:
        await bus.send("work", order("before"))
        await asyncio.to_thread(bus.records.wait, event="end", message_id="before")
        broker.kill()
        lost = [f"Function {function} cannot receive from" for function in ("work", "talk", "batch", "bury")]
        assert await asyncio.to_thread(eventually, lambda: all(line in bus.host.log.read_text() for line in lost))
        port = str(broker.port)
        broker = start("local.servicebus", "--port", port, "--config", config, "--data", data, folder=tmp_path)
        await bus.send("work", order("after"))
        await asyncio.to_thread(bus.records.wait, event="end", message_id="after")
        log = bus.host.log.read_text()
        assert [log.count(line) for line in lost] == [1, 1, 1, 1], log
        assert log.count("Function work receives from work again.") == 1
    finally:
        bus.host.stop()
        broker.stop()


async def test_a_killed_instance_leaves_its_message_to_the_next(broker: Service, tmp_path: Path) -> None:
    counts = {"work": 1, "talk": 0, "batch": 0, "bury": 0}
    fleet = [part for name, count in counts.items() for part in ("--instances", f"function:{name}={count}")]
    bus = start_host(broker, tmp_path, *fleet, work_queue="short")
    try:
        await bus.send("short", order("survivor", seconds=1))
        (first,) = await asyncio.to_thread(bus.records.wait, event="start", message_id="survivor")
        (worker,) = [one for one in bus.host.ready["instances"] if one["functions"] == ["work"]]
        assert first["instance"] == worker["id"]
        os.kill(worker["pid"], signal.SIGKILL)
        await asyncio.to_thread(bus.records.wait, event="end", message_id="survivor")
        starts = bus.records.where(event="start", message_id="survivor")
        assert [line["delivery_count"] for line in starts] == [1, 2]
        assert starts[1]["instance"] != worker["id"]
    finally:
        bus.host.stop()


async def test_a_missing_connection_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match='Function "batch": the connection "Bus" is not set'):
        start("local.host", "--app", str(APPS / "service_bus"), "--port", "0", folder=tmp_path)
